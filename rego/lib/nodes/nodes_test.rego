package lib.nodes_test

import data.lib.nodes

_pod := {"group": "", "version": "v1", "kind": "Pod"}

_daemons := {"group": "apps", "version": "v1", "kind": "DaemonSet"}

_node(labels, spec) := {"metadata": {"labels": labels}, "spec": spec}

_tainted(taint) := _node({}, {"taints": [taint]})

_nodes := {
	"a": _node({"zone": "1", "gpu": "true", "cores": "8"}, {}),
	"b": _node({"zone": "2", "cores": "16"}, {"taints": null}),
	"c": _node({"zone": "2"}, {"taints": []}),
}

_required(terms) := {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
	"nodeSelectorTerms": terms,
}}}}

_expressions(expressions) := _required([{"matchExpressions": expressions}])

_fields(fields) := _required([{"matchFields": fields}])

test_fitting[name] if {
	in_zone_2 := {"key": "zone", "operator": "In", "values": ["2"]}
	has_cores := {"key": "cores", "operator": "Exists"}
	some name, [spec, names] in {
		"nothing asked for": [{}, {"a", "b", "c"}],
		"nulls": [{"nodeName": null, "nodeSelector": null, "affinity": null, "tolerations": null}, {"a", "b", "c"}],
		"empty": [{"nodeName": "", "nodeSelector": {}, "affinity": {}, "tolerations": []}, {"a", "b", "c"}],
		"a selector": [{"nodeSelector": {"zone": "2"}}, {"b", "c"}],
		"a selector with two labels": [{"nodeSelector": {"zone": "2", "cores": "16"}}, {"b"}],
		"a selector that nothing has": [{"nodeSelector": {"disk": "ssd"}}, set()],
		"one of several values": [_expressions([{"key": "zone", "operator": "In", "values": ["0", "1"]}]), {"a"}],
		"none of several values": [_expressions([{"key": "cores", "operator": "NotIn", "values": ["8", "4"]}]), {"b", "c"}],
		"a label": [_expressions([has_cores]), {"a", "b"}],
		"no label": [_expressions([{"key": "cores", "operator": "DoesNotExist"}]), {"c"}],
		"more": [_expressions([{"key": "cores", "operator": "Gt", "values": ["9"]}]), {"b"}],
		"more, not as much": [_expressions([{"key": "cores", "operator": "Gt", "values": ["8"]}]), {"b"}],
		"less": [_expressions([{"key": "cores", "operator": "Lt", "values": ["9"]}]), {"a"}],
		"less, not as much": [_expressions([{"key": "cores", "operator": "Lt", "values": ["8"]}]), set()],
		"all expressions": [_expressions([in_zone_2, has_cores]), {"b"}],
		"any term": [
			_required([{"matchExpressions": [in_zone_2]}, {"matchFields": [{
				"key": "metadata.name", "operator": "In", "values": ["a"],
			}]}]),
			{"a", "b", "c"},
		],
		"a name": [_fields([{"key": "metadata.name", "operator": "In", "values": ["b"]}]), {"b"}],
		"another name": [_fields([{"key": "metadata.name", "operator": "NotIn", "values": ["b"]}]), {"a", "c"}],
		"a name and a label": [
			_required([{
				"matchExpressions": [in_zone_2],
				"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["b"]}],
			}]),
			{"c"},
		],
		"selector and affinity": [object.union(_expressions([has_cores]), {"nodeSelector": {"zone": "2"}}), {"b"}],
		"no term": [_required([]), set()],
		"an empty term": [_required([{}]), set()],
		"an empty term beside another": [_required([{}, {"matchExpressions": [in_zone_2], "matchFields": null}]), {"b", "c"}],
		"preferences": [
			{"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{
				"weight": 1, "preference": {"matchExpressions": [in_zone_2]},
			}]}}},
			{"a", "b", "c"},
		],
		"its node": [{"nodeName": "c"}, {"c"}],
		"its node, whatever else it asks for": [{"nodeName": "c", "nodeSelector": {"zone": "1"}}, {"c"}],
		"a node that there is not": [{"nodeName": "d"}, set()],
	}
	nodes.fitting(_nodes, spec, _pod) == names
}

