# METADATA
# title: Which requests reach Gatekeeper
# description: Its webhooks, the namespaces that its Config leaves out, and what its arguments allow.
# scope: package
package scope.gatekeeper

import data.lib.globs

# METADATA
# title: The label that takes a namespace away from the webhooks
ignore_label := "admission.gatekeeper.sh/ignore"

# METADATA
# title: Gatekeeper's webhooks among webhook configurations
# description: |
#   An array of {"configuration": name, "webhook": entry}. role is "validation" or "mutation". A webhook is Gatekeeper's
#   by its name, or by the path where Gatekeeper serves it.
webhooks(configurations, role) := [{"configuration": configuration.metadata.name, "webhook": entry} |
	some configuration in configurations
	some entry in configuration.webhooks
	_is_own(entry, role)
]

# METADATA
# title: The Config that leaves a namespace out of a process
# description: |
#   process is "webhook", "mutation-webhook" or "audit". Gives the pattern that does it. Undefined if none does.
#   Gatekeeper reads the Config with the name config, no other one.
exclusion(configs, process, namespace) := patterns[0] if {
	patterns := [pattern |
		some config in configs
		config.metadata.name == "config"
		some entry in config.spec.match
		some named in entry.processes
		named in {process, "*"}
		some pattern in entry.excludedNamespaces
		globs.match_any([pattern], namespace)
	]
	count(patterns) > 0
}

# METADATA
# title: The argument of Gatekeeper that lets a namespace have the label
# description: |
#   Undefined where there is none. The argument excludes nothing by itself: it only allows the label to be set.
exemption(deployments, namespace) := arguments[0] if {
	arguments := [argument |
		some argument in _arguments(deployments)
		[name, value] := split(argument, "=")
		_exempts(name, value, namespace)
	]
	count(arguments) > 0
}

# METADATA
# title: Whether Gatekeeper's own Deployments are among some
is_present(deployments) if {
	some deployment in deployments
	deployment.metadata.labels["gatekeeper.sh/system"] == "yes"
}

_arguments(deployments) := [argument |
	some deployment in deployments
	some container in deployment.spec.template.spec.containers
	some field in ["command", "args"]
	some argument in container[field]
	startswith(argument, "--exempt-namespace")
]

_exempts("--exempt-namespace", value, namespace) if value == namespace

_exempts("--exempt-namespace-prefix", value, namespace) if startswith(namespace, value)

_exempts("--exempt-namespace-suffix", value, namespace) if endswith(namespace, value)

_is_own(entry, role) if entry.name == concat("", [role, ".gatekeeper.sh"])

_is_own(entry, role) if endswith(_served_at(entry), _paths[role])

_paths := {"validation": "/v1/admit", "mutation": "/v1/mutate"}

_served_at(entry) := entry.clientConfig.service.path

_served_at(entry) := entry.clientConfig.url
