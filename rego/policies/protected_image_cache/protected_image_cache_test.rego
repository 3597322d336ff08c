package policies.protected_image_cache_test

import data.policies.protected_image_cache as policy

_defaults := {
	"minNodes": 1,
	"maxImages": 50,
	"unknown": "violation",
	"exemptImages": [],
	"customKinds": [],
	"controlledPods": "audit",
}

_digest := "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

_inventory(nodes) := {"cluster": {"v1": {"Node": nodes}}}

_with(names) := {"status": {"images": [{"names": [name], "sizeBytes": 1} | some name in names]}}

# Two nodes in zone 1, of which one has the image x:1; one in zone 2, which has y:1 as well.
_nodes := {
	"a": object.union(_with(["docker.io/library/x:1"]), {"metadata": {"labels": {"zone": "1"}}}),
	"b": object.union(_with(["docker.io/library/z:1"]), {"metadata": {"labels": {"zone": "1"}}}),
	"c": object.union(_with(["docker.io/library/x:1", "docker.io/library/y:1"]), {"metadata": {"labels": {"zone": "2"}}}),
}

_violations(review, parameters, inventory) := result if {
	result := policy.violation with input as {"review": review, "parameters": parameters}
		with data.inventory as inventory
}

_found(review, change) := _violations(review, object.union(_defaults, change), _inventory(_nodes))

_messages(violations) := {violation.msg | some violation in violations}

_reasons(violations) := [violation.details.reason | some violation in violations]

_paths(violations) := {violation.details.path | some violation in violations}

_review(group, kind, resource) := {
	"kind": {"group": group, "version": "v1", "kind": kind},
	"object": resource,
	"oldObject": null,
	"operation": "",
}

_pod(spec) := _review("", "Pod", {"spec": spec})

_running(image) := _pod({"containers": [{"name": "a", "image": image}]})

_templated(group, kind, spec) := _review(group, kind, {"spec": {"template": {"spec": spec}}})

_absent := {"containers": [{"name": "a", "image": "w:1"}]}

_at_admission(operation, review) := object.union(review, {"operation": operation})

_update(review, old) := object.union(review, {"operation": "UPDATE", "oldObject": old})

_pull := "pre-pull it there and pin it (ctr -n k8s.io images pull, label io.cri-containerd.pinned=pinned)"

test_what_a_container_is_told[name] if {
	some name, [image, change, message] in {
		"missing": ["w:1", {}, sprintf("on 0 of 3 nodes that can run it; %s", [_pull])],
		"scarce": ["x:1", {"minNodes": 3}, sprintf("on 2 of 3 nodes that can run it, not 3; %s", [_pull])],
		"scarce, of all": ["y:1", {"minNodes": "100%"}, sprintf("on 1 of 3 nodes that can run it, not 3; %s", [_pull])],
		"unknown": ["w:1", {"maxImages": 2}, concat("", [
			"seen on 0 of 3 nodes that can run it, not 1, but 1 list only a part; ",
			"look there (crictl images) or raise nodeStatusMaxImages",
		])],
		"scarce among unknown": [
			"w:1", {"minNodes": 2, "maxImages": 2},
			sprintf("on 0 to 1 of 3 nodes that can run it, not 2; %s", [_pull]),
		],
		"invalid": [
			"W:1", {},
			"is not a reference that Kubernetes can parse, so no node has it; correct it, then pre-pull it and pin it",
		],
	}
	_messages(_found(_running(image), change)) == {sprintf("container \"a\" image \"%s\": %s", [image, message])}
}

test_one_node_is_one if {
	_messages(_found(_pod(object.union(_absent, {"nodeSelector": {"zone": "2"}})), {})) == {concat(" ", [
		"container \"a\" image \"w:1\": on 0 of 1 node that can run it;",
		_pull,
	])}
}

