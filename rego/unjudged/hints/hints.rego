# METADATA
# title: Where to look in objects of kinds that no constraint selects
# description: |
#   Most of them hold nothing that a policy could judge. Objects without any of this are not looked at, which costs next
#   to nothing.
# scope: package
package unjudged.hints

# METADATA
# title: What the engine hands to unjudged.objects
# description: |
#   `keys`: the outermost mappings that have one of these keys, with a value of this type. `texts`: strings that contain
#   one of these, as ConfigMaps hold manifests. `skipped`: fields of objects in which neither is looked for. `lists`:
#   fields of pod specs in objects of these `groups` that the API server refuses if they are not lists, and in which
#   policies find nothing then.
wanted := {
	"keys": {
		"containers": "array",
		"image": "string",
		"imagePullPolicy": "string",
		"parameters": "array",
		"pullPolicy": "string",
	},
	"texts": ["image:", `"image"`, "ullPolicy"],
	"skipped": ["metadata", "status"],
	"lists": ["containers", "ephemeralContainers", "initContainers"],
	"groups": ["", "apps", "batch", "extensions"],
}
