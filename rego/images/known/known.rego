# METADATA
# title: Custom resources that list images, or hold pod specs that do not run as they are
# description: |
#   Beside lib.kinds: policies judge nothing here, but the images are named for sure.
# scope: package
package images.known

# METADATA
# title: Where these kinds name images
# description: |
#   By group and kind: `paths` of pod specs as customKinds has them, and `images`, paths of strings; `[]` behind a key
#   is each entry of its list. `source` is the reference of the API.
kinds := {
	"": {"ZarfPackageConfig": {
		"images": ["components[].images[]"],
		"source": "https://docs.zarf.dev/ref/components/",
	}},
	"apps.kruise.io": {
		"ImageListPullJob": {
			"images": ["spec.images[]"],
			"source": "https://openkruise.io/docs/user-manuals/imagepulljob",
		},
		"ImagePullJob": {
			"images": ["spec.image"],
			"source": "https://openkruise.io/docs/user-manuals/imagepulljob",
		},
	},
	"content.hauler.cattle.io": {"Images": {
		"images": ["spec.images[].name"],
		"source": "https://docs.hauler.dev/docs/hauler-usage/store/sync",
	}},
	"kubefledged.io": {"ImageCache": {
		"images": ["spec.cacheSpec[].images[]"],
		"source": "https://github.com/senthilrch/kube-fledged",
	}},
	"machineconfiguration.openshift.io": {"PinnedImageSet": {
		"images": ["spec.pinnedImages[].name"],
		"source": "https://github.com/openshift/api/blob/HEAD/machineconfiguration/v1/types_pinnedimageset.go",
	}},
	"mirror.openshift.io": {"ImageSetConfiguration": {
		"images": ["mirror.additionalImages[].name"],
		"source": "https://github.com/openshift/oc-mirror/blob/HEAD/v2/docs/image-set-examples.md",
	}},
	"operators.coreos.com": {
		"CatalogSource": {
			"images": ["spec.image"],
			"source": "https://github.com/operator-framework/api/tree/HEAD/pkg/operators/v1alpha1",
		},
		"ClusterServiceVersion": {
			"paths": ["spec.install.spec.deployments[].spec.template.spec"],
			"images": ["spec.relatedImages[].image"],
			"source": "https://github.com/operator-framework/api/tree/HEAD/pkg/operators/v1alpha1",
		},
	},
}

# METADATA
# title: The same kinds, as lib.pods.uses takes custom kinds
custom_kinds := [{"group": group, "kind": kind, "paths": entry.paths} |
	some group, of_group in kinds
	some kind, entry in of_group
	entry.paths
]

# METADATA
# title: Kinds that name no image which anything pulls
# description: |
#   They are secret, say what was, are schemas with examples, or are many and hold no texts. By group, kinds; a live
#   cluster is not asked for them.
skipped := {
	"": {"Endpoints", "Event", "Node", "Secret"},
	"apiextensions.k8s.io": {"CustomResourceDefinition"},
	"apps": {"ControllerRevision"},
	"coordination.k8s.io": {"Lease"},
	"discovery.k8s.io": {"EndpointSlice"},
	"events.k8s.io": {"Event"},
	"metrics.k8s.io": {"NodeMetrics", "PodMetrics"},
	"rbac.authorization.k8s.io": {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"},
}
