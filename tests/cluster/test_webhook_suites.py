"""Every case of the library's Suites, all of which pass in gator, posted to the real webhook as a review.

Gatekeeper has all constraints of all Suites at once. Its inventory holds the objects that are really in the cluster.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from installed_library import uninstall, wait_until_enforced
from local_cluster.api import Client
from local_cluster.fixtures import Cluster
from local_cluster.servers import wait_until
from pullguard.suites.assertions import MatchedMessage, expressions, judge
from pullguard.suites.suite_files import Case, Suite, Test, find_suites, read_one
from shared_engine import ENGINE

_ADMISSION = {
    kind: f"/apis/admissionregistration.k8s.io/v1/{kind.lower()}s"
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
} | {"ValidatingAdmissionPolicy": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"}
_COLLECTIONS = {"Node": "/api/v1/nodes", "Namespace": "/api/v1/namespaces"} | _ADMISSION
_CONSTRAINTS = "/apis/constraints.gatekeeper.sh/v1beta1"
_LINE = re.compile(r"\[([^\]]+)\] (.*)")

# The namespace of the Suites' objects. The webhook needs the Namespace of what it judges, but not its labels.
_SHOP = "shop"
_NEEDS_SHOP = ("protected_image_cache", "protected_image_pinning", "protected_pull_policy")

# Cases whose inventory has a Node that the API server does not accept.
_IMPOSSIBLE = ["a Node with fields of the wrong type", "on one of three"]

# Cases that only audit reports: gator reviews them without an operation. They are about pods of controllers, the state
# of nodes, and implied policies. Creating the same objects is allowed.
_ONLY_AUDITED = {
    "protected_image_cache: defaults: a node that does not say which images it has",
    "protected_image_cache: defaults: audit of a pod that a controller owns",
    "protected_image_cache: nodes that the pod can run on: a node that is gone",
    "protected_image_cache: nodes that the pod can run on: a selector that cannot be read fits no node",
    "protected_image_cache: nodes that the pod can run on: a taint that is not tolerated",
    "protected_image_cache: nodes that the pod can run on: no node fits a Deployment",
    "protected_image_cache: three images fill a list: one node lists five",
    "protected_image_cache: two nodes: on one of three, one of which may hide it",
    "protected_image_cache: what is unknown is allowed: no Node in the inventory",
    "protected_image_cache: what nodes do not list: a full list",
    "protected_image_cache: what nodes do not list: as many names as a node lists",
    "protected_image_cache: what nodes do not list: no Node in the inventory",
    "protected_image_pinning: defaults: audit of a pod that a controller owns",
    "protected_pull_policy: defaults: a Deployment that states no policy, and whose live object may have another",
    "protected_pull_policy: defaults: audit of a pod that a controller owns",
}

# A new Job can state any status, so a request with a finished one is judged.
_JUDGED_IN_REQUESTS = {"protected_pull_policy: defaults: a Job that is done"}

# A policy that reports what Gatekeeper's inventory holds.
_PROBE = {
    "apiVersion": "templates.gatekeeper.sh/v1",
    "kind": "ConstraintTemplate",
    "metadata": {"name": "testsinventory"},
    "spec": {
        "crd": {"spec": {"names": {"kind": "TestsInventory"}}},
        "targets": [
            {
                "target": "admission.k8s.gatekeeper.sh",
                "code": [
                    {
                        "engine": "Rego",
                        "source": {
                            "version": "v1",
                            "rego": """\
package testsinventory

violation contains {"msg": json.marshal({"nodes": nodes, "shop": shop, "admission": admission})}

# Gatekeeper's own configurations are there all the time.
admission := sort([name |
	some _, objects in object.get(data.inventory, ["cluster", "admissionregistration.k8s.io/v1"], {})
	some name, _ in objects
	not startswith(name, "gatekeeper-")
])

nodes := sort([name | some name, _ in object.get(data.inventory, ["cluster", "v1", "Node"], {})])

