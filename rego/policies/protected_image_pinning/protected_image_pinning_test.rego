package policies.protected_image_pinning_test

import data.lib.images
import data.policies.protected_image_pinning as policy

_defaults := {
	"require": "tag",
	"floatingTags": images.floating_tags,
	"exemptImages": [],
	"customKinds": [],
	"controlledPods": "audit",
}

_digests := object.union(_defaults, {"require": "digest"})

_digest := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

_either := "a fixed tag or a digest"

_violations(review, parameters) := result if {
	result := policy.violation with input as {"review": review, "parameters": parameters}
}

_messages(review, parameters) := {violation.msg | some violation in _violations(review, parameters)}

_reasons(review, parameters) := [violation.details.reason | some violation in _violations(review, parameters)]

_paths(review, parameters) := {violation.details.path | some violation in _violations(review, parameters)}

_review(group, kind, resource) := {
	"kind": {"group": group, "version": "v1", "kind": kind},
	"object": resource,
	"oldObject": null,
	"operation": "",
}

_pod(spec) := _review("", "Pod", {"spec": spec})

_running(image) := _pod({"containers": [{"name": "a", "image": image}]})

_at_admission(operation, review) := object.union(review, {"operation": operation})

_update(review, old) := object.union(review, {"operation": "UPDATE", "oldObject": old})

test_what_a_container_is_told[name] if {
	untagged := "container \"a\" image \"%s\": no tag means latest, which moves to other images; pin %s"
	floating := "container \"a\" image \"%s\": tag %s moves to other images; pin %s"
	undigested := "container \"a\" image \"%s\": a tag can be moved to other images; pin a digest"
	invalid := "container \"a\" image \"%s\": is not a reference that Kubernetes can parse; write one with %s"
	some name, [image, parameters, message] in {
		"no tag": ["x", _defaults, sprintf(untagged, ["x", _either])],
		"no tag behind a port": ["h:5000/x", _defaults, sprintf(untagged, ["h:5000/x", _either])],
		"no tag, digests required": ["x", _digests, sprintf(untagged, ["x", "a digest"])],
		"floating": ["q.io/x:stable", _defaults, sprintf(floating, ["q.io/x:stable", "stable", _either])],
		"floating, digests required": ["x:latest", _digests, sprintf(floating, ["x:latest", "latest", "a digest"])],
		"floating in another case": ["x:Main", _defaults, sprintf(floating, ["x:Main", "Main", _either])],
		"floating by a glob": ["x:1-SNAPSHOT", _defaults, sprintf(floating, ["x:1-SNAPSHOT", "1-SNAPSHOT", _either])],
		"fixed tag, digests required": ["x:1", _digests, sprintf(undigested, ["x:1"])],
		"invalid": ["Nginx:1", _defaults, sprintf(invalid, ["Nginx:1", _either])],
		"invalid, digests required": ["Nginx:1", _digests, sprintf(invalid, ["Nginx:1", "a digest"])],
		"a tag of no characters": ["x:", _defaults, sprintf(invalid, ["x:", _either])],
		"a digest of too few digits": ["x@sha256:abc", _defaults, sprintf(invalid, ["x@sha256:abc", _either])],
		"a space": ["x:1 ", _defaults, sprintf(invalid, ["x:1 ", _either])],
		"a placeholder": ["${IMAGE}", _defaults, sprintf(invalid, ["${IMAGE}", _either])],
		"a number": [7, _defaults, sprintf(invalid, ["7", _either])],
		"a list": [["x:1"], _defaults, sprintf(invalid, ["[\"x:1\"]", _either])],
	}
	_messages(_running(image), parameters) == {message}
}

test_pinned_images_pass[name] if {
	some name, [image, parameters] in {
		"a tag": ["nginx:1.27.1-alpine", _defaults],
		"a tag behind a port": ["h:5000/x:1", _defaults],
		"a tag that only begins like a floating one": ["x:mainly", _defaults],
		"a tag in a long name": [sprintf("123456789012.dkr.ecr.eu-west-1.amazonaws.com/%s:v1", [_digest_hex]), _defaults],
		"a tag behind a domain in upper case": ["UPPER/x:1", _defaults],
		"a digest": [concat("@", ["x", _digest]), _defaults],
		"a digest of another length": [concat("", ["x@sha384:", _digest_hex, substring(_digest_hex, 0, 32)]), _defaults],
		"a digest beside a floating tag": [concat("@", ["x:latest", _digest]), _defaults],
		"a required digest": [concat("@", ["h:5000/a/x", _digest]), _digests],
		"a required digest beside a tag": [concat("@", ["x:latest", _digest]), _digests],
	}
	_violations(_running(image), parameters) == set()
}

