# METADATA
# title: What pods need
# description: |
#   The images that a pod needs to start. input is {pods: [{namespace, spec, made, seen}], accounts, mutations}: pod
#   specs, `made` being whether it is that of a pod and not of a template, and `seen` the names of the pull secrets that
#   a pod of the template has, or null; names of pull secrets by namespace and ServiceAccount; and
#   data.outage.admission.found.
# scope: package
package outage.needs

import data.lib.images
import data.lib.pods

# METADATA
# title: What each of the pods needs
# description: |
#   {uses, credentials}. A use is {list, name, image, policies (that the pod may have), events (that start it again)};
#   `credentials` are what the kubelet may pull the images with.
# entrypoint: true
found := [_needs(pod) | some pod in input.pods]

_needs(pod) := {
	"uses": _uses(pod),
	"credentials": _credentials(pod),
}

_uses(pod) := [entry |
	some use in pods.uses(pod, {"group": "", "version": "v1", "kind": "Pod"}, [])
	events := _events(pod.spec, use)
	count(events) > 0
	entry := {
		"list": use.list,
		"name": use.name,
		"image": use.image,
		"policies": _policies(pod, use),
		"events": events,
	}
]

# -- what starts again

# Nobody waits for an image volume that nothing mounts.
_events(pod_spec, use) := {event |
	some list in ["containers", "initContainers"]
	some container in _list(pod_spec, list)
	some mount in container.volumeMounts
	mount.name == use.name
	some event in _events_of_container(pod_spec, {"list": list, "name": container.name})
} if {
	use.list == "volumes"
} else := _events_of_container(pod_spec, use)

_events_of_container(pod_spec, use) := {"lose", "replace"} | _in_place(pod_spec, use) if {
	use.list != "ephemeralContainers"
} else := set()

_in_place(pod_spec, use) := {event |
	some event, happens in {
		"reboot": object.get(pod_spec, "restartPolicy", "Always") != "Never",
		"restart": _restarts(use.list, _restart_policy(pod_spec, use)),
	}
	happens
}

_restarts("containers", policy) if {
	policy != "Never"
} else := false

# Init containers are done once the pod runs, unless they are sidecars.
_restarts("initContainers", policy) if {
	policy == "Always"
} else := false

_restart_policy(pod_spec, use) := stated[0] if {
	stated := [container.restartPolicy |
		some container in _list(pod_spec, use.list)
		container.name == use.name
		is_string(container.restartPolicy)
	]
	count(stated) > 0
} else := object.get(pod_spec, "restartPolicy", "Always") if {
	use.list == "containers"
} else := ""

# -- with which pull policy

_policies(pod, use) := [policy] if {
	pod.made
	policy := images.effective_policy(use.stated, use.image)
} else := policies if {
	stated := images.effective_policy(use.stated, use.image)
	policies := _changed_policies(stated, use, object.get(input.mutations, pod.namespace, []))
}

# Whoever is certain to change it settles it; of the others each may.
_changed_policies(stated, use, mutations) := [policy | some policy in possible] if {
	certain := [_changed(mutation, stated, use) | some mutation in mutations; mutation.certain]
	before := array.concat([stated], certain)
	settled := before[count(before) - 1]
	possible := {settled} | {_changed(mutation, settled, use) | some mutation in mutations; not mutation.certain}
}

_changed(mutation, stated, use) := stated if {
	mutation.onlyPinned
	_stays(stated, use)
} else := mutation.value

_stays(stated, _) if stated != "Always"

_stays(_, use) if not images.pinned(use.image)

# -- with which credentials

# The API server fills in the pull secrets of the ServiceAccount where a pod states none. If that is not known, the pods
# tell what it has filled in.
_credentials(pod) := {_secret(pod.namespace, secret.name) |
	some secret in _list(pod.spec, "imagePullSecrets")
	is_string(secret.name)
} if {
	_states_secrets(pod)
} else := {_secret(pod.namespace, name) | some name in input.accounts[pod.namespace][_account(pod.spec)]} if {
	input.accounts[pod.namespace][_account(pod.spec)]
} else := {_secret(pod.namespace, name) | some name in pod.seen} if {
	is_array(pod.seen)
} else := {sprintf("ServiceAccount %s/%s", [pod.namespace, _account(pod.spec)])}

_states_secrets(pod) if pod.made

_states_secrets(pod) if count(_list(pod.spec, "imagePullSecrets")) > 0

_secret(namespace, name) := sprintf("Secret %s/%s", [namespace, name])

_account(pod_spec) := name if {
	name := pod_spec.serviceAccountName
	is_string(name)
	name != ""
} else := "default"

_list(value, field) := found_list if {
	found_list := object.get(value, field, [])
	is_array(found_list)
} else := []
