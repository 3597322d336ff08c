# METADATA
# title: Steps
# description: |
#   What happens to an object at one stage of its way through the API server: {stage, by, effect, could, text}. `effect`
#   is "pass", "mutate", "deny", "warn", "audit", or an action that Gatekeeper does not know. It is "unknown" if it
#   cannot be decided here; `could` is then the strongest possible effect: "any" for everything that Gatekeeper does, or
#   "" for effects that do not count.
# scope: package
package scope.steps

# METADATA
# title: A step
# description: "`what` is a value of known, passed or unknown."
step(stage, by, what) := object.union({"stage": stage, "by": by}, what)

# METADATA
# title: A certain effect
known(effect, text) := {"effect": effect, "could": "", "text": text}

# METADATA
# title: No effect
passed(text) := known("pass", text)

# METADATA
# title: An effect that cannot be decided here
unknown(could, text) := {"effect": "unknown", "could": could, "text": text}

# METADATA
# title: The name of an object in steps
named(kind, name) := sprintf("%s %s", [kind, name])

# METADATA
# title: The steps for kinds that could not be read
# description: All at one stage, with the strongest effect that objects of these kinds can have.
unread(stage, kinds, could) := [step(stage, kind, unknown(could, sprintf("%s could not be read", [kind]))) |
	some kind in kinds
	kind in input.unknown
]
