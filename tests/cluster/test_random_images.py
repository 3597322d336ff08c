"""On random images, the API server's defaulting, our Rego in Gatekeeper and our CEL in the API server agree."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from generated_images import IMAGES
from implied_policies import implied_policies
from installed_library import install, uninstall
from local_cluster.api import Answer
from local_cluster.fixtures import Cluster
from local_cluster.servers import wait_until
from offenders import collection
from pullguard.generate.command import generate

# Both are protected. Only the first is seen by the webhook, and only the second by the admission policies.
_SEEN, _UNSEEN = "seen", "ignored"
_CONFIGURATION = "protectedNamespaces: {names: [seen, ignored]}\n"
_NAMESPACES = {
    "apiVersion": "v1",
    "kind": "List",
    "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _SEEN}},
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": _UNSEEN, "labels": {"admission.gatekeeper.sh/ignore": "yes"}},
        },
    ],
}

# The separator between the messages of a denial.
_SEPARATOR = " | "

# Here an image must be a string without surrounding space; the API server decides about everything else.
_TEXTS = IMAGES.filter(lambda image: isinstance(image, str) and image.strip() == image != "" and "|" not in image)
_STATED = st.sampled_from([None, None, "Always", "IfNotPresent", "Never"])
_USES = st.lists(st.tuples(_TEXTS, _STATED), min_size=1, max_size=5)

_settings = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much]
)


def _pod(uses: list[tuple[str, str | None]]) -> dict[str, Any]:
    """Return a pod with an image volume and a container for each image, and an init container for the first image."""

    def stated(key: str, policy: str | None) -> dict[str, str]:
        return {} if policy is None else {key: policy}

    containers = [
        {"name": f"c{index}", "image": image, **stated("imagePullPolicy", policy)}
        for index, (image, policy) in enumerate(uses)
    ]
    volumes = [
        {"name": f"v{index}", "image": {"reference": image, **stated("pullPolicy", policy)}}
        for index, (image, policy) in enumerate(uses)
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {
            "containers": containers[1:] or containers,
            "initContainers": [{**containers[0], "name": "i"}],
            "volumes": volumes[:4],
        },
    }


def _create(cluster: Cluster, namespace: str, pod: dict[str, Any]) -> Answer:
    return cluster.client.request("POST", f"{collection('Pod', namespace)}?dryRun=All", pod)


def _judged(cluster: Cluster, namespace: str, pod: dict[str, Any]) -> Answer:
    """Return the answer to the creation of a pod that the API server considers valid."""
    answer = _create(cluster, namespace, pod)
    assume(answer.code != 422 or "whitespace" not in answer.message)
    return answer


@settings(_settings, max_examples=80)
@given(images=st.lists(_TEXTS, min_size=1, max_size=20))
def test_implied_policies_are_those_of_the_api_server(
    cluster: Cluster, opa: tuple[str, ...], checkout: Path, images: list[str]
) -> None:
    answer = _judged(cluster, "default", _pod([(image, None) for image in images]))
    assert answer.code == 201, answer.message
    spec = answer.body["spec"]
    filled_in = {
        **{found["image"]: found["imagePullPolicy"] for found in (*spec["containers"], *spec["initContainers"])},
        **{found["image"]["reference"]: found["image"]["pullPolicy"] for found in spec["volumes"]},
    }
    assert sorted(filled_in) == sorted(set(images))
    assert list(filled_in.values()) == implied_policies(opa, checkout, list(filled_in))
    # Containers and image volumes get the same policies.
    assert all(found["image"]["pullPolicy"] == filled_in[found["image"]["reference"]] for found in spec["volumes"])
    assert all(found["imagePullPolicy"] == filled_in[found["image"]] for found in spec["containers"])


@pytest.fixture(scope="module")
def library(cluster: Cluster, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a library that protects a namespace that the webhook sees, and one that it does not see."""
    folder = tmp_path_factory.mktemp("random-images")
    (folder / "pullguard.yaml").write_text(_CONFIGURATION, "utf-8")
    generate(folder / "pullguard.yaml", folder / "library", rego=checkout / "rego")
    cluster.kubectl("apply", "--filename=-", stdin=_NAMESPACES)
    yield folder / "library"
    uninstall(cluster, folder / "library")
    cluster.kubectl("delete", "--filename=-", stdin=_NAMESPACES)


@pytest.fixture(scope="module", params=["protected_pull_policy", "protected_image_pinning"])
def policy(request: pytest.FixtureRequest, cluster: Cluster, library: Path) -> Iterator[str]:
    """Yield the name of a policy. No other policy denies."""
    name: str = request.param
    install(cluster, library, f"deny/{name}")
    cluster.kubectl("apply", "-k", library / "admission/deny" / name)
    offender = _pod([("nginx", "Always")])
    for namespace in (_SEEN, _UNSEEN):
        wait_until(lambda: _create(cluster, namespace, offender).code != 201, timeout=60, what="deny")  # noqa: B023
    yield name
    for folder in ("admission/deny", "deny"):
        cluster.kubectl("delete", "-k", library / folder / name)


@settings(_settings, max_examples=120)
@given(uses=_USES)
def test_cel_and_rego_agree(cluster: Cluster, policy: str, uses: list[tuple[str, str | None]]) -> None:
    pod = _pod(uses)
    by_rego = _judged(cluster, _SEEN, pod).message
    by_cel = _judged(cluster, _UNSEEN, pod).message
    assert _said_by_cel(by_cel, policy) == _said_by_rego(by_rego, policy)


def _said_by_cel(message: str, policy: str) -> list[str]:
    if not message:
        return []
    _, found, said = message.partition(f"ValidatingAdmissionPolicy '{policy.replace('_', '-')}' with binding ")
    assert found, message
    return sorted(said.partition(" denied request: ")[2].split(_SEPARATOR))


def _said_by_rego(message: str, policy: str) -> list[str]:
    if not message:
        return []
    _, found, said = message.partition('admission webhook "validation.gatekeeper.sh" denied the request: ')
    assert found, message
    start = f"[{policy.replace('_', '-')}-by-name] "
    lines = said.splitlines()
    assert all(line.startswith(start) for line in lines), message
    return sorted(line.removeprefix(start) for line in lines)
