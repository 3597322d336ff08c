# METADATA
# title: Every id that a rule of a policy ever had
# description: |
#   By the id: the rule that has it for good, which is a policy and a reason, and the version of pullguard that had it
#   first. Nothing is ever taken away here, and nothing is given to another rule: ids stand in baselines, in
#   suppressions and in what code scanning services keep. An id that a rule has no more is one of its aliases, or it is
#   retired here: `"retired"` is the version since which no rule has it.
# scope: package
package custom.ids

# METADATA
# title: The rules, by the ids that they have or had
history := {
	"image-cache-missing": {"rule": "protected_image_cache.missing", "since": "0.1.0"},
	"image-cache-scarce": {"rule": "protected_image_cache.scarce", "since": "0.1.0"},
	"image-cache-partial": {"rule": "protected_image_cache.partial", "since": "0.1.0"},
	"image-cache-unknown": {"rule": "protected_image_cache.unknown", "since": "0.1.0"},
	"image-cache-no-node": {"rule": "protected_image_cache.nowhere", "since": "0.1.0"},
	"image-cache-no-inventory": {"rule": "protected_image_cache.unsynced", "since": "0.1.0"},
	"image-cache-invalid": {"rule": "protected_image_cache.invalid", "since": "0.1.0"},
	"image-tag-missing": {"rule": "protected_image_pinning.untagged", "since": "0.1.0"},
	"image-tag-floating": {"rule": "protected_image_pinning.floating", "since": "0.1.0"},
	"image-digest-missing": {"rule": "protected_image_pinning.undigested", "since": "0.1.0"},
	"image-invalid": {"rule": "protected_image_pinning.invalid", "since": "0.1.0"},
	"image-pinning-unjudged": {"rule": "protected_image_pinning.unjudged", "since": "0.1.0"},
	"pull-policy-always": {"rule": "protected_pull_policy.always", "since": "0.1.0"},
	"pull-policy-invalid": {"rule": "protected_pull_policy.invalid", "since": "0.1.0"},
	"pull-policy-disallowed": {"rule": "protected_pull_policy.disallowed", "since": "0.1.0"},
	"pull-policy-implied": {"rule": "protected_pull_policy.implied", "since": "0.1.0"},
	"pull-policy-unjudged": {"rule": "protected_pull_policy.unjudged", "since": "0.1.0"},
	"webhook-host-unprotected-fail": {"rule": "protected_webhook_host.fail", "since": "0.1.0"},
	"webhook-host-unprotected-custom": {"rule": "protected_webhook_host.custom", "since": "0.1.0"},
	"webhook-host-unprotected-ignore": {"rule": "protected_webhook_host.ignore", "since": "0.1.0"},
	"conversion-host-unprotected": {"rule": "protected_webhook_host.conversion", "since": "0.1.0"},
	"api-host-unprotected": {"rule": "protected_webhook_host.aggregated", "since": "0.1.0"},
	"webhook-host-undecided": {"rule": "protected_webhook_host.undecided", "since": "0.1.0"},
	"webhook-host-invalid": {"rule": "protected_webhook_host.invalid", "since": "0.1.0"},
	"webhook-self-block": {"rule": "webhook_blocks_recovery.blocks", "since": "0.1.0"},
	"webhook-self-block-possible": {"rule": "webhook_blocks_recovery.may_block", "since": "0.1.0"},
	"webhook-blocks-own-start": {"rule": "webhook_blocks_recovery.blocks_start", "since": "0.1.0"},
	"webhook-blocks-own-start-possible": {"rule": "webhook_blocks_recovery.may_block_start", "since": "0.1.0"},
	"webhook-cycle": {"rule": "webhook_blocks_recovery.cycle", "since": "0.1.0"},
	"webhook-cycle-possible": {"rule": "webhook_blocks_recovery.may_cycle", "since": "0.1.0"},
	"webhook-blocks-nodes": {"rule": "webhook_blocks_recovery.blocks_nodes", "since": "0.1.0"},
	"webhook-blocks-nodes-possible": {"rule": "webhook_blocks_recovery.may_block_nodes", "since": "0.1.0"},
	"webhook-blocks-protected": {"rule": "webhook_blocks_recovery.blocks_protected", "since": "0.1.0"},
	"webhook-blocks-protected-possible": {"rule": "webhook_blocks_recovery.may_block_protected", "since": "0.1.0"},
	"webhook-timeout": {"rule": "webhook_blocks_recovery.slow", "since": "0.1.0"},
	"webhook-timeout-possible": {"rule": "webhook_blocks_recovery.may_be_slow", "since": "0.1.0"},
	"admission-policy-needs-parameters": {"rule": "webhook_blocks_recovery.needs_parameters", "since": "0.1.0"},
	"admission-policy-needs-parameters-possible": {
		"rule": "webhook_blocks_recovery.may_need_parameters",
		"since": "0.1.0",
	},
}