shop := [object.get(found, ["metadata", "labels"], {}) |
	some name, found in object.get(data.inventory, ["cluster", "v1", "Namespace"], {})
	name == "shop"
]
""",
                        },
                    }
                ],
            }
        ],
    },
}
_PROBE_NAME = "tests-inventory"
_PROBED = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe"}}


@dataclass(frozen=True, slots=True)
class _Run:
    """A case, with its test and its Suite."""

    suite: Suite
    test: Test
    case: Case

    @property
    def policy(self) -> str:
        return Path(self.suite.folder).name

    @property
    def title(self) -> str:
        return f"{self.policy}: {self.test.name}: {self.case.name}"

    @property
    def inventory(self) -> list[dict[str, Any]]:
        """The objects that the case needs in the cluster, sorted by kind and name."""
        objects = [_read(self.suite, path) for path in self.case.inventory]
        if self.policy in _NEEDS_SHOP:
            objects.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _SHOP}})
        return sorted(objects, key=lambda obj: (obj["kind"], obj["metadata"]["name"]))


def _read(suite: Suite, path: str) -> dict[str, Any]:
    obj: dict[str, Any] = read_one(ENGINE, suite, path).value
    return obj


def _suites(library: Path) -> list[Suite]:
    found = find_suites(ENGINE, [str(library / "policies")])
    assert all(isinstance(suite, Suite) for suite in found)
    return [suite for suite in found if isinstance(suite, Suite)]


def _constraint(suite: Suite, test: Test) -> dict[str, Any]:
    """Return the constraint of a test under a name that is unique among all Suites."""
    obj = _read(suite, test.constraint)
    return {**obj, "metadata": {"name": f"{Path(suite.folder).name}-{obj['metadata']['name']}".replace("_", "-")}}


@pytest.fixture(scope="module")
def suites(cluster: Cluster, checkout: Path) -> Iterator[list[Suite]]:
    """Yield the Suites; their templates, valid constraints and SyncSets are in force."""
    library = checkout / "library"
    found = _suites(library)
    cluster.kubectl("apply", "-k", library / "templates")
    cluster.kubectl("apply", "--filename=-", stdin=_PROBE)
    wait_until_enforced(cluster)
    valid = [_constraint(suite, test) for suite in found for test in suite.tests if not test.invalid]
    probe = {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "TestsInventory",
        "metadata": {"name": _PROBE_NAME},
        "spec": {"match": {"kinds": [{"apiGroups": [""], "kinds": ["ConfigMap"]}]}},
    }
    cluster.kubectl("apply", "--filename=-", stdin={"apiVersion": "v1", "kind": "List", "items": [*valid, probe]})
    wait_until_enforced(cluster)
    yield found
    cluster.kubectl("delete", "--filename=-", stdin=_PROBE)
    uninstall(cluster, library)


def test_every_case_is_met(cluster: Cluster, suites: list[Suite]) -> None:
    runs = [
        _Run(suite, test, case)
        for suite in suites
        for test in suite.tests
        for case in test.cases
        if not (suite.skip or test.skip or case.skip)
    ]
    groups: dict[str, list[_Run]] = {}
    for run in runs:
        groups.setdefault(json.dumps(run.inventory, sort_keys=True), []).append(run)
    failed: dict[str, str] = {}
    impossible: list[str] = []
    there: list[dict[str, Any]] = []
    with closing(cluster.gatekeeper.client()) as webhook:
        for group in groups.values():
            wanted = group[0].inventory
            _remove(cluster, [obj for obj in there if obj not in wanted])
            if _make(cluster, [obj for obj in wanted if obj not in there]):
                _wait_until_synced(webhook, wanted)
                failed.update({run.title: said for run in group if (said := _fault(webhook, run))})
            else:
                impossible += [run.case.name for run in group]
            there = wanted
    _remove(cluster, there)
    assert {title: said for title, said in failed.items() if title not in _ONLY_AUDITED | _JUDGED_IN_REQUESTS} == {}
    assert {title for title, said in failed.items() if said.endswith("; there are none at all")} == _ONLY_AUDITED
    assert failed.keys() >= _JUDGED_IN_REQUESTS
    assert impossible == _IMPOSSIBLE
    assert len(runs) > 150


def test_invalid_constraints_are_refused(cluster: Cluster, suites: list[Suite]) -> None:
    invalid = [_constraint(suite, test) for suite in suites for test in suite.tests if test.invalid]
    answers = [
        cluster.client.request("POST", f"{_CONSTRAINTS}/{obj['kind'].lower()}?dryRun=All", obj) for obj in invalid
    ]
    assert [answer.code for answer in answers] == [422] * len(invalid)
    assert len(invalid) > 10


def _make(cluster: Cluster, inventory: Sequence[dict[str, Any]]) -> bool:
    """Create the objects of an inventory. Return whether the API server accepted them."""
    codes = {cluster.client.request("POST", _COLLECTIONS[obj["kind"]], obj).code for obj in inventory}
    assert codes <= {201, 400}
    return 400 not in codes


def _remove(cluster: Cluster, inventory: Sequence[dict[str, Any]]) -> None:
    paths = [f"{_COLLECTIONS[obj['kind']]}/{obj['metadata']['name']}" for obj in inventory]
    for path in paths:
        cluster.client.request("DELETE", path)
    wait_until(
        lambda: all(cluster.client.request("GET", path).code == 404 for path in paths),
        timeout=60,
        what="the inventory to go",
    )


def _wait_until_synced(webhook: Client, inventory: Sequence[dict[str, Any]]) -> None:
    """Wait until Gatekeeper's inventory holds exactly these objects of their kinds."""
    name = "kubernetes.io/metadata.name"
    expected = {
        "nodes": [obj["metadata"]["name"] for obj in inventory if obj["kind"] == "Node"],
        "admission": sorted(obj["metadata"]["name"] for obj in inventory if obj["kind"] in _ADMISSION),
        "shop": [{name: _SHOP, **obj["metadata"].get("labels", {})} for obj in inventory if obj["kind"] == "Namespace"],
    }
    wait_until(
        lambda: [json.loads(said) for said in _said(webhook, _request(_PROBED), _PROBE_NAME)] == [expected],
        timeout=60,
        what=f"the inventory to be {expected}",
    )