_digest_hex := trim_prefix(_digest, "sha256:")

# Something else fills it in, or the API server refuses it: there is nothing to pin.
test_no_image_passes[name] if {
	some name, spec in {
		"missing": {"containers": [{"name": "a"}]},
		"null": {"containers": [{"name": "a", "image": null}]},
		"empty": {"containers": [{"name": "a", "image": ""}]},
		"image volume": {"volumes": [{"name": "v", "image": {}}, {"name": "w", "image": {"reference": ""}}]},
	}
	every parameters in [_defaults, _digests] {
		_violations(_pod(spec), parameters) == set()
	}
}

test_details[name] if {
	some name, [spec, parameters, details] in {
		"untagged": [{"containers": [{"name": "a", "image": "y:1"}, {"name": "b", "image": "x"}]}, _defaults, {
			"path": "spec.containers[1]", "image": "x", "tag": null, "required": "tag", "reason": "untagged",
			"pin": {"path": "spec.containers[1].image", "stated": "x", "then": {
				"path": "spec.containers[1].imagePullPolicy", "stated": null, "value": "IfNotPresent",
			}},
		}],
		"floating": [{"initContainers": [{"name": "a", "image": "x:edge", "imagePullPolicy": "Always"}]}, _defaults, {
			"path": "spec.initContainers[0]", "image": "x:edge", "tag": "edge", "required": "tag", "reason": "floating",
			"pin": {"path": "spec.initContainers[0].image", "stated": "x:edge", "then": {
				"path": "spec.initContainers[0].imagePullPolicy", "stated": "Always", "value": "IfNotPresent",
			}},
		}],
		"undigested": [{"ephemeralContainers": [{"name": "a", "image": "x:1", "imagePullPolicy": "Never"}]}, _digests, {
			"path": "spec.ephemeralContainers[0]", "image": "x:1", "tag": "1", "required": "digest", "reason": "undigested",
			"pin": {"path": "spec.ephemeralContainers[0].image", "stated": "x:1", "then": null},
		}],
		"image volume": [{"volumes": [{"name": "w", "image": {"reference": "x"}}]}, _defaults, {
			"path": "spec.volumes[0]", "image": "x", "tag": null, "required": "tag", "reason": "untagged",
			"pin": {"path": "spec.volumes[0].image.reference", "stated": "x", "then": {
				"path": "spec.volumes[0].image.pullPolicy", "stated": null, "value": "IfNotPresent",
			}},
		}],
		"invalid": [{"volumes": [{"name": "v"}, {"name": "w", "image": {"reference": "X:1"}}]}, _defaults, {
			"path": "spec.volumes[1]", "image": "X:1", "tag": null, "required": "tag", "reason": "invalid", "pin": null,
		}],
	}
	[violation.details | some violation in _violations(_pod(spec), parameters)] == [details]
}

test_each_list_has_its_noun if {
	spec := {
		"containers": [{"name": "a", "image": "x"}],
		"initContainers": [{"name": "b", "image": "x"}],
		"ephemeralContainers": [{"name": "c", "image": "x"}],
		"volumes": [{"name": "d", "image": {"reference": "x"}}, {"image": {"reference": "x"}}],
	}
	problem := "image \"x\": no tag means latest, which moves to other images; pin a fixed tag or a digest"
	_messages(_pod(spec), _defaults) == {concat(" ", [noun, problem]) |
		some noun in [
			"container \"a\"",
			"init container \"b\"",
			"ephemeral container \"c\"",
			"image volume \"d\"",
			"image volume \"(none)\"",
		]
	}
}

