# METADATA
# title: Where to look in objects of kinds that no constraint selects
# description: |
#   Most of these objects hold nothing that a policy could judge. Objects without any of these hints are skipped, which
#   costs almost nothing.
# scope: package
package unjudged.hints

# METADATA
# title: What the engine passes to unjudged.objects
# description: |
#   `keys`: the outermost mappings with one of these keys and a value of this type. `texts`: strings that contain one of
#   these, because ConfigMaps can hold manifests. `skipped`: top-level fields that are not searched. `lists`: fields
#   of pod specs that must be lists. In objects of these `groups`, the API server refuses any other value, and
#   policies find nothing in it.
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
