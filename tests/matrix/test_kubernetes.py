"""The admission policies with each Kubernetes: by its rules for new expressions, and in real API servers."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from admission_chain import namespace, request
from local_cluster import requirements
from local_cluster.api import Client, Kubectl
from local_cluster.control_plane import control_plane
from local_cluster.fixtures import cannot_run
from local_cluster.isolation import isolated
from local_cluster.servers import wait_until
from matrix.releases import BUILT, FOLDER, KUBERNETES, SERVERS
from offenders import collection, container, pod, pod_spec
from twins import Workbench

_MUTATION = {"1.32": "-v1alpha1", "1.33": "-v1alpha1", "1.34": "-v1beta1", "1.35": "-v1beta1", "1.36": ""}
_PINNED = container("c", "registry.example.com/a:v1", "Always")
#: Protected, and out of reach of Gatekeeper's webhook, so that our policies are in force there.
_NAMESPACE = "gatekeeper-system"


def _objects(folder: Path) -> list[dict[str, Any]]:
    files = sorted(folder.glob("*/objects.yaml"))
    assert files
    return [obj for file in files for obj in yaml.safe_load_all(file.read_text("utf-8"))]


@pytest.mark.parametrize("version", KUBERNETES)
def test_expressions_are_accepted(version: str, workbench: Workbench, checkout: Path) -> None:
    objects = _objects(checkout / "library/admission/policies")
    for obj in objects:
        if obj["kind"] == "ValidatingAdmissionPolicyBinding":
            obj["spec"]["validationActions"] = ["Deny"]
    with workbench.chain([*objects, namespace(_NAMESPACE)], version) as chain:
        refused = chain.judge(request(pod("p", pod_spec(_PINNED), namespace=_NAMESPACE)), typed=True)
    assert not refused["allowed"]


@pytest.mark.parametrize("version", KUBERNETES)
def test_mutation_is_accepted(
    version: str, workbench: Workbench, checkout: Path, record_property: Callable[[str, object], None]
) -> None:
    name = f"kubernetes{_MUTATION[version]}"
    objects = _objects(checkout / "library/mutation" / name)
    with workbench.chain([*objects, namespace(_NAMESPACE)], version) as chain:
        verdict = chain.judge(request(pod("p", pod_spec(_PINNED), namespace=_NAMESPACE)), typed=True)
    assert verdict["object"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    record_property("why", f"`{name}`")


@contextmanager
def _server(version: str, folder: Path) -> Iterator[tuple[Kubectl, Client]]:
    """Run the API server of a version, with what it needs turned on for our policies."""
    binaries = BUILT
    if version != SERVERS[-1]:
        binaries = folder
        (folder / "kube-apiserver").symlink_to(FOLDER / "kubernetes-oldest" / "kube-apiserver")
        for name in ("etcd", "kubectl"):
            (folder / name).symlink_to(BUILT / name)
    options = {"disable-admission-plugins": "ServiceAccount,TaintNodesByCondition"}
    suffix = _MUTATION[version.rpartition(".")[0]]
    if suffix:
        options["feature-gates"] = "MutatingAdmissionPolicy=true"
        options["runtime-config"] = f"admissionregistration.k8s.io/{suffix.removeprefix('-')}=true"
    with ExitStack() as stack:
        try:
            requirements.check(binaries, ("etcd", "kube-apiserver", "kubectl"), requirements.CONTROL_PLANE_PACKAGES)
            private = stack.enter_context(isolated())
        except requirements.CannotRunError as error:
            cannot_run(error)
        plane = stack.enter_context(control_plane(binaries, private, options=options))
        yield plane.kubectl(), stack.enter_context(closing(plane.client()))


@pytest.mark.parametrize("version", SERVERS)
def test_a_server_takes_and_enforces_the_library(
    version: str,
    checkout: Path,
    tmp_path: Path,
    gatekeeper_manifest: Path,
    record_property: Callable[[str, object], None],
) -> None:
    library = checkout / "library"
    definitions = tmp_path / "definitions.yaml"
    found = [
        obj for obj in yaml.safe_load_all(gatekeeper_manifest.read_text("utf-8")) if obj["kind"].endswith("Definition")
    ]
    definitions.write_text(yaml.safe_dump_all(found), "utf-8")
    (tmp_path / "programs").mkdir()
    mutation = f"kubernetes{_MUTATION[version.rpartition('.')[0]]}"
    with _server(version, tmp_path / "programs") as (kubectl, client):
        said = client.request("GET", "/version").body["gitVersion"]
        assert said == f"v{version}"
        kubectl("create", "namespace", _NAMESPACE)

        def made(image: str) -> tuple[int, str]:
            """Return the code of the answer, and the pull policy that a pod gets, or why it is refused."""
            body = pod("p", pod_spec(container("c", image, "Always")))
            answer = client.request("POST", f"{collection('Pod', _NAMESPACE)}?dryRun=All", body)
            return answer.code, answer.message or answer.body["spec"]["containers"][0]["imagePullPolicy"]

        pinned, floating = "registry.example.com/a:v1", "registry.example.com/a:latest"
        assert made(pinned) == made(floating) == (201, "Always")
        kubectl("apply", "-k", library / "admission" / "deny")
        wait_until(lambda: made(pinned)[0] == made(floating)[0] == 422, timeout=60, what="the policies to be in force")
        kubectl("apply", "-k", library / "mutation" / mutation)
        wait_until(lambda: made(pinned) == (201, "IfNotPresent"), timeout=60, what="the mutation to be in force")
        code, why = made(floating)
        assert code == 422
        # Whichever of our policies speaks first.
        assert f'container "c" image "{floating}": ' in why
        # What is for Gatekeeper is taken as well, under the validation that kubectl asks for.
        kubectl("apply", "--server-side", "-f", definitions)
        kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
        taken = kubectl("apply", "--dry-run=server", "--validate=strict", "-k", library / "templates").stdout
    assert taken.count("constrainttemplate") == len(list((library / "policies").glob("*/template.yaml")))
    record_property("why", f"with `{mutation}`")


def test_the_oldest_server_is_the_one_that_is_pinned(checkout: Path) -> None:
    text = (checkout / "tools/kubernetes-oldest/go.mod").read_text("utf-8")
    assert f"k8s.io/kubernetes v{SERVERS[0]}" in text
    program = FOLDER / "kubernetes-oldest" / "kube-apiserver"
    if not program.exists():
        pytest.skip("it is not built: run `make test-matrix`")
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"Kubernetes v{SERVERS[0]}\n"
