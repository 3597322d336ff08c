package lib.kinds_test

import data.lib.kinds
import data.lib.pods

test_known_kinds_are_not_built_in if {
	every group, of_group in kinds.known {
		every kind, _ in of_group {
			not pods.spec_paths[group][kind]
		}
	}
}

test_known_kinds_have_places_and_a_source if {
	every of_group in kinds.known {
		every places in of_group {
			startswith(places.source, "https://")
			places.paths != []
			object.keys(places) - {"paths", "containers", "images", "source"} == set()
		}
	}
}