test_what_is_told_without_nodes[name] if {
	unsynced := "cannot tell which nodes have it, as no Node is in the inventory; sync v1 Nodes (SyncSet)"
	nowhere := concat("; ", [
		"its pod can run on 0 of 3 nodes (nodeSelector, affinity, taints)",
		"add a node for it, pre-pull it there and pin it",
	])
	spec := object.union(_absent, {"nodeSelector": {"zone": "3"}})
	some name, [inventory, reason, message] in {
		"no inventory": [{}, "unsynced", unsynced],
		"inventory null": [null, "unsynced", unsynced],
		"nothing of the cluster": [{"namespace": {}}, "unsynced", unsynced],
		"another version": [{"cluster": {"v2": {"Node": _nodes}}}, "unsynced", unsynced],
		"no Node": [_inventory({}), "unsynced", unsynced],
		"Nodes null": [_inventory(null), "unsynced", unsynced],
		"Nodes a string": [_inventory("a"), "unsynced", unsynced],
		"Nodes of other types": [_inventory({"a": null, "b": "b", "c": ["x:1"]}), "unsynced", unsynced],
		"no Node that fits": [_inventory(_nodes), "nowhere", nowhere],
	}
	every unknown in ["allow", "violation"] {
		violations := _violations(_pod(spec), object.union(_defaults, {"unknown": unknown}), inventory)
		_reasons(violations) == [reason]
		_messages(violations) == {sprintf("container \"a\" image \"w:1\": %s", [message])}
	}
}

# An answer that depends on the state of the cluster alone must not block what comes in.
test_admission_passes_without_nodes[operation] if {
	spec := object.union(_absent, {"nodeSelector": {"zone": "3"}})
	some operation in ["CREATE", "UPDATE"]
	_violations(_at_admission(operation, _pod(_absent)), _defaults, {}) == set()
	_found(_at_admission(operation, _pod(spec)), {}) == set()
}

# There is no pod of it, then.
test_a_daemon_without_nodes_passes if {
	spec := object.union(_absent, {"nodeSelector": {"zone": "3"}})
	_found(_templated("apps", "DaemonSet", spec), {}) == set()
	_reasons(_found(_templated("apps", "Deployment", spec), {})) == ["nowhere"]
	_reasons(_violations(_templated("apps", "DaemonSet", spec), _defaults, {})) == ["unsynced"]
}

test_details[name] if {
	some name, [spec, change, details] in {
		"missing": [{"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "w:1"}]}, {}, {
			"path": "spec.containers[1]", "image": "w:1", "reason": "missing",
			"nodes": {"total": 3, "fitting": 3, "required": 1, "present": 0, "missing": 3, "unknown": 0},
			"missingNodes": ["a", "b", "c"], "unknownNodes": [],
		}],
		"scarce": [
			{"initContainers": [{"name": "a", "image": "x:1"}], "nodeSelector": {"zone": "1"}},
			{"minNodes": 2},
			{
				"path": "spec.initContainers[0]", "image": "x:1", "reason": "scarce",
				"nodes": {"total": 3, "fitting": 2, "required": 2, "present": 1, "missing": 1, "unknown": 0},
				"missingNodes": ["b"], "unknownNodes": [],
			},
		],
		"unknown": [{"ephemeralContainers": [{"name": "a", "image": "y:1"}]}, {"minNodes": 2, "maxImages": 1}, {
			"path": "spec.ephemeralContainers[0]", "image": "y:1", "reason": "unknown",
			"nodes": {"total": 3, "fitting": 3, "required": 2, "present": 1, "missing": 0, "unknown": 2},
			"missingNodes": [], "unknownNodes": ["a", "b"],
		}],
		"nowhere": [
			{"volumes": [{"name": "v"}, {"name": "w", "image": {"reference": "x:1"}}], "nodeName": "d"},
			{},
			{
				"path": "spec.volumes[1]", "image": "x:1", "reason": "nowhere",
				"nodes": {"total": 3, "fitting": 0, "required": 0, "present": 0, "missing": 0, "unknown": 0},
				"missingNodes": [], "unknownNodes": [],
			},
		],
		"invalid": [{"containers": [{"name": "a", "image": "X:1"}]}, {"maxImages": 1}, {
			"path": "spec.containers[0]", "image": "X:1", "reason": "invalid",
			"nodes": {"total": 3, "fitting": 3, "required": 1, "present": 0, "missing": 3, "unknown": 0},
			"missingNodes": ["a", "b", "c"], "unknownNodes": [],
		}],
	}
	[violation.details | some violation in _found(_pod(spec), change)] == [details]
}