# The API server refuses all of it. An affinity without a readable way to the required one asks for nothing.
test_fitting_by_wrong_types[name] if {
	some name, [spec, names] in {
		"node name": [{"nodeName": 7}, set()],
		"selector a string": [{"nodeSelector": "zone=2"}, set()],
		"selector with a number": [{"nodeSelector": {"cores": 16}}, set()],
		"affinity a string": [{"affinity": "zone=2"}, {"a", "b", "c"}],
		"node affinity a list": [{"affinity": {"nodeAffinity": ["zone=2"]}}, {"a", "b", "c"}],
		"required a string": [
			{"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": "zone=2"}}},
			set(),
		],
		"terms null": [_required(null), set()],
		"terms a string": [_required("zone=2"), set()],
		"a term a string": [_required(["zone=2"]), set()],
		"a term a list": [_required([["zone=2"]]), set()],
		"a wrong term beside another": [
			_required([7, null, {"matchExpressions": [{"key": "cores", "operator": "Exists"}]}]),
			{"a", "b"},
		],
		"expressions a string": [_required([{"matchExpressions": "zone=2"}]), set()],
		"an expression null": [_expressions([null]), set()],
		"an expression a string": [_expressions(["zone=2"]), set()],
		"no key": [_expressions([{"operator": "Exists"}]), set()],
		"key a number": [_expressions([{"key": 7, "operator": "DoesNotExist"}]), set()],
		"an unknown operator": [_expressions([{"key": "zone", "operator": "Is", "values": ["2"]}]), set()],
		"no operator": [_expressions([{"key": "zone", "values": ["2"]}]), set()],
		"In without values": [_expressions([{"key": "zone", "operator": "In"}]), set()],
		"NotIn without values": [_expressions([{"key": "zone", "operator": "NotIn", "values": []}]), set()],
		"Exists with values": [_expressions([{"key": "zone", "operator": "Exists", "values": ["2"]}]), set()],
		"Gt with two values": [_expressions([{"key": "cores", "operator": "Gt", "values": ["1", "2"]}]), set()],
		"Gt without values": [_expressions([{"key": "cores", "operator": "Gt"}]), set()],
		"Gt with a number": [_expressions([{"key": "cores", "operator": "Gt", "values": [1]}]), set()],
		"Gt with a word": [_expressions([{"key": "cores", "operator": "Gt", "values": ["one"]}]), set()],
		"Gt with a fraction": [_expressions([{"key": "cores", "operator": "Gt", "values": ["1.5"]}]), set()],
		"Lt with a number": [_expressions([{"key": "cores", "operator": "Lt", "values": [99]}]), set()],
		"another field": [_fields([{"key": "metadata.uid", "operator": "NotIn", "values": ["b"]}]), set()],
		"two names": [_fields([{"key": "metadata.name", "operator": "In", "values": ["a", "b"]}]), set()],
		"not two names": [_fields([{"key": "metadata.name", "operator": "NotIn", "values": ["a", "b"]}]), set()],
		"not a number": [_fields([{"key": "metadata.name", "operator": "NotIn", "values": [7]}]), set()],
		"a name that exists": [_fields([{"key": "metadata.name", "operator": "Exists"}]), set()],
		"a field a string": [_fields(["metadata.name=b"]), set()],
		"fields a string": [_required([{"matchFields": "metadata.name=b"}]), set()],
		"tolerations a string": [{"tolerations": "all"}, {"a", "b", "c"}],
	}
	nodes.fitting(_nodes, spec, _pod) == names
}

test_numbers_as_go_reads_them[name] if {
	some name, [label, operator, value, names] in {
		"zeros in front": ["010", "Gt", "9", {"a"}],
		"zeros in front of the value": ["9", "Lt", "010", {"a"}],
		"nothing but zeros": ["00", "Lt", "1", {"a"}],
		"a plus": ["8", "Gt", "+7", {"a"}],
		"negative": ["0", "Gt", "-1", {"a"}],
		"negative label": ["-2", "Lt", "-01", {"a"}],
		"the largest": ["9223372036854775807", "Gt", "9223372036854775806", {"a"}],
		"the smallest": ["-9223372036854775808", "Lt", "-9223372036854775807", {"a"}],
		"too large": ["9223372036854775808", "Gt", "1", set()],
		"too small": ["-9223372036854775809", "Lt", "1", set()],
		"too large a value": ["1", "Lt", "9223372036854775808", set()],
		"a line break": ["8\n", "Gt", "1", set()],
		"hexadecimal": ["0x8", "Gt", "1", set()],
		"empty": ["", "Lt", "1", set()],
	}
	spec := _expressions([{"key": "cores", "operator": operator, "values": [value]}])
	nodes.fitting({"a": _node({"cores": label}, {})}, spec, _pod) == names
}

