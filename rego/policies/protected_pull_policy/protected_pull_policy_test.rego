package policies.protected_pull_policy_test

import data.policies.protected_pull_policy as policy

_defaults := {
	"allowedPolicies": ["IfNotPresent", "Never"],
	"exemptImages": [],
	"customKinds": [],
	"controlledPods": "audit",
}

_digest := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

_set_it := "set imagePullPolicy: IfNotPresent"

_pin_it := "pin it first (tag or digest), then set imagePullPolicy: IfNotPresent"

_violations(review, parameters) := result if {
	result := policy.violation with input as {"review": review, "parameters": parameters}
}

_messages(review, parameters) := {violation.msg | some violation in _violations(review, parameters)}

_review(group, kind, resource) := {
	"kind": {"group": group, "version": "v1", "kind": kind},
	"object": resource,
	"oldObject": null,
	"operation": "",
}

_pod(spec) := _review("", "Pod", {"spec": spec})

_container(image, stated) := {"name": "a", "image": image, "imagePullPolicy": stated}

_at_admission(operation, review) := object.union(review, {"operation": operation})

_update(review, old) := object.union(review, {"operation": "UPDATE", "oldObject": old})

test_what_a_container_is_told[name] if {
	always := "container \"a\" image \"%s\": imagePullPolicy is Always: cannot start without its registry; %s"
	some name, [image, stated, messages] in {
		"stated, pinned by a tag": ["x:1", "Always", {sprintf(always, ["x:1", _set_it])}],
		"stated, pinned by a digest": [
			concat("@", ["x", _digest]),
			"Always",
			{sprintf(always, [concat("@", ["x", _digest]), _set_it])},
		],
		"stated, floating": ["x:stable", "Always", {sprintf(always, ["x:stable", _pin_it])}],
		"stated, no tag": ["x", "Always", {sprintf(always, ["x", _pin_it])}],
		"stated, unparsable": ["X:1", "Always", {sprintf(always, ["X:1", _set_it])}],
		"stated, image a number": [7, "Always", {sprintf(always, ["7", _pin_it])}],
		"implied by the tag": ["x:latest", null, {concat("", [
			"container \"a\" image \"x:latest\": no imagePullPolicy and tag latest mean Always: ",
			"cannot start without its registry; ",
			_pin_it,
		])}],
		"implied for want of a tag": ["h:5000/x", "", {concat("", [
			"container \"a\" image \"h:5000/x\": no imagePullPolicy and no tag mean Always: cannot start without its registry; ",
			_pin_it,
		])}],
		"implied by the tag beside a digest": [concat("@", ["x:latest", _digest]), null, {concat("", [
			"container \"a\" image \"x:latest@",
			_digest,
			"\": no imagePullPolicy and tag latest mean Always: cannot start without its registry; ",
			"set imagePullPolicy: IfNotPresent",
		])}],
		"wrong case": ["x:1", "always", {concat("", [
			"container \"a\" image \"x:1\": imagePullPolicy \"always\" is not one of Always, IfNotPresent, Never; ",
			_set_it,
		])}],
		"wrong case, floating": ["x:main", "always", {concat("", [
			"container \"a\" image \"x:main\": imagePullPolicy \"always\" is not one of Always, IfNotPresent, Never; ",
			_pin_it,
		])}],
		"a number": ["x:1", 1, {concat("", [
			"container \"a\" image \"x:1\": imagePullPolicy \"1\" is not one of Always, IfNotPresent, Never; ",
			_set_it,
		])}],
		"a list": ["x:1", ["Always", "Always"], {concat("", [
			"container \"a\" image \"x:1\": imagePullPolicy \"[\"Alwa...lways\"]\" is not one of Always, IfNotPresent, Never; ",
			_set_it,
		])}],
		"IfNotPresent": ["x:latest", "IfNotPresent", set()],
		"Never": ["x", "Never", set()],
		"implied, and allowed": ["x:1", null, {concat("", [
			"container \"a\" image \"x:1\": no imagePullPolicy, so a live object keeps the one it has, be it Always; ",
			_set_it,
		])}],
		"implied, and allowed, floating": ["x:stable", "", {concat("", [
			"container \"a\" image \"x:stable\": no imagePullPolicy, so a live object keeps the one it has, be it Always; ",
			_pin_it,
		])}],
		"not stated, unparsable": ["X", null, set()],
		"nothing but a name": [null, null, set()],
	}
	_messages(_pod({"containers": [_container(image, stated)]}), _defaults) == messages
}