test_details_without_inventory if {
	[violation.details | some violation in _violations(_pod(_absent), _defaults, {})] == [{
		"path": "spec.containers[0]", "image": "w:1", "reason": "unsynced",
		"nodes": {"total": 0, "fitting": 0, "required": 0, "present": 0, "missing": 0, "unknown": 0},
		"missingNodes": [], "unknownNodes": [],
	}]
}

test_ten_names_of_nodes_are_enough if {
	many := {sprintf("n%02d", [number]): _with([]) | some number in numbers.range(1, 12)}
	full := {sprintf("f%02d", [number]): _with(["q.io/a:1", "q.io/b:1"]) | some number in numbers.range(1, 11)}
	parameters := object.union(_defaults, {"maxImages": 2, "minNodes": "100%"})
	some violation in _violations(_pod(_absent), parameters, _inventory(object.union(many, full)))
	violation.details.nodes == {"total": 23, "fitting": 23, "required": 23, "present": 0, "missing": 12, "unknown": 11}
	violation.details.missingNodes == [sprintf("n%02d", [number]) | some number in numbers.range(1, 10)]
	violation.details.unknownNodes == [sprintf("f%02d", [number]) | some number in numbers.range(1, 10)]
}

test_how_images_are_written[name] if {
	digest := concat("", ["docker.io/library/x", _digest])
	some name, [image, listed, reasons] in {
		"as the kubelet lists it": ["docker.io/library/x:1", ["docker.io/library/x:1"], []],
		"short": ["x:1", ["docker.io/library/x:1"], []],
		"short, listed short": ["docker.io/library/x:1", ["x:1"], []],
		"no tag": ["x", ["docker.io/library/x:latest"], []],
		"no tag, behind a port": ["h:5000/x", ["h:5000/x:latest"], []],
		"another tag": ["x:2", ["docker.io/library/x:1"], ["missing"]],
		"another registry": ["quay.io/x:1", ["docker.io/library/x:1"], ["missing"]],
		"a name that goes on": ["x:1", ["docker.io/library/x:1.2", "docker.io/library/xx:1"], ["missing"]],
		"a digest": [concat("", ["x", _digest]), [digest], []],
		"a digest beside a tag": [concat("", ["x:1", _digest]), [digest], []],
		"another digest": [concat("", ["x", _digest]), [replace(digest, "@sha256:0", "@sha256:1")], ["missing"]],
		"a digest, listed by tag only": [concat("", ["x:1", _digest]), ["docker.io/library/x:1"], ["missing"]],
		"a tag, listed by digest only": ["x:1", [digest], ["missing"]],
		"images without a name": ["x:1", ["<none>:<none>", "<none>@<none>"], ["missing"]],
	}
	_reasons(_violations(_running(image), _defaults, _inventory({"a": _with(listed)}))) == reasons
}

# Something else fills it in, or the API server refuses it: there is nothing to look for.
test_no_image_passes[name] if {
	some name, spec in {
		"missing": {"containers": [{"name": "a"}]},
		"null": {"containers": [{"name": "a", "image": null}]},
		"empty": {"containers": [{"name": "a", "image": ""}]},
		"image volume": {"volumes": [{"name": "v", "image": {}}, {"name": "w", "image": {"reference": ""}}]},
	}
	_found(_pod(spec), {}) == set()
	_violations(_pod(spec), _defaults, {}) == set()
}

test_what_is_no_reference_is_on_no_node[name] if {
	some name, image in {
		"upper case": "X:1",
		"a placeholder": "${IMAGE}",
		"a number": 7,
		"a list": ["x:1"],
		"a space": "x:1 ",
	}
	_reasons(_found(_running(image), {"maxImages": 1, "unknown": "allow"})) == ["invalid"]
	_reasons(_violations(_running(image), _defaults, {})) == ["invalid"]
}

test_each_list_has_its_noun if {
	spec := {
		"containers": [{"name": "a", "image": "w"}],
		"initContainers": [{"name": "b", "image": "w"}],
		"ephemeralContainers": [{"name": "c", "image": "w"}],
		"volumes": [{"name": "d", "image": {"reference": "w"}}, {"image": {"reference": "w"}}],
	}
	rest := sprintf("image \"w\": on 0 of 3 nodes that can run it; %s", [_pull])
	_messages(_found(_pod(spec), {})) == {concat(" ", [noun, rest]) |
		some noun in [
			"container \"a\"",
			"init container \"b\"",
			"ephemeral container \"c\"",
			"image volume \"d\"",
			"image volume \"(none)\"",
		]
	}
}