test_tolerated_taints[name] if {
	plain := {"key": "k", "value": "v", "effect": "NoSchedule"}
	some name, [taint, tolerations] in {
		"a mere preference": [{"key": "k", "effect": "PreferNoSchedule"}, []],
		"everything": [plain, [{"operator": "Exists"}]],
		"everything, with an empty key": [plain, [{"key": "", "operator": "Exists", "effect": null}]],
		"everything of the effect": [plain, [{"operator": "Exists", "effect": "NoSchedule"}]],
		"the key": [plain, [{"key": "k", "operator": "Exists"}]],
		"the key for a while": [
			{"key": "k", "effect": "NoExecute"},
			[{"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}],
		],
		"the value": [plain, [{"key": "k", "operator": "Equal", "value": "v"}]],
		"the value, without operator": [plain, [{"key": "k", "value": "v"}]],
		"the value, operator null": [plain, [{"key": "k", "value": "v", "operator": null}]],
		"no value": [{"key": "k", "effect": "NoExecute"}, [{"key": "k"}]],
		"no value, stated": [{"key": "k", "value": "", "effect": "NoExecute"}, [{"key": "k", "value": null}]],
		"the second": [
			plain,
			[{"key": "l", "operator": "Exists"}, {"key": "k", "operator": "Exists", "effect": "NoSchedule"}],
		],
	}
	nodes.fitting({"a": _tainted(taint)}, {"tolerations": tolerations}, _pod) == {"a"}
}

test_taints_that_are_not_tolerated[name] if {
	plain := {"key": "k", "value": "v", "effect": "NoSchedule"}
	some name, [taint, tolerations] in {
		"nothing": [plain, []],
		"to be evicted": [{"key": "k", "effect": "NoExecute"}, []],
		"another key": [plain, [{"key": "l", "operator": "Exists"}]],
		"another value": [plain, [{"key": "k", "value": "w"}]],
		"no value": [plain, [{"key": "k", "operator": "Equal"}]],
		"another effect": [plain, [{"key": "k", "operator": "Exists", "effect": "NoExecute"}]],
		"everything of another effect": [plain, [{"operator": "Exists", "effect": "NoExecute"}]],
		"no key needs Exists": [{"key": "", "effect": "NoSchedule"}, [{"key": ""}, {"operator": "Equal"}]],
		"an unknown operator": [plain, [{"key": "k", "operator": "In", "value": "v"}]],
		"an operator that the scheduler does not take yet": [
			{"key": "k", "value": "2", "effect": "NoSchedule"},
			[{"key": "k", "operator": "Gt", "value": "1"}],
		],
		"wrong types": [plain, [null, "k", 7, ["k"], {}, {"key": ["k"]}, {"key": "k", "value": ["v"]}, {
			"key": "k", "value": "v", "effect": 7,
		}]],
		"a mapping": [plain, {"key": "k", "operator": "Exists"}],
	}
	nodes.fitting({"a": _tainted(taint)}, {"tolerations": tolerations}, _pod) == set()
}

test_each_taint_counts if {
	node := _node({}, {"taints": [{"key": "k", "effect": "NoSchedule"}, {"key": "l", "effect": "NoSchedule"}]})
	tolerations := [{"key": "k", "operator": "Exists"}, {"key": "l", "operator": "Exists"}]
	nodes.fitting({"a": node}, {"tolerations": tolerations}, _pod) == {"a"}
	nodes.fitting({"a": node}, {"tolerations": [tolerations[0]]}, _pod) == set()
}

test_a_node_that_is_not_schedulable_is_tainted if {
	cordoned := {"a": _node({}, {"unschedulable": true}), "b": _node({}, {"unschedulable": false})}
	nodes.fitting(cordoned, {}, _pod) == {"b"}
	toleration := {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}
	nodes.fitting(cordoned, {"tolerations": [toleration]}, _pod) == {"a", "b"}
	nodes.fitting(cordoned, {}, _daemons) == {"a", "b"}
}

test_a_node_that_is_named_may_be_tainted if {
	nodes.fitting({"a": _tainted({"key": "k", "effect": "NoExecute"})}, {"nodeName": "a"}, _pod) == {"a"}
}

test_what_daemons_tolerate[name] if {
	some name, [key, effect, spec, names] in {
		"not ready, evicting": ["not-ready", "NoExecute", {}, {"a"}],
		"not ready": ["not-ready", "NoSchedule", {}, set()],
		"unreachable, evicting": ["unreachable", "NoExecute", {}, {"a"}],
		"unreachable": ["unreachable", "NoSchedule", {}, set()],
		"disk pressure": ["disk-pressure", "NoSchedule", {}, {"a"}],
		"memory pressure": ["memory-pressure", "NoSchedule", {}, {"a"}],
		"pid pressure": ["pid-pressure", "NoSchedule", {}, {"a"}],
		"not schedulable": ["unschedulable", "NoSchedule", {}, {"a"}],
		"not schedulable, evicting": ["unschedulable", "NoExecute", {}, set()],
		"no network": ["network-unavailable", "NoSchedule", {"hostNetwork": false}, set()],
		"no network, on the host's": ["network-unavailable", "NoSchedule", {"hostNetwork": true}, {"a"}],
		"no network, wrong type": ["network-unavailable", "NoSchedule", {"hostNetwork": "true"}, set()],
		"another": ["out-of-service", "NoExecute", {}, set()],
		"another, as the pod says": ["out-of-service", "NoExecute", {"tolerations": [{"operator": "Exists"}]}, {"a"}],
	}
	node := _tainted({"key": sprintf("node.kubernetes.io/%s", [key]), "effect": effect})
	nodes.fitting({"a": node}, spec, _daemons) == names
	nodes.fitting({"a": node}, object.remove(spec, ["tolerations"]), _pod) == set()
}

test_nodes_of_wrong_types[name] if {
	some name, [node, names] in {
		"empty": [{}, {"a"}],
		"a string": ["a", {"a"}],
		"metadata a string": [{"metadata": "a"}, {"a"}],
		"spec a string": [{"spec": "a"}, {"a"}],
		"taints a string": [{"spec": {"taints": "NoSchedule"}}, {"a"}],
		"taints of other types": [{"spec": {"taints": [null, "NoSchedule", 7, {}, {"key": "k"}]}}, {"a"}],
		"one taint among them": [{"spec": {"taints": [null, {"effect": "NoSchedule"}]}}, set()],
		"unschedulable a string": [{"spec": {"unschedulable": "true"}}, {"a"}],
	}
	nodes.fitting({"a": node}, {"tolerations": [{"key": "k"}]}, _pod) == names
}

test_labels_of_wrong_types_are_none if {
	without_zone := _expressions([{"key": "zone", "operator": "DoesNotExist"}])
	every labels in [null, "zone=2", ["zone"], 7] {
		nodes.fitting({"a": _node(labels, {})}, {"nodeSelector": {"zone": "2"}}, _pod) == set()
		nodes.fitting({"a": _node(labels, {})}, without_zone, _pod) == {"a"}
	}
	every labels in [{"zone": 2}, {"zone": null}] {
		nodes.fitting({"a": _node(labels, {})}, {"nodeSelector": {"zone": "2"}}, _pod) == set()
		nodes.fitting({"a": _node(labels, {})}, {}, _pod) == {"a"}
	}
}

test_what_is_no_kind_is_no_daemon if {
	node := _node({}, {"unschedulable": true})
	every kind in [null, {}, "DaemonSet"] {
		nodes.fitting({"a": node}, {}, kind) == set()
	}
}

_listing(images) := {"status": {"images": images}}

_names := {"x:1", "docker.io/library/x:1"}

test_state[name] if {
	several := [{"names": ["q.io/a:1"]}, {"names": ["q.io/b@sha256:0", "q.io/b:1"]}, {"names": ["q.io/c:1"]}]
	there := {"names": ["docker.io/library/x@sha256:0", "docker.io/library/x:1"], "sizeBytes": 1}
	some name, [images, max_images, state] in {
		"there": [array.concat(several, [there]), 50, "present"],
		"there, on a full list": [array.concat(several, [there]), 4, "present"],
		"not there": [several, 4, "missing"],
		"not there, on a full list": [several, 3, "unknown"],
		"not there, on a list that is too long": [several, 2, "unknown"],
		"not there, without a limit": [several, -1, "missing"],
		"another tag": [[{"names": ["docker.io/library/x:2"]}], 50, "missing"],
		"no images": [[], 50, "missing"],
		"null": [null, 50, "unknown"],
		"lists none, ever": [[], 0, "unknown"],
	}
	nodes.state(nodes.listing(_listing(images)), _names, max_images) == state
}

test_state_where_names_are_left_out[name] if {
	mirrors := [sprintf("r%d.io/a/x:1", [number]) | some number in numbers.range(1, 6)]
	some name, [names, state] in {
		"four of the same image": [array.slice(mirrors, 0, 4), "missing"],
		"five of the same image": [array.slice(mirrors, 0, 5), "unknown"],
		"six of the same image": [mirrors, "unknown"],
		"five, one of them like it": [["r.io/a:1", "r.io/b:1", "r.io/c:1", "r.io/d:1", "h:5000/x@sha256:0"], "unknown"],
		"five of another image": [["r.io/y:1", "r.io/y:2", "r.io/y:3", "r.io/y:4", "r.io/y:5"], "missing"],
		"five in a folder like it": [["x/y:1", "r.io/x/y:2", "r.io/x/y:3", "r.io/x/y:4", "r.io/x/y:5"], "missing"],
	}
	every max_images in [50, -1] {
		nodes.state(nodes.listing(_listing([{"names": ["r.io/z:1"]}, {"names": names}])), _names, max_images) == state
	}
}

test_state_by_wrong_types[name] if {
	some name, [node, state] in {
		"no status": [{}, "unknown"],
		"status null": [{"status": null}, "unknown"],
		"status a string": [{"status": "Ready"}, "unknown"],
		"images a string": [_listing("x:1"), "unknown"],
		"images a mapping": [_listing({"x:1": {"names": ["x:2"]}}), "unknown"],
		"entries of other types": [_listing([null, "x:1", 7, ["x:1"]]), "missing"],
		"names of other types": [_listing([{"names": "x:1"}, {"names": null}, {"names": 7}, {}]), "missing"],
		"five names of other types": [_listing([{"names": [null, 7, ["x:1"], {}, true]}]), "missing"],
		"one name among other types": [_listing([null, {"names": [7, "x:1"]}]), "present"],
	}
	nodes.state(nodes.listing(node), _names, 50) == state
}

_running(runtime, names) := {"status": {
	"images": [{"names": names}],
	"nodeInfo": {"containerRuntimeVersion": runtime},
}}

# As the short name x/y:1 is looked for in the registries of a configuration that nobody sees here.
test_state_of_short_names[name] if {
	some name, [runtime, names, state] in {
		"CRI-O, from any registry": ["cri-o://1.34.0", ["q.io/x/y@sha256:0", "q.io/x/y:1"], "present"],
		"CRI-O, another tag": ["cri-o://1.34.0", ["q.io/x/y:2"], "missing"],
		"CRI-O, a longer path": ["cri-o://1.34.0", ["q.io/a/x/y:1"], "missing"],
		"CRI-O, names of other types": ["cri-o://1.34.0", [7, null], "missing"],
		"CRI-O, no path": ["cri-o://1.34.0", ["y:1"], "missing"],
		"containerd": ["containerd://2.1.0", ["q.io/x/y:1"], "missing"],
		"no text": [7, ["q.io/x/y:1"], "missing"],
	}
	nodes.state(nodes.listing(_running(runtime, names)), {"x/y:1", "docker.io/x/y:1", "*/x/y:1"}, 50) == state
}

test_operating_systems[name] if {
	named := {"status": {"nodeInfo": {"operatingSystem": "windows"}}}
	some name, [node, os, names] in {
		"the same": [_node({"kubernetes.io/os": "windows"}, {}), {"name": "windows"}, {"a"}],
		"another": [_node({"kubernetes.io/os": "windows"}, {}), {"name": "linux"}, set()],
		"another, without the label": [named, {"name": "linux"}, set()],
		"the same, without the label": [named, {"name": "windows"}, {"a"}],
		"the node does not say": [{}, {"name": "linux"}, {"a"}],
		"the node has not said yet": [{"status": {"nodeInfo": {"operatingSystem": ""}}}, {"name": "linux"}, {"a"}],
		"the pod does not say": [_node({"kubernetes.io/os": "windows"}, {}), {}, {"a"}],
		"the pod says it in another type": [_node({"kubernetes.io/os": "windows"}, {}), "linux", {"a"}],
	}
	nodes.fitting({"a": node}, {"os": os}, _pod) == names
}

_placed := {"containers": [{"name": "a"}], "nodeSelector": {"zone": "1"}, "tolerations": []}

test_same_placement[name] if {
	some name, change in {
		"containers": {"containers": []},
		"what is preferred": {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [1]}}},
		"priority": {"priorityClassName": "x"},
	}
	nodes.placement(object.union(_placed, change)) == nodes.placement(_placed)
}

test_another_placement[name] if {
	some name, change in {
		"nodeSelector": {"nodeSelector": {"zone": "2"}},
		"nodeName": {"nodeName": "a"},
		"required affinity": _expressions([{"key": "zone", "operator": "Exists"}]),
		"tolerations": {"tolerations": [{"operator": "Exists"}]},
		"the host's network": {"hostNetwork": true},
		"operating system": {"os": {"name": "linux"}},
	}
	nodes.placement(object.union(_placed, change)) != nodes.placement(_placed)
}