test_details[name] if {
	some name, [resource, details] in {
		"stated": [{"containers": [_container("y:1", "Never"), _container("x:1", "Always")]}, {
			"path": "spec.containers[1]", "stated": "Always", "effective": "Always", "image": "x:1", "reason": "always",
			"fix": {"path": "spec.containers[1].imagePullPolicy", "value": "IfNotPresent"},
		}],
		"implied": [{"initContainers": [{"name": "a", "image": "x"}]}, {
			"path": "spec.initContainers[0]", "stated": null, "effective": "Always", "image": "x", "reason": "always",
			"fix": null,
		}],
		"invalid": [{"ephemeralContainers": [_container("x:1", "ALWAYS")]}, {
			"path": "spec.ephemeralContainers[0]",
			"stated": "ALWAYS",
			"effective": "ALWAYS",
			"image": "x:1",
			"reason": "invalid",
			"fix": null,
		}],
		"image volume, pinned": [{"volumes": [{"image": {"reference": "x:1", "pullPolicy": "Always"}}]}, {
			"path": "spec.volumes[0]", "stated": "Always", "effective": "Always", "image": "x:1", "reason": "always",
			"fix": {"path": "spec.volumes[0].image.pullPolicy", "value": "IfNotPresent"},
		}],
		"a digest beside the tag latest": [{"containers": [_container(concat("@", ["x:latest", _digest]), null)]}, {
			"path": "spec.containers[0]", "stated": null, "effective": "Always", "image": concat("@", ["x:latest", _digest]),
			"reason": "always", "fix": {"path": "spec.containers[0].imagePullPolicy", "value": "IfNotPresent"},
		}],
		"a floating tag": [{"containers": [_container("x:main", "Always")]}, {
			"path": "spec.containers[0]", "stated": "Always", "effective": "Always", "image": "x:main", "reason": "always",
			"fix": null,
		}],
		"a template": [{"containers": [_container("x:{{ .Values.tag }}", "Always")]}, {
			"path": "spec.containers[0]", "stated": "Always", "effective": "Always", "image": "x:{{ .Values.tag }}",
			"reason": "always", "fix": null,
		}],
		"implied, and allowed": [{"containers": [_container("x:1", null)]}, {
			"path": "spec.containers[0]", "stated": null, "effective": "IfNotPresent", "image": "x:1", "reason": "implied",
			"onlyIfCertain": true, "fix": {"path": "spec.containers[0].imagePullPolicy", "value": "IfNotPresent"},
		}],
		"implied, and allowed, floating": [{"containers": [_container("x:main", "")]}, {
			"path": "spec.containers[0]", "stated": "", "effective": "IfNotPresent", "image": "x:main",
			"reason": "implied", "onlyIfCertain": true, "fix": null,
		}],
		"image volume": [{"volumes": [{"name": "v"}, {"name": "w", "image": {"reference": "x", "pullPolicy": ""}}]}, {
			"path": "spec.volumes[1]", "stated": "", "effective": "Always", "image": "x", "reason": "always",
			"fix": null,
		}],
	}
	[violation.details | some violation in _violations(_pod(resource), _defaults)] == [details]
}

test_each_list_has_its_noun if {
	spec := {
		"containers": [{"name": "a", "image": "x:1", "imagePullPolicy": "Always"}],
		"initContainers": [{"name": "b", "image": "x:1", "imagePullPolicy": "Always"}],
		"ephemeralContainers": [{"name": "c", "image": "x:1", "imagePullPolicy": "Always"}],
		"volumes": [{"name": "d", "image": {"reference": "x:1", "pullPolicy": "Always"}}, {"image": {"reference": "x"}}],
	}
	always := "%s \"%s\" image \"x:1\": %s is Always: cannot start without its registry; set %s: IfNotPresent"
	_messages(_pod(spec), _defaults) == {
		sprintf(always, ["container", "a", "imagePullPolicy", "imagePullPolicy"]),
		sprintf(always, ["init container", "b", "imagePullPolicy", "imagePullPolicy"]),
		sprintf(always, ["ephemeral container", "c", "imagePullPolicy", "imagePullPolicy"]),
		sprintf(always, ["image volume", "d", "pullPolicy", "pullPolicy"]),
		concat("", [
			"image volume \"(none)\" image \"x\": no pullPolicy and no tag mean Always: cannot start without its registry; ",
			"pin it first (tag or digest), then set pullPolicy: IfNotPresent",
		]),
	}
}

