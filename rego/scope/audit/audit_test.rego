package scope.audit_test

import data.testing.snapshots

test_audit_can_be_silenced if {
	change := object.union(snapshots.excluded_from_audit, snapshots.with_source({"admission": ["dryrun"]}))
	snapshots.outcomes(change) == snapshots.same("nothing", true)
	snapshots.pod_steps(change)[1] == [
		"Audit",
		"audit.gatekeeper.sh",
		"pass",
		"",
		"Gatekeeper's Config excludes a from audit",
	]
	snapshots.pod_steps(snapshots.with_source({"audit": []}))[1] == [
		"Audit",
		snapshots.by_name,
		"pass",
		"",
		"is not enforced by audit",
	]
}

test_a_config_that_could_not_be_read_puts_audit_in_doubt if {
	change := {"unknown": ["Config"], "validatingWebhooks": []}
	snapshots.pod_steps(change) == [
		snapshots.passed(snapshots.asked, "Gatekeeper has no webhook for this"),
		snapshots.audit_in_doubt,
		snapshots.audited,
	]
	snapshots.outcomes(change) == snapshots.same("audited", false)
}