# The kubelet needs the image there, whether it may pull it or not.
test_pull_policies_do_not_matter if {
	every policy_stated in ["Always", "IfNotPresent", "Never", null, 7] {
		containers := [{"name": "a", "image": image, "imagePullPolicy": policy_stated} | some image in ["w:1", "x:1"]]
		_paths(_found(_pod({"containers": containers}), {})) == {"spec.containers[0]"}
	}
}

# However long and strange the parts are, the message keeps within what Gatekeeper's audit keeps, and says all that
# matters.
test_long_and_hostile_parts[name] if {
	long := concat("", [letter | some _ in numbers.range(1, 50); letter := "0123456789"])
	many := {sprintf("n%d", [number]): _with(["q.io/a:1"]) | some number in numbers.range(1, 100)}
	few := {sprintf("m%d", [number]): _with([]) | some number in numbers.range(1, 100)}
	inventory := _inventory(object.union(many, few))
	some name, [image, change, parts] in {
		"missing": [substring(long, 0, 240), {}, ["on 0 of 200 nodes", "pinned=pinned)"]],
		"scarce": [concat("", ["q.io/", substring(long, 0, 250)]), {"minNodes": "100%", "maxImages": 1}, [
			"q.io/", "on 0 to 100 of 200 nodes that can run it, not 200;", "pre-pull it there",
		]],
		"unknown": [concat("", ["q.io/", substring(long, 0, 250)]), {"minNodes": "50%", "maxImages": 1}, [
			"q.io/", "seen on 0 of 200 nodes that can run it, not 100, but 100 list only a part;", "raise nodeStatusMaxImages",
		]],
		"invalid": [long, {}, ["\" image \"0123", "so no node has it; correct it, then pre-pull it and pin it"]],
		"beyond ascii": [concat("", ["ü\n\u001b", long]), {}, ["\" image \"???0", "so no node has it"]],
	}
	spec := {"ephemeralContainers": [{"name": concat("", ["ü", long]), "image": image}]}
	some message in _messages(_violations(_pod(spec), object.union(_defaults, change), inventory))
	startswith(message, "ephemeral container \"?0123")
	count(message) <= 256
	regex.match(`^[ -~]+$`, message)
	every part in parts {
		contains(message, part)
	}
}

test_min_nodes[name] if {
	some name, [minimum, image, reasons] in {
		"one": [1, "y:1", []],
		"as many as there are": [2, "x:1", []],
		"one more": [3, "x:1", ["scarce"]],
		"one more, and none there": [3, "w:1", ["missing"]],
		"more than there are nodes": [100, "x:1", ["scarce"]],
		"a part": ["66%", "x:1", []],
		"a part, rounded up": ["67%", "x:1", ["scarce"]],
		"a small part": ["1%", "y:1", []],
		"a small part, and none there": ["1%", "w:1", ["missing"]],
		"all": ["100%", "x:1", ["scarce"]],
		"zero counts as the default": [0, "w:1", ["missing"]],
		"zero percent counts as the default": ["0%", "w:1", ["missing"]],
		"too large a part counts as the default": ["101%", "y:1", []],
		"a negative number counts as the default": [-1, "w:1", ["missing"]],
		"a fraction counts as the default": [2.5, "y:1", []],
		"a number in a string counts as the default": ["3", "y:1", []],
		"a line break counts as the default": ["100%\n", "y:1", []],
		"a wrong type counts as the default": [["100%"], "y:1", []],
		"null counts as the default": [null, "w:1", ["missing"]],
	}
	_reasons(_found(_running(image), {"minNodes": minimum})) == reasons
}

test_all_nodes_are_enough if {
	spec := {"containers": [{"name": "a", "image": "x:1"}], "nodeSelector": {"zone": "2"}}
	every minimum in [1, 2, 100, "100%"] {
		_found(_pod(spec), {"minNodes": minimum}) == set()
	}
}