# However long and strange the parts are, the message keeps within what Gatekeeper's audit keeps, and says all that
# matters.
test_long_and_hostile_parts[name] if {
	long := concat("", [letter | some _ in numbers.range(1, 50); letter := "0123456789"])
	some name, [image, tags, parts] in {
		"untagged": [concat("", ["q.io/", substring(long, 0, 250)]), [], ["q.io/", "no tag means latest", _either]],
		"floating": [
			concat("", ["x:", substring(long, 0, 128)]),
			["*"],
			["tag 01234", "...", "moves to other images", _either],
		],
		"invalid": [long, [], ["is not a reference that Kubernetes can parse", _either]],
		"beyond ascii": [concat("", ["ü\n\u001b", long]), [], ["image \"???0", _either]],
	}
	spec := {"ephemeralContainers": [{"name": concat("", ["ü", long]), "image": image}]}
	some message in _messages(_pod(spec), object.union(_defaults, {"floatingTags": tags}))
	startswith(message, "ephemeral container \"?0123")
	count(message) <= 256
	regex.match(`^[ -~]+$`, message)
	every part in parts {
		contains(message, part)
	}
}

test_floating_tags[name] if {
	some name, [tags, image, reasons] in {
		"exact": [["v1"], "x:v1", ["floating"]],
		"exact, not the prefix": [["v1"], "x:v1.2", []],
		"prefix": [["v1*"], "x:v1.2", ["floating"]],
		"suffix": [["*-dev"], "h:5000/x:1-dev", ["floating"]],
		"part": [["*rc*"], "x:1-rc.1", ["floating"]],
		"another case": [["RC*"], "x:rc1", ["floating"]],
		"a dot is a dot": [["1.2"], "x:1-2", []],
		"everything": [["*"], "x:1", ["floating"]],
		"everything but digests": [["*"], concat("@", ["x:1", _digest]), []],
		"not the default ones": [["v1"], "x:main", []],
		"none": [[], "x:latest", []],
		"none, but no tag is no tag": [[], "x", ["untagged"]],
		"what is no glob": [["(", "main)?"], "x:main", []],
		"wrong type counts as the default": ["v1", "x:main", ["floating"]],
		"wrong type counts as the default for others": ["v1", "x:v1", []],
		"entries of the wrong type count as the default": [[7, "v1"], "x:main", ["floating"]],
		"null counts as the default": [null, "x:main", ["floating"]],
	}
	_reasons(_running(image), object.union(_defaults, {"floatingTags": tags})) == reasons
}

test_required[name] if {
	some name, [required, reasons] in {
		"tag": ["tag", []],
		"digest": ["digest", ["undigested"]],
		"unknown counts as the default": ["name", []],
		"wrong type counts as the default": [["digest"], []],
		"null counts as the default": [null, []],
	}
	_reasons(_running("x:1"), object.union(_defaults, {"require": required})) == reasons
}

test_missing_parameters_count_as_their_defaults[name] if {
	images_used := [{"name": "a", "image": image} | some image in ["x:1", "x:main", "x", "X", "x:1-SNAPSHOT"]]
	some name, parameters in {"empty": {}, "null": null, "a string": "digest"}
	_paths(_pod({"containers": images_used}), parameters) == {
		"spec.containers[1]", "spec.containers[2]", "spec.containers[3]", "spec.containers[4]",
	}
}

test_one_offender_among_many[name] if {
	containers := [{"name": "a", "image": fine} | some fine in ["x:1", "q.io/a/b:v1.2-x", concat("@", ["x", _digest])]]
	some name, image in {"untagged": "x", "floating": "x:edge", "invalid": "X", "another image in its text": "x:1\",\"x:1"}
	_paths(
		_pod({"containers": array.concat(containers, [{"name": "z", "image": image}])}),
		_defaults,
	) == {"spec.containers[3]"}
}

test_kinds_without_pod_spec_pass[name] if {
	spec := {"containers": [{"name": "a", "image": "x"}]}
	some name, review in {
		"scale": _review("autoscaling", "Scale", {"spec": {"replicas": 1}}),
		"custom resource": _review("example.com", "Rollout", {"spec": {"template": {"spec": spec}}}),
		"no object": {"kind": {"group": "", "version": "v1", "kind": "Pod"}, "object": null},
		"no kind": {"object": {"spec": spec}},
		"spec null": _pod(null),
		"spec a string": _pod("x"),
		"containers null": _pod({"containers": null}),
		"containers a mapping": _pod({"containers": {"a": {"name": "a", "image": "x"}}}),
		"containers of other types": _pod({"containers": [null, "x", 7, ["x"]]}),
		"volumes of other types": _pod({"volumes": [null, {"image": "x"}, {"image": ["x"]}]}),
		"no template": _review("apps", "Deployment", {"spec": {"template": null}}),
	}
	_violations(review, _defaults) == set()
}

