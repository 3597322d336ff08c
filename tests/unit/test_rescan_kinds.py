"""Which kinds a rescan has to list."""

from typing import Any

import pytest

from pullguard.audit.rescan import wanted
from pullguard.cluster.discovery import Listed
from pullguard.core.gatekeeper import Constraint

_POD = Listed("", "Pod", "/api/v1/pods")
_DEPLOYMENT = Listed("apps", "Deployment", "/apis/apps/v1/deployments")
_ROLLOUT = Listed("argoproj.io", "Deployment", "/apis/argoproj.io/v1/deployments")
_ALL = [_POD, _DEPLOYMENT, _ROLLOUT]


def _constraint(kinds: Any) -> Constraint:
    match = {} if kinds is None else {"kinds": kinds}
    return Constraint("f", "K", "n", {"kind": "K", "metadata": {"name": "n"}, "spec": {"match": match}})


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (None, _ALL),
        ([], _ALL),
        ([{"apiGroups": ["*"], "kinds": ["*"]}], _ALL),
        ([{"apiGroups": [""], "kinds": ["*"]}], [_POD]),
        ([{"apiGroups": ["apps"], "kinds": ["Deployment"]}], [_DEPLOYMENT]),
        ([{"kinds": ["Deployment"]}], [_DEPLOYMENT, _ROLLOUT]),
        ([{"apiGroups": ["apps"]}], [_DEPLOYMENT]),
        ([{"apiGroups": ["extensions"], "kinds": ["Deployment"]}], []),
        ([{"apiGroups": [""], "kinds": ["Deployment"]}, {"apiGroups": ["apps"], "kinds": ["Pod"]}], []),
    ],
)
def test_what_a_constraint_may_select_is_listed(kinds: Any, expected: list[Listed]) -> None:
    assert wanted([_constraint(kinds)], _ALL) == expected


def test_several_constraints_together() -> None:
    constraints = [_constraint([{"apiGroups": [group], "kinds": ["*"]}]) for group in ("argoproj.io", "")]
    assert wanted(constraints, _ALL) == [_POD, _ROLLOUT]