# However long and strange the parts are, the message keeps within what Gatekeeper's audit keeps, and says all that
# matters.
test_long_and_hostile_parts[name] if {
	long := concat("", [letter | some _ in numbers.range(1, 50); letter := "0123456789"])
	some name, [container, parts] in {
		"stated": [{"name": long, "image": long, "imagePullPolicy": "Always"}, ["Always", _pin_it]],
		"implied": [{"name": long, "image": concat("/", ["q.io", substring(long, 0, 250)])}, ["no tag mean Always", _pin_it]],
		"invalid": [
			{"name": long, "image": long, "imagePullPolicy": long},
			["is not one of Always, IfNotPresent, Never", _pin_it],
		],
		"beyond ascii": [{"name": "ü😀\n", "image": concat("", ["ü", long]), "imagePullPolicy": "Ä\u001b"}, [
			"ephemeral container \"???\" image \"?0",
			"\"??\" is not one of Always, IfNotPresent, Never",
			_pin_it,
		]],
	}
	some message in _messages(_pod({"ephemeralContainers": [container]}), _defaults)
	count(message) <= 256
	regex.match(`^[ -~]+$`, message)
	every part in parts {
		contains(message, part)
	}
}

test_kinds_without_pod_spec_pass[name] if {
	spec := {"containers": [_container("x:1", "Always")]}
	some name, review in {
		"scale": _review("autoscaling", "Scale", {"spec": {"replicas": 1}}),
		"custom resource": _review("example.com", "Rollout", {"spec": {"template": {"spec": spec}}}),
		"Knative Service": _review("example.com", "Service", {"spec": {"template": {"spec": spec}}}),
		"no object": {"kind": {"group": "", "version": "v1", "kind": "Pod"}, "object": null},
		"no kind": {"object": {"spec": spec}},
		"spec null": _pod(null),
		"spec a string": _pod("Always"),
		"containers null": _pod({"containers": null}),
		"containers a mapping": _pod({"containers": {"a": _container("x:1", "Always")}}),
		"containers of other types": _pod({"containers": [null, "Always", 7, ["Always"]]}),
		"volumes of other types": _pod({"volumes": [null, {"image": "x:latest"}, {"image": ["x"]}]}),
		"no template": _review("apps", "Deployment", {"spec": {"template": null}}),
	}
	_violations(review, _defaults) == set()
}

test_one_wrong_list_does_not_hide_another if {
	spec := {"containers": null, "volumes": "none", "initContainers": [7, _container("x:1", "Always")]}
	[violation.details.path | some violation in _violations(_pod(spec), _defaults)] == ["spec.initContainers[1]"]
}

test_every_built_in_kind[name] if {
	spec := {"containers": [_container("x:1", "Always")]}
	templated := {"spec": {"template": {"spec": spec}}}
	some name, [group, kind, resource, path] in {
		"PodTemplate": ["", "PodTemplate", {"template": {"spec": spec}}, "template.spec.containers[0]"],
		"CronJob": [
			"batch", "CronJob", {"spec": {"jobTemplate": templated}},
			"spec.jobTemplate.spec.template.spec.containers[0]",
		],
		"ReplicationController": ["", "ReplicationController", templated, "spec.template.spec.containers[0]"],
		"Deployment": ["apps", "Deployment", templated, "spec.template.spec.containers[0]"],
		"Job": ["batch", "Job", templated, "spec.template.spec.containers[0]"],
	}
	[violation.details.path | some violation in _violations(_review(group, kind, resource), _defaults)] == [path]
}

test_a_well_known_custom_resource if {
	rollout := {"spec": {"template": {"spec": {"containers": [_container("x:1", "Always")]}}}}
	review := _review("argoproj.io", "Rollout", rollout)
	[violation.details.path | some violation in _violations(review, _defaults)] == ["spec.template.spec.containers[0]"]
}

test_one_image_volume_is_enough_for_a_finding[name] if {
	spec := {
		"containers": [_container("x:1", "IfNotPresent")],
		"volumes": [{"name": "v", "image": {"reference": "x:1", "pullPolicy": "Always"}}],
	}
	some name, [review, path] in {
		"Pod": [_pod(spec), "spec.volumes[0]"],
		"Deployment": [
			_review("apps", "Deployment", {"spec": {"template": {"spec": spec}}}),
			"spec.template.spec.volumes[0]",
		],
	}
	[violation.details.path | some violation in _violations(review, _defaults)] == [path]
}