test_one_wrong_list_does_not_hide_another if {
	spec := {"containers": null, "volumes": "none", "initContainers": [7, {"name": "a", "image": "x"}]}
	_paths(_pod(spec), _defaults) == {"spec.initContainers[1]"}
}

test_every_built_in_kind[name] if {
	spec := {"containers": [{"name": "a", "image": "x"}]}
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
	_paths(_review(group, kind, resource), _defaults) == {path}
}

test_custom_kinds[name] if {
	jobs := [{"template": {"spec": {"containers": [{"name": "a", "image": image}]}}} | some image in ["x", "x:1", "y"]]
	review := _review("example.com", "Jobs", {"spec": {"jobs": jobs}})
	some name, [custom_kinds, paths] in {
		"given": [[{"group": "example.com", "kind": "Jobs", "paths": ["spec.jobs[].template.spec"]}], {
			"spec.jobs[0].template.spec.containers[0]",
			"spec.jobs[2].template.spec.containers[0]",
		}],
		"of another group": [[{"group": "example.org", "kind": "Jobs", "paths": ["spec.jobs[].template.spec"]}], set()],
		"wrong type": ["Jobs", set()],
		"null": [null, set()],
	}
	_paths(review, object.union(_defaults, {"customKinds": custom_kinds})) == paths
}

test_exempt_images[name] if {
	some name, [exempt, image, reasons] in {
		"exact": [["x:dev"], "x:dev", []],
		"exact, not the prefix": [["x:dev"], "x:devel", ["floating"]],
		"prefix": [["quay.io/a/*"], "quay.io/a/b", []],
		"prefix of another": [["quay.io/a/*"], "quay.io/ab", ["untagged"]],
		"what is no reference": [["${IMAGE}"], "${IMAGE}", []],
		"everything": [["*"], "x", []],
		"wrong type": ["x", "x", ["untagged"]],
		"entries of the wrong type": [[7, null], "x", ["untagged"]],
		"null": [null, "x", ["untagged"]],
		"image of the wrong type": [["*"], 7, ["invalid"]],
	}
	_reasons(_running(image), object.union(_defaults, {"exemptImages": exempt})) == reasons
}

_controlled_pod(spec) := _review("", "Pod", {
	"metadata": {"ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true}]},
	"spec": spec,
})

test_controlled_pods[name] if {
	spec := {"containers": [{"name": "a", "image": "x"}], "ephemeralContainers": [{"name": "b", "image": "x"}]}
	both := {"spec.containers[0]", "spec.ephemeralContainers[0]"}
	some name, [operation, controlled, paths] in {
		"audit": ["", "audit", both],
		"created": ["CREATE", "audit", {"spec.ephemeralContainers[0]"}],
		"updated": ["UPDATE", "audit", {"spec.ephemeralContainers[0]"}],
		"created, to be denied": ["CREATE", "deny", both],
		"created, parameter of the wrong type": ["CREATE", 7, {"spec.ephemeralContainers[0]"}],
	}
	review := _at_admission(operation, _controlled_pod(spec))
	_paths(review, object.union(_defaults, {"controlledPods": controlled})) == paths
}

test_bare_pods_and_workloads_are_judged_at_admission[name] if {
	spec := {"containers": [{"name": "a", "image": "x"}]}
	some name, [review, path] in {
		"bare pod": [_pod(spec), "spec.containers[0]"],
		"workload": [
			_review("apps", "Deployment", {"spec": {"template": {"spec": spec}}}),
			"spec.template.spec.containers[0]",
		],
	}
	every operation in ["CREATE", "UPDATE"] {
		_paths(_at_admission(operation, review), _defaults) == {path}
	}
}

test_update_judges_what_is_new_or_changed[name] if {
	old := {"spec": {
		"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y:main"}, {"name": "c", "image": "Z"}],
		"volumes": [{"name": "v", "image": {"reference": "w"}}],
	}}
	some name, [spec, paths] in {
		"the same": [old.spec, set()],
		"another order": [{"containers": [old.spec.containers[2], old.spec.containers[1], old.spec.containers[0]]}, set()],
		"another pull policy": [{"containers": [{"name": "a", "image": "x", "imagePullPolicy": "Never"}]}, set()],
		"another image": [{"containers": [{"name": "a", "image": "x2"}]}, {"spec.containers[0]"}],
		"another floating tag": [{"containers": [{"name": "b", "image": "y:edge"}]}, {"spec.containers[0]"}],
		"a fixed tag": [{"containers": [{"name": "b", "image": "y:1"}]}, set()],
		"another name": [{"containers": [{"name": "d", "image": "x"}]}, {"spec.containers[0]"}],
		"another list": [{"initContainers": [old.spec.containers[0]]}, {"spec.initContainers[0]"}],
		"one more": [
			{"containers": array.concat(old.spec.containers, [{"name": "e", "image": "e"}])},
			{"spec.containers[3]"},
		],
		"a changed volume": [{"volumes": [{"name": "v", "image": {"reference": "w2"}}]}, {"spec.volumes[0]"}],
	}
	_paths(_update(_pod(spec), old), _defaults) == paths
}

