# METADATA
# title: Steps
# description: |
#   What happens to an object at one stage of its way through the API server: {stage, by, effect, could, text}. `effect`
#   is "pass", "mutate", "deny", "warn", "audit", or an action that Gatekeeper does not know; "unknown" where it cannot
#   be decided here, and then `could` is the strongest possible effect: "any" for all that Gatekeeper does, "" for
#   effects that do not count.
# scope: package
package scope.steps

# METADATA
# title: A step
# description: "`what` is what known, passed or unknown returns."
step(stage, by, what) := object.union({"stage": stage, "by": by}, what)

# METADATA
# title: An effect that is certain
known(effect, text) := {"effect": effect, "could": "", "text": text}

# METADATA
# title: Nothing happens
passed(text) := known("pass", text)

# METADATA
# title: An effect that cannot be decided here
unknown(could, text) := {"effect": "unknown", "could": could, "text": text}

# METADATA
# title: An object as steps name it
named(kind, name) := sprintf("%s %s", [kind, name])

# METADATA
# title: The steps that stand for kinds that could not be read
# description: At one stage, each with the strongest effect that objects of the kinds can have.
unread(stage, kinds, could) := [step(stage, kind, unknown(could, sprintf("%s could not be read", [kind]))) |
	some kind in kinds
	kind in input.unknown
]
