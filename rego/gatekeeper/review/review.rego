# METADATA
# title: The review that a policy receives
# description: >-
#   Builds input.review as Gatekeeper 3.23 does, including null, empty and absent fields, and the request for
#   data.gatekeeper.match and data.gatekeeper.hook.
# scope: package
package gatekeeper.review

import rego.v1

# METADATA
# title: The review of a plain object, as gator and audit build it
# description: >-
#   namespace is the namespace of objects that do not state any and are not known to be cluster-scoped; "" means that it
#   is not known. It is also written into the object, as the API server does.
from_object(obj, namespace) := _review(_placed(obj, namespace))

# METADATA
# title: The review of an AdmissionReview's request
# description: Fields that the request lacks get Go's zero values. For DELETE, the old object is also the object.
from_admission(request) := object.union_n([
	{
		"uid": _string(request, ["uid"]),
		"kind": _struct(request, "kind", ["group", "version", "kind"]),
		"resource": _struct(request, "resource", ["group", "version", "resource"]),
		"operation": operation,
		"userInfo": _user(request),
		"object": reviewed,
		"oldObject": old,
		"options": object.get(request, "options", null),
		"namespaceObject": {},
	},
	_stated_texts(request),
	_stated_structs(request),
	_stated_dry_run(request),
]) if {
	operation := _string(request, ["operation"])
	old := object.get(request, "oldObject", null)
	reviewed := _reviewed(operation, object.get(request, "object", null), old)
}

# METADATA
# title: The request of a review
# description: namespace_object is the Namespace of the review, or null if not known.
request(review, namespace_object) := {
	"review": review,
	"object": review.object,
	"oldObject": review.oldObject,
	"namespace": object.get(review, "namespace", ""),
	"namespaceObject": namespace_object,
	"source": "Original",
}

# METADATA
# title: Group, version and kind of an object
# description: As in Kubernetes, all three are "" if apiVersion has more than one slash.
kind_of(obj) := _kind(split(_string(obj, ["apiVersion"]), "/"), _string(obj, ["kind"]))

# METADATA
# title: The object's metadata.name, or "" if it has none
name_of(obj) := _string(obj, ["metadata", "name"])

# METADATA
# title: The object's metadata.generateName, or "" if it has none
generate_name_of(obj) := _string(obj, ["metadata", "generateName"])

# METADATA
# title: The object's metadata.namespace, or "" if it has none
namespace_of(obj) := _string(obj, ["metadata", "namespace"])

# METADATA
# title: Whether an object is a Namespace
is_namespace(obj) if {
	obj.kind == "Namespace"
	kind_of(obj).group == ""
}

# METADATA
# title: Whether objects of this kind are known to be cluster-scoped
# description: Kubernetes' own kinds, and constraints and templates of Gatekeeper. Other kinds may be either.
# scope: document
cluster_scoped(obj) if {
	kind := kind_of(obj)
	kind.kind in _cluster_kinds[kind.group]
}

cluster_scoped(obj) if kind_of(obj).group in _cluster_groups

_cluster_kinds := {
	"": {"ComponentStatus", "Namespace", "Node", "PersistentVolume"},
	"admissionregistration.k8s.io": {
		"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration",
		"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
	},
	"apiextensions.k8s.io": {"CustomResourceDefinition"},
	"apiregistration.k8s.io": {"APIService"},
	"authentication.k8s.io": {"SelfSubjectReview", "TokenReview"},
	"authorization.k8s.io": {"SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"},
	"certificates.k8s.io": {"CertificateSigningRequest", "ClusterTrustBundle"},
	"flowcontrol.apiserver.k8s.io": {"FlowSchema", "PriorityLevelConfiguration"},
	"internal.apiserver.k8s.io": {"StorageVersion"},
	"networking.k8s.io": {"IPAddress", "IngressClass", "ServiceCIDR"},
	"node.k8s.io": {"RuntimeClass"},
	"policy": {"PodSecurityPolicy"},
	"rbac.authorization.k8s.io": {"ClusterRole", "ClusterRoleBinding"},
	"resource.k8s.io": {"DeviceClass", "DeviceTaintRule", "ResourceSlice"},
	"scheduling.k8s.io": {"PriorityClass"},
	"storage.k8s.io": {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"},
	"storagemigration.k8s.io": {"StorageVersionMigration"},
}

_cluster_groups := {"constraints.gatekeeper.sh", "templates.gatekeeper.sh"}

_placed(obj, namespace) := object.union(obj, {"metadata": {"namespace": namespace}}) if {
	_needs_namespace(obj, namespace)
} else := obj

_needs_namespace(obj, namespace) if {
	namespace != ""
	namespace_of(obj) == ""
	not cluster_scoped(obj)
}

_review(obj) := object.union_n([
	{
		"uid": "",
		"kind": kind_of(obj),
		"resource": {"group": "", "version": "", "resource": ""},
		"operation": "",
		"userInfo": {},
		"object": obj,
		"oldObject": null,
		"options": null,
		"namespaceObject": {},
	},
	{field: value |
		some field, value in {"name": name_of(obj), "namespace": namespace_of(obj)}
		value != ""
	},
])

_reviewed("DELETE", _, old) := old

_reviewed(operation, obj, _) := obj if operation != "DELETE"

# Fields that the review lacks if the request does not state them.
_stated_texts(request) := {field: request[field] |
	some field in ["subResource", "requestSubResource", "name", "namespace"]
	_string(request, [field]) != ""
}

_stated_structs(request) := {field: _struct(request, field, names) |
	some field, names in {
		"requestKind": ["group", "version", "kind"],
		"requestResource": ["group", "version", "resource"],
	}
	object.get(request, field, null) != null
}

_stated_dry_run(request) := {"dryRun": request.dryRun | object.get(request, "dryRun", null) != null}

_user(request) := {field: _user_field(field, value) |
	some field, value in object.get(request, "userInfo", {})
	not value in {null, "", [], {}}
}

_user_field("groups", value) := _texts(value)

_user_field("extra", value) := {key: _texts(values) | some key, values in value}

_user_field(field, value) := value if not field in {"groups", "extra"}

_texts(null) := null

_texts(values) := [_string({"value": value}, ["value"]) | some value in values] if values != null

_struct(request, field, names) := {name: _string(request, [field, name]) | some name in names}

_kind([version], kind) := {"group": "", "version": version, "kind": kind}

_kind([group, version], kind) := {"group": group, "version": version, "kind": kind}

_kind(parts, _) := {"group": "", "version": "", "kind": ""} if count(parts) > 2

_string(value, path) := text if {
	text := object.get(value, path, "")
	is_string(text)
} else := ""