test_update_without_old_object_judges_all[name] if {
	some name, old in {"null": null, "no spec": {}, "wrong type": "pod", "wrong list": {"spec": {"containers": "a"}}}
	_paths(_update(_running("x"), old), _defaults) == {"spec.containers[0]"}
}

test_old_object_counts_for_updates_only[name] if {
	resource := {"spec": {"containers": [{"name": "a", "image": "x"}]}}
	some name, operation in {"audit": "", "create": "CREATE"}
	review := object.union(_review("", "Pod", resource), {"operation": operation, "oldObject": resource})
	_paths(review, _defaults) == {"spec.containers[0]"}
}

test_deletion_and_connection_are_never_blocked[operation] if {
	some operation in ["DELETE", "CONNECT"]
	_violations(_at_admission(operation, _running("x")), _defaults) == set()
}

test_review_without_operation_is_judged_as_in_audit if {
	review := object.remove(_running("x"), ["operation"])
	_paths(review, _defaults) == {"spec.containers[0]"}
}

_is_let_go(image, change) if {
	parameters := object.union(_defaults, change)
	not policy._is_suspect with input as {"review": _running(image), "parameters": parameters}
}

# Nothing else differs, but what a review costs: see docs/benchmarks.md.
test_pinned_plainly[image] if {
	some image in [
		"x:1",
		"q.io/a/b:v1.2.3",
		"q.io:5000/a/b:1.2.3-alpine3.20-r1",
		concat("@", ["x:latest", _digest]),
		concat("@", ["q.io/x", _digest]),
	]
	_is_let_go(image, {})
	_reasons(_running(image), _defaults) == []
}

test_not_pinned_plainly[name] if {
	some name, [image, change] in {
		"no tag": ["x", {}],
		"a tag that may move": ["x:1-latest", {}],
		"another one": ["x:1-SNAPSHOT", {}],
		"no version": ["x:release-1", {}],
		"a digest is asked for": [concat("@", ["x", _digest]), {"require": "digest"}],
		"other tags move": ["x:1", {"floatingTags": ["1"]}],
		"no text": [7, {}],
	}
	not _is_let_go(image, change)
}

test_a_well_known_custom_resource[name] if {
	some name, [image, paths] in {
		"not pinned": ["x", {"spec.template.spec.containers[0]"}],
		"filled in later": ["$(params.image)", set()],
	}
	rollout := {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": image}]}}}}
	_paths(_review("argoproj.io", "Rollout", rollout), _defaults) == paths
}

test_one_image_volume_is_enough_for_a_finding[name] if {
	spec := {"containers": [{"name": "a", "image": "x:1"}], "volumes": [{"name": "v", "image": {"reference": "y:main"}}]}
	some name, review in {
		"Pod": _pod(spec),
		"Deployment": _review("apps", "Deployment", {"spec": {"template": {"spec": spec}}}),
	}
	_reasons(review, _defaults) == ["floating"]
}

test_what_is_too_large_is_refused_where_it_is_suspect[name] if {
	many := [{"name": "a", "image": "x:1"} | some _ in numbers.range(1, 1000)]
	some name, [operation, last, reasons] in {
		"created": ["CREATE", "x", {"unjudged"}],
		"created, nothing odd": ["CREATE", "x:1", set()],
		"audit": ["", "x", {"untagged"}],
	}
	review := _at_admission(operation, _pod({"containers": array.concat(many, [{"name": "b", "image": last}])}))
	{violation.details.reason | some violation in _violations(review, _defaults)} == reasons
}
