# METADATA
# title: Whether pods start without registries
# description: |
#   The kubelet's own decision (EnsureImageExists), for every node that a pod may come to. input is {cases: [{event,
#   remade, doubt, bound, known, nodes, uses, running}]}: `remade` is whether anything makes the pod again; `doubt` a
#   reason for which nothing is sure to start; `bound` whether the pod stays on its node; `known` whether it is known
#   which nodes there are; `nodes` on how many it can run. Of these nodes, `present`, `missing` and `unknown` of a use
#   say how many have its image, and `verifying` how many of those that have it ask for credentials. A use is that of
#   data.outage.needs with these numbers, and with `valid`, `gone` (data.outage.images) and `doubt`
#   (data.outage.credentials). `running` are the uses of the pod that is there, where another is made in its place.
# scope: package
package outage.forecast

import data.lib.images

# METADATA
# title: What becomes of each of the cases
# entrypoint: true
verdicts := [answer(case) | some case in input.cases]

# METADATA
# title: What becomes of a case
# description: |
#   {verdict, uses, running}: the verdicts are "starts", "stays down" and "unknown". `uses` and `running` have
#   {index, verdict, reason} for those that the event starts. A pod stays down with any of them.
answer(case) := {
	"verdict": _worst({use.verdict | some use in array.concat(uses, running)}),
	"uses": uses,
	"running": running,
} if {
	uses := [_answer(index, _outcome(case, use)) |
		some index, use in case.uses
		case.event in use.events
	]
	running := [_answer(index, _injected(_outcome(case, use))) |
		some index, use in case.running
		_is_added(case, use)
	]
}

_answer(index, outcome) := {"index": index, "verdict": outcome[0], "reason": outcome[1]}

_worst(found) := "stays down" if {
	"stays down" in found
} else := "unknown" if {
	"unknown" in found
} else := "starts"

# What a webhook has added to the pod that is there it may add to the next one.
_is_added(case, use) if {
	case.event in use.events
	not _slot(use) in {_slot(other) | some other in case.uses}
}

# A container that becomes a sidecar moves to the init containers; in one pod, no two of both have one name.
_slot(use) := [use.list == "volumes", use.name]

_injected(["stays down", _]) := ["unknown", "injected"]

_injected(outcome) := outcome if outcome[0] != "stays down"

# -- of one use

_outcome(case, _) := ["stays down", "no-controller"] if not case.remade

_outcome(case, use) := _in_doubt(case, outcomes[0]) if {
	case.remade
	outcomes := [_of_policy(case, use, policy) | some policy in _policies(case, use)]
	count({outcome[0] | some outcome in outcomes}) == 1
} else := ["unknown", "may-be-changed"] if case.remade

_in_doubt(case, ["starts", _]) := ["unknown", case.doubt] if case.doubt != ""

_in_doubt(case, outcome) := outcome if {
	[outcome[0] == "starts", case.doubt != ""] != [true, true]
}

# The pod that is there says Always and its template does not: whatever has changed it may do so again.
_policies(case, use) := array.concat(use.policies, ["Always" |
	not "Always" in use.policies
	some other in case.running
	_slot(other) == _slot(use)
	other.policies == ["Always"]
])

_of_policy(case, use, policy) := ["unknown", "no-image"] if {
	use.image in {null, ""}
} else := ["stays down", "invalid-image"] if {
	not use.valid
} else := ["stays down", "invalid-policy"] if {
	not policy in images.valid_policies
} else := ["stays down", "no-node"] if {
	case.known
	case.nodes == 0
} else := ["starts", "registry-reachable"] if {
	not use.gone
	policy != "Never"
} else := ["stays down", "always"] if {
	policy == "Always"
} else := ["unknown", "nodes-unknown"] if {
	not case.known
} else := _of_nodes(case, use, policy)

_of_nodes(case, use, policy) := ["stays down", _missing[[policy, case.bound]]] if {
	use.missing == case.nodes
} else := ["unknown", "image-on-some-nodes"] if {
	use.present > 0
	use.missing > 0
} else := ["unknown", "listing-cut"] if {
	use.unknown > 0
} else := ["unknown", use.doubt] if {
	use.verifying > 0
	use.doubt != ""
} else := ["starts", _present[case.bound]]

_missing := {
	["Never", true]: "never-without-image",
	["Never", false]: "never-without-image",
	["IfNotPresent", true]: "image-not-on-node",
	["IfNotPresent", false]: "image-on-no-node",
}

_present := {true: "image-on-node", false: "image-on-every-node"}
