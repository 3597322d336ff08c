# METADATA
# title: Which requests reach Gatekeeper
# description: Gatekeeper's webhooks, the namespaces that its Config excludes, and those that its arguments exempt.
# scope: package
package scope.gatekeeper

import data.lib.globs

# METADATA
# title: The label that excludes a namespace from the webhooks
ignore_label := "admission.gatekeeper.sh/ignore"

# METADATA
# title: Gatekeeper's webhooks among webhook configurations
# description: |
#   An array of {"configuration": name, "webhook": entry}. role is "validation" or "mutation". Gatekeeper's webhooks are
#   recognised by their names, or by the paths at which Gatekeeper serves them.
webhooks(configurations, role) := [{"configuration": configuration.metadata.name, "webhook": entry} |
	some configuration in configurations
	some entry in configuration.webhooks
	_is_own(entry, role)
]

# METADATA
# title: The pattern in the Config that excludes a namespace from a process
# description: |
#   process is "webhook", "mutation-webhook" or "audit". Undefined if no pattern does. Gatekeeper only reads the Config
#   that is named config.
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
# title: The argument of Gatekeeper that allows a namespace to have the label
# description: |
#   Undefined if there is none. The argument does not exclude the namespace: it only allows the label to be set.
exemption(deployments, namespace) := arguments[0] if {
	arguments := [argument |
		some argument in _arguments(deployments)
		[name, value] := split(argument, "=")
		_exempts(name, value, namespace)
	]
	count(arguments) > 0
}

# METADATA
# title: Whether some Deployments include Gatekeeper's own
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