test_custom_kinds[name] if {
	jobs := [{"template": {"spec": {"containers": [_container(image, "Always")]}}} | some image in ["x:1", "y:1"]]
	review := _review("example.com", "Jobs", {"spec": {"jobs": jobs}})
	some name, [custom_kinds, paths] in {
		"given": [[{"group": "example.com", "kind": "Jobs", "paths": ["spec.jobs[].template.spec"]}], {
			"spec.jobs[0].template.spec.containers[0]",
			"spec.jobs[1].template.spec.containers[0]",
		}],
		"of another group": [[{"group": "example.org", "kind": "Jobs", "paths": ["spec.jobs[].template.spec"]}], set()],
		"wrong type": ["Jobs", set()],
		"null": [null, set()],
	}
	violations := _violations(review, object.union(_defaults, {"customKinds": custom_kinds}))
	{violation.details.path | some violation in violations} == paths
}

test_allowed_policies[name] if {
	spec := {"containers": [_container("x:1", "Always"), _container("y:1", "IfNotPresent"), _container("z:1", "Never")]}
	always := concat("", [
		"container \"a\" image \"x:1\": imagePullPolicy is Always: cannot start without its registry; ",
		"set imagePullPolicy: %s",
	])
	some name, [allowed, messages] in {
		"both": [["IfNotPresent", "Never"], {sprintf(always, ["IfNotPresent"])}],
		"Never": [["Never"], {
			sprintf(always, ["Never"]),
			"container \"a\" image \"y:1\": imagePullPolicy is IfNotPresent, not Never; set imagePullPolicy: Never",
		}],
		"IfNotPresent": [["IfNotPresent"], {
			sprintf(always, ["IfNotPresent"]),
			"container \"a\" image \"z:1\": imagePullPolicy is Never, not IfNotPresent; set imagePullPolicy: IfNotPresent",
		}],
		"wrong type counts as the default": ["Never", {sprintf(always, ["IfNotPresent"])}],
		"null counts as the default": [null, {sprintf(always, ["IfNotPresent"])}],
	}
	_messages(_pod(spec), object.union(_defaults, {"allowedPolicies": allowed})) == messages
}

# What is most often right is let go before its images are listed: nothing that is wrong goes with it.
test_what_is_wrong_is_found_where_all_else_is_right[name] if {
	right := _container("x:1", "IfNotPresent")
	template := {"template": {"spec": {"containers": [_container("x:1", "Always")]}}}
	some name, [review, allowed, path] in {
		"a container": [_pod({"containers": [right, _container("x:1", "Always")]}), ["IfNotPresent"], "spec.containers[1]"],
		"an image volume": [
			_pod({"containers": [right], "volumes": [{"name": "v", "image": {"reference": "x:1", "pullPolicy": "Always"}}]}),
			["IfNotPresent"],
			"spec.volumes[0]",
		],
		"what most configurations allow": [_pod({"containers": [right]}), ["Never"], "spec.containers[0]"],
		"a workload": [
			_review("apps", "Deployment", {"spec": template}),
			["IfNotPresent"],
			"spec.template.spec.containers[0]",
		],
	}
	violations := _violations(review, object.union(_defaults, {"allowedPolicies": allowed}))
	[violation.details.path | some violation in violations] == [path]
}

test_missing_parameters_count_as_their_defaults[name] if {
	some name, parameters in {"empty": {}, "null": null, "a string": "Never"}
	[violation.details.path |
		some violation in _violations(_pod({"containers": [_container("x:1", "Always")]}), parameters)
	] == ["spec.containers[0]"]
}

test_if_not_present_alone_is_judged_where_it_is_not_allowed if {
	parameters := object.union(_defaults, {"allowedPolicies": ["Never"]})
	count(_violations(_pod({"containers": [_container("x:1", "IfNotPresent")]}), parameters)) == 1
}

test_disallowed_has_a_reason_of_its_own if {
	parameters := object.union(_defaults, {"allowedPolicies": ["Never"]})
	review := _pod({"containers": [{"name": "a", "image": "x:1"}]})
	[violation.details | some violation in _violations(review, parameters)] == [{
		"path": "spec.containers[0]", "stated": null, "effective": "IfNotPresent", "image": "x:1", "reason": "disallowed",
		"fix": {"path": "spec.containers[0].imagePullPolicy", "value": "Never"},
	}]
}

test_exempt_images[name] if {
	some name, [exempt, image, violations] in {
		"exact": [["x:1"], "x:1", 0],
		"exact, not the prefix": [["x:1"], "x:1.2", 1],
		"prefix": [["quay.io/a/*"], "quay.io/a/b:1", 0],
		"prefix of another": [["quay.io/a/*"], "quay.io/ab:1", 1],
		"everything": [["*"], "x:1", 0],
		"written otherwise": [["docker.io/library/x:1"], "x:1", 1],
		"wrong type": ["x:1", "x:1", 1],
		"entries of the wrong type": [[7, null], "x:1", 1],
		"null": [null, "x:1", 1],
		"image of the wrong type": [["*"], 7, 1],
	}
	review := _pod({"containers": [_container(image, "Always")]})
	count(_violations(review, object.union(_defaults, {"exemptImages": exempt}))) == violations
}