test_max_images[name] if {
	nodes := {"a": _with([sprintf("q.io/%d:1", [number]) | some number in numbers.range(1, 50)])}
	some name, [max_images, reasons] in {
		"the default": [50, ["unknown"]],
		"more": [51, ["missing"]],
		"less": [49, ["unknown"]],
		"none are listed": [0, ["unknown"]],
		"no limit": [-1, ["missing"]],
		"below that counts as the default": [-2, ["unknown"]],
		"a wrong type counts as the default": ["51", ["unknown"]],
		"null counts as the default": [null, ["unknown"]],
	}
	parameters := object.union(_defaults, {"maxImages": max_images})
	_reasons(_violations(_running("x:1"), parameters, _inventory(nodes))) == reasons
}

test_unknown[name] if {
	some name, [change, image, reasons] in {
		"reported": [{"maxImages": 2}, "w:1", ["unknown"]],
		"allowed": [{"maxImages": 2, "unknown": "allow"}, "w:1", []],
		"enough are seen": [{"maxImages": 2}, "y:1", []],
		"too few, whatever is hidden": [{"maxImages": 2, "minNodes": 2}, "w:1", ["scarce"]],
		"too few, though it is allowed": [{"maxImages": 2, "minNodes": 2, "unknown": "allow"}, "w:1", ["scarce"]],
		"nothing is hidden": [{"unknown": "allow"}, "w:1", ["missing"]],
		"another word counts as the default": [{"maxImages": 2, "unknown": "Allow"}, "w:1", ["unknown"]],
		"a wrong type counts as the default": [{"maxImages": 2, "unknown": ["allow"]}, "w:1", ["unknown"]],
		"null counts as the default": [{"maxImages": 2, "unknown": null}, "w:1", ["unknown"]],
	}
	_reasons(_found(_running(image), change)) == reasons
	every operation in ["CREATE", "UPDATE"] {
		_reasons(_found(_at_admission(operation, _running(image)), change)) == [reason |
			some reason in reasons
			reason != "unknown"
		]
	}
}

test_missing_parameters_count_as_their_defaults[name] if {
	full := {"a": _with([sprintf("q.io/%d:1", [number]) | some number in numbers.range(1, 50)])}
	some name, parameters in {"empty": {}, "null": null, "a string": "allow"}
	_reasons(_violations(_running("y:1"), parameters, _inventory(_nodes))) == []
	_reasons(_violations(_running("w:1"), parameters, _inventory(_nodes))) == ["missing"]
	_reasons(_violations(_running("w:1"), parameters, _inventory(full))) == ["unknown"]
}

test_only_nodes_that_fit_count[name] if {
	gpu := {
		"g": object.union(_with(["docker.io/library/x:1"]), {"spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}}),
	}
	bare := {"h": _with([])}
	tolerations := [{"key": "gpu", "operator": "Exists"}]
	some name, [nodes, spec, reasons] in {
		"on one that is tainted": [object.union(gpu, bare), {}, ["missing"]],
		"on one whose taint is tolerated": [object.union(gpu, bare), {"tolerations": tolerations}, []],
		"not on one that is tainted": [object.union(gpu, _nodes), {}, []],
		"on one that is selected": [_nodes, {"nodeSelector": {"zone": "1"}}, []],
		"on the one that is named": [_nodes, {"nodeName": "a"}, []],
		"not on the one that is named": [_nodes, {"nodeName": "b"}, ["missing"]],
		"on one with a name": [_nodes, _named("c"), []],
		"not on one with a name": [_nodes, _named("b"), ["missing"]],
	}
	pod_spec := object.union({"containers": [{"name": "a", "image": "x:1"}]}, spec)
	_reasons(_violations(_pod(pod_spec), _defaults, _inventory(nodes))) == reasons
}

# As in the pods of DaemonSets.
_named(name) := {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
	"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]}],
}}}}

test_daemons_run_on_nodes_that_others_do_not if {
	nodes := {"a": object.union(_with([]), {"spec": {"unschedulable": true}}), "b": _with(["docker.io/library/w:1"])}
	parameters := object.union(_defaults, {"minNodes": "100%"})
	_reasons(_violations(_templated("apps", "DaemonSet", _absent), parameters, _inventory(nodes))) == ["scarce"]
	_reasons(_violations(_templated("apps", "Deployment", _absent), parameters, _inventory(nodes))) == []
}

