# METADATA
# title: Label selectors
# description: |
#   Label selectors of Kubernetes (matchLabels, matchExpressions), where all labels or only some of them are known.
# scope: package
package lib.selectors

# METADATA
# title: Whether a label selector selects labels
# description: |
#   "match", "mismatch" or "unknown". With complete = false there may be other labels besides these, and a requirement
#   about one of them is unknown. So is what the API server refuses: a selector or requirement of the wrong type, an
#   unknown operator, In and NotIn without values, Exists and DoesNotExist with values. One requirement that does not
#   match makes a mismatch. An empty selector matches everything.
verdict(selector, labels, complete) := _all({_answer(requirement, labels, complete) |
	some requirement in _requirements(selector)
})

_all(answers) := "mismatch" if {
	"mismatch" in answers
} else := "unknown" if {
	"unknown" in answers
} else := "match"

# null stands for a value that cannot be read.
_requirements(selector) := array.concat(
	_of_labels(object.get(selector, "matchLabels", null)),
	_of_expressions(object.get(selector, "matchExpressions", null)),
) if {
	is_object(selector)
} else := [null]

_of_labels(labels) := [] if {
	labels == null
} else := [{"key": key, "operator": "In", "values": [value]} | some key, value in labels] if {
	is_object(labels)
} else := [null]

_of_expressions(expressions) := [] if {
	expressions == null
} else := expressions if {
	is_array(expressions)
} else := [null]

_answer(requirement, labels, complete) := "unknown" if {
	not _is_sound(requirement)
} else := "unknown" if {
	not complete
	not requirement.key in object.keys(labels)
} else := "match" if {
	_holds(requirement, requirement.operator, object.get(labels, requirement.key, null))
} else := "mismatch"

_is_sound(requirement) if {
	is_string(requirement.key)
	_takes(requirement.operator, object.get(requirement, "values", null))
}

_takes(operator, values) if {
	operator in {"In", "NotIn"}
	is_array(values)
	count(values) > 0
	every value in values {
		is_string(value)
	}
}

_takes(operator, values) if {
	operator in {"Exists", "DoesNotExist"}
	values in {null, []}
}

# The value of a missing label is null.
_holds(requirement, "In", value) if value in requirement.values

_holds(requirement, "NotIn", value) if not value in requirement.values

_holds(_, "Exists", value) if value != null

_holds(_, "DoesNotExist", null)