_controlled_pod(spec) := _review("", "Pod", {
	"metadata": {"ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true}]},
	"spec": spec,
})

test_controlled_pods[name] if {
	spec := {"containers": [_container("x:1", "Always")], "ephemeralContainers": [_container("y:1", "Always")]}
	both := {"spec.containers[0]", "spec.ephemeralContainers[0]"}
	some name, [operation, controlled, paths] in {
		"audit": ["", "audit", both],
		"created": ["CREATE", "audit", {"spec.ephemeralContainers[0]"}],
		"updated": ["UPDATE", "audit", {"spec.ephemeralContainers[0]"}],
		"created, to be denied": ["CREATE", "deny", both],
		"created, parameter of the wrong type": ["CREATE", 7, {"spec.ephemeralContainers[0]"}],
	}
	review := _at_admission(operation, _controlled_pod(spec))
	violations := _violations(review, object.union(_defaults, {"controlledPods": controlled}))
	{violation.details.path | some violation in violations} == paths
}

test_bare_pods_and_workloads_are_judged_at_admission[name] if {
	spec := {"containers": [_container("x:1", "Always")]}
	some name, review in {
		"bare pod": _pod(spec),
		"workload": _review("apps", "Deployment", {"spec": {"template": {"spec": spec}}}),
	}
	every operation in ["CREATE", "UPDATE"] {
		count(_violations(_at_admission(operation, review), _defaults)) == 1
	}
}

test_update_judges_what_is_new_or_changed[name] if {
	old := {"spec": {
		"containers": [
			{"name": "a", "image": "x:1", "imagePullPolicy": "Always"},
			{"name": "b", "image": "y:latest"},
			{"name": "c", "image": "z:1", "imagePullPolicy": "always"},
		],
		"volumes": [{"name": "v", "image": {"reference": "w:latest"}}],
	}}
	some name, [spec, paths] in {
		"the same": [old.spec, set()],
		"another order": [{"containers": [old.spec.containers[2], old.spec.containers[1], old.spec.containers[0]]}, set()],
		"written otherwise": [{"containers": [{"name": "b", "image": "y:latest", "imagePullPolicy": "Always"}]}, set()],
		"another image": [
			{"containers": [{"name": "a", "image": "x:2", "imagePullPolicy": "Always"}]},
			{"spec.containers[0]"},
		],
		"another name": [
			{"containers": [{"name": "d", "image": "x:1", "imagePullPolicy": "Always"}]},
			{"spec.containers[0]"},
		],
		"another policy": [
			{"containers": [{"name": "c", "image": "z:1", "imagePullPolicy": "Always"}]},
			{"spec.containers[0]"},
		],
		"another list": [{"initContainers": [old.spec.containers[0]]}, {"spec.initContainers[0]"}],
		"one more": [
			{"containers": array.concat(old.spec.containers, [{"name": "e", "image": "e"}])},
			{"spec.containers[3]"},
		],
		"a changed volume": [{"volumes": [{"name": "v", "image": {"reference": "w"}}]}, {"spec.volumes[0]"}],
	}
	violations := _violations(_update(_pod(spec), old), _defaults)
	{violation.details.path | some violation in violations} == paths
}

test_update_without_old_object_judges_all[name] if {
	some name, old in {"null": null, "no spec": {}, "wrong type": "pod", "wrong list": {"spec": {"containers": "a"}}}
	review := _update(_pod({"containers": [_container("x:1", "Always")]}), old)
	[violation.details.path | some violation in _violations(review, _defaults)] == ["spec.containers[0]"]
}

test_old_object_counts_for_updates_only[name] if {
	resource := {"spec": {"containers": [_container("x:1", "Always")]}}
	some name, operation in {"audit": "", "create": "CREATE"}
	review := object.union(_review("", "Pod", resource), {"operation": operation, "oldObject": resource})
	count(_violations(review, _defaults)) == 1
}

test_deletion_and_connection_are_never_blocked[operation] if {
	some operation in ["DELETE", "CONNECT"]
	_violations(_at_admission(operation, _pod({"containers": [_container("x:1", "Always")]})), _defaults) == set()
}

test_review_without_operation_is_judged_as_in_audit if {
	review := object.remove(_pod({"containers": [_container("x:1", "Always")]}), ["operation"])
	[violation.details.path | some violation in _violations(review, _defaults)] == ["spec.containers[0]"]
}