def _fault(webhook: Client, run: _Run) -> str:
    """Return how the webhook's answer differs from the case, or ""."""
    obj = _read(run.suite, run.case.object)
    request = obj["request"] if obj["kind"] == "AdmissionReview" else _request(obj)
    violations = [
        MatchedMessage(said, {text: re.search(text, said) is not None for text in expressions(run.case)})
        for said in _said(webhook, request, _constraint(run.suite, run.test)["metadata"]["name"])
    ]
    return judge(run.case, violations, 0).message


def _request(obj: dict[str, Any]) -> dict[str, Any]:
    """Return the request that creates an object."""
    group, _, version = obj["apiVersion"].rpartition("/")
    metadata = obj.get("metadata", {})
    return {
        "kind": {"group": group, "version": version, "kind": obj["kind"]},
        "name": metadata.get("name", ""),
        "namespace": metadata.get("namespace", ""),
        "operation": "CREATE",
        "userInfo": {"username": "someone"},
        "object": obj,
    }


def _said(webhook: Client, request: dict[str, Any], constraint: str) -> list[str]:
    """Return the messages of a constraint about a request."""
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1", **request}}
    answer = webhook.request("POST", "/v1/admit", review)
    assert answer.code == 200, answer
    response = answer.body["response"]
    if response["allowed"]:
        return []
    assert response["status"]["code"] == 403, response
    found = [_LINE.fullmatch(line) for line in response["status"]["message"].split("\n")]
    assert all(found), response
    return [line[2] for line in found if line is not None and line[1] == constraint]