test_kinds_without_pod_spec_pass[name] if {
	some name, review in {
		"scale": _review("autoscaling", "Scale", {"spec": {"replicas": 1}}),
		"custom resource": _templated("example.com", "Rollout", _absent),
		"no object": {"kind": {"group": "", "version": "v1", "kind": "Pod"}, "object": null},
		"no kind": {"object": {"spec": _absent}},
		"spec null": _pod(null),
		"spec a string": _pod("x"),
		"containers null": _pod({"containers": null}),
		"containers a mapping": _pod({"containers": {"a": {"name": "a", "image": "w"}}}),
		"containers of other types": _pod({"containers": [null, "w", 7, ["w"]]}),
		"volumes of other types": _pod({"volumes": [null, {"image": "w"}, {"image": ["w"]}]}),
		"no template": _review("apps", "Deployment", {"spec": {"template": null}}),
	}
	_found(review, {}) == set()
}

test_one_wrong_list_does_not_hide_another if {
	spec := {
		"containers": null,
		"volumes": "none",
		"initContainers": [7, {"name": "a", "image": "w"}],
		"nodeSelector": null,
	}
	_paths(_found(_pod(spec), {})) == {"spec.initContainers[1]"}
}

# The API server refuses them; a selector that cannot be read selects no node.
test_what_decides_on_nodes_of_wrong_types[name] if {
	some name, [change, reasons] in {
		"node selector": [{"nodeSelector": "zone=1"}, ["nowhere"]],
		"node name": [{"nodeName": ["a"]}, ["nowhere"]],
		"affinity": [{"affinity": "zone=1"}, []],
		"tolerations": [{"tolerations": "all"}, []],
	}
	_reasons(_found(_pod(object.union({"containers": [{"name": "a", "image": "x:1"}]}, change)), {})) == reasons
}

test_every_built_in_kind[name] if {
	templated := {"spec": {"template": {"spec": _absent}}}
	some name, [group, kind, resource, path] in {
		"PodTemplate": ["", "PodTemplate", {"template": {"spec": _absent}}, "template.spec.containers[0]"],
		"CronJob": [
			"batch", "CronJob", {"spec": {"jobTemplate": templated}},
			"spec.jobTemplate.spec.template.spec.containers[0]",
		],
		"ReplicationController": ["", "ReplicationController", templated, "spec.template.spec.containers[0]"],
		"Deployment": ["apps", "Deployment", templated, "spec.template.spec.containers[0]"],
		"DaemonSet": ["apps", "DaemonSet", templated, "spec.template.spec.containers[0]"],
		"Job": ["batch", "Job", templated, "spec.template.spec.containers[0]"],
	}
	_paths(_found(_review(group, kind, resource), {})) == {path}
}

test_custom_kinds[name] if {
	jobs := [{"template": {"spec": {
		"nodeSelector": {"zone": zone}, "containers": [{"name": "a", "image": "y:1"}],
	}}} |
		some zone in ["1", "2", "1"]
	]
	some name, [custom_kinds, paths] in {
		"given, each pod spec with its own nodes": [
			[{"group": "example.com", "kind": "Jobs", "paths": ["spec.jobs[].template.spec"]}],
			{"spec.jobs[0].template.spec.containers[0]", "spec.jobs[2].template.spec.containers[0]"},
		],
		"of another group": [[{"group": "example.org", "kind": "Jobs", "paths": ["spec.jobs[].template.spec"]}], set()],
		"wrong type": ["Jobs", set()],
		"null": [null, set()],
	}
	_paths(_found(_review("example.com", "Jobs", {"spec": {"jobs": jobs}}), {"customKinds": custom_kinds})) == paths
}

test_exempt_images[name] if {
	some name, [exempt, image, reasons] in {
		"exact": [["w:1"], "w:1", []],
		"exact, not the prefix": [["w:1"], "w:11", ["missing"]],
		"exact, not as the kubelet lists it": [["docker.io/library/w:1"], "w:1", ["missing"]],
		"prefix": [["quay.io/a/*"], "quay.io/a/b", []],
		"what is no reference": [["${IMAGE}"], "${IMAGE}", []],
		"everything": [["*"], "w", []],
		"wrong type": ["w:1", "w:1", ["missing"]],
		"entries of the wrong type": [[7, null], "w:1", ["missing"]],
		"null": [null, "w:1", ["missing"]],
		"image of the wrong type": [["*"], 7, ["invalid"]],
	}
	_reasons(_found(_running(image), {"exemptImages": exempt})) == reasons
}
