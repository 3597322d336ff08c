package images.known_test

import data.images.known
import data.lib.kinds
import data.lib.pods

test_every_kind_has_a_source_and_something if {
	every _, of_group in known.kinds {
		every _, entry in of_group {
			startswith(entry.source, "https://")
			count(object.filter(entry, ["paths", "images"])) > 0
		}
	}
}

test_custom_kinds_are_those_with_pod_specs if {
	known.custom_kinds == [{
		"group": "operators.coreos.com",
		"kind": "ClusterServiceVersion",
		"paths": ["spec.install.spec.deployments[].spec.template.spec"],
	}]
}

# An entry here would take the place of one that policies use.
test_no_kind_stands_in_the_libs_too if {
	every group, of_group in known.kinds {
		every kind, _ in of_group {
			not kinds.known[group][kind]
			not pods.spec_paths[group][kind]
		}
	}
}

test_no_kind_with_pod_specs_is_skipped if {
	every group, names in known.skipped {
		every name in names {
			not kinds.known[group][name]
			not pods.spec_paths[group][name]
		}
	}
}
