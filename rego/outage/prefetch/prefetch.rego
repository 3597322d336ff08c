# METADATA
# title: What to pull onto nodes while there are registries
# description: |
#   What a pull onto a node does for the pods that may come to it: the forecast without the image there, and with it.
#   input is {cases: [{event, uses, running}]}, as data.outage.forecast has them but without the numbers of nodes.
# scope: package
package outage.prefetch

import data.outage.forecast

# METADATA
# title: What a pull does for each of the cases
# description: |
#   {uses, running}: for those that the event starts {index, fetch, unsolved}. `fetch` are the states of nodes in which
#   the image is to be pulled: "missing", "unknown", and "verifying", which has it and may not give it to the pod. A
#   node does not need it if the pod starts as it is. `unsolved` is the reason for which the pod does not start with the
#   image there, or may not; "" if it does.
# entrypoint: true
found := [_help(case) | some case in input.cases]

_help(case) := {field: helps |
	some field in ["uses", "running"]
	helps := [_answer(case[field][answer.index], number, answer, field, answers) |
		some number, answer in answers.present[field]
	]
} if {
	answers := {state: forecast.answer(_on_node(case, counts)) | some state, counts in _states}
}

_answer(use, number, present, field, answers) := {
	"index": present.index,
	"fetch": [state |
		some state in _to_fetch(use)
		answers[state][field][number].verdict != "starts"
	],
	"unsolved": _unsolved(present),
}

_unsolved(answer) := "" if {
	answer.verdict == "starts"
} else := answer.reason

# Nothing can pull what is not a reference.
_to_fetch(use) := set() if {
	not use.valid
} else := {"missing", "unknown", "verifying"} if {
	use.doubt != ""
} else := {"missing", "unknown"}

# The states that a node may be in.
_states := {
	"missing": {"present": 0, "missing": 1, "unknown": 0, "verifying": 0},
	"present": {"present": 1, "missing": 0, "unknown": 0, "verifying": 0},
	"unknown": {"present": 0, "missing": 0, "unknown": 1, "verifying": 0},
	"verifying": {"present": 1, "missing": 0, "unknown": 0, "verifying": 1},
}

_on_node(case, counts) := {
	"event": case.event,
	"remade": true,
	"doubt": "",
	"bound": true,
	"known": true,
	"nodes": 1,
	"uses": [object.union(use, counts) | some use in case.uses],
	"running": [object.union(use, counts) | some use in case.running],
}

# METADATA
# title: The Services without a pod that is ready
# description: |
#   The indices of input.services that serve no registry now: {namespace, selector}. input.pods are {namespace, labels,
#   ready}; without any, nothing is known. A Service without a selector has its endpoints from elsewhere.
# entrypoint: true
down := [index |
	count(input.pods) > 0
	some index, service in input.services
	count(service.selector) > 0
	not _has_ready(service)
]

_has_ready(service) if {
	some pod in input.pods
	pod.ready
	pod.namespace == service.namespace
	object.subset(pod.labels, service.selector)
}

# METADATA
# title: The nodes that mount images as volumes
# description: |
#   The names of those of input.nodes, which are by name: their kubelet does so unless it is told otherwise, and their
#   runtime can.
# entrypoint: true
mounting := [name |
	some name, node in input.nodes
	_is_at_least(node.status.nodeInfo.kubeletVersion, [1, 35])
	some runtime, version in {"containerd": [2, 1], "cri-o": [1, 31]}
	[runtime, stated] = split(node.status.nodeInfo.containerRuntimeVersion, "://")
	_is_at_least(stated, version)
]

# The version of a kubelet has a "v" before it.
_is_at_least(stated, version) if {
	parts := regex.find_all_string_submatch_n(`^v?(\d+)\.(\d+)`, stated, 1)[0]
	[to_number(parts[1]), to_number(parts[2])] >= version
}
