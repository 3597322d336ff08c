"""A finding for tests that need just any."""

from pullguard.core.findings import ContainerRef, Finding, ObjectRef

FINDING = Finding(
    rule="pull-policy-always",
    severity="high",
    policy="protected_pull_policy",
    constraints=("by-name",),
    action="dryrun",
    file="a.yaml",
    line=12,
    document=0,
    item=(),
    object=ObjectRef("v1", "Pod", "kube-system", "dns"),
    container=ContainerRef("containers", "main", 0),
    image=None,
    message="m",
    details=None,
    fingerprint="f00",
    namespace_assumed=False,
)
