"""What discover says, through the real OPA: snapshots in; namespaces, reasons and custom kinds out."""

import io
import json
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from pullguard.cli import main
from pullguard.core.errors import PullguardError
from pullguard.core.resources import packaged_library
from pullguard.discover.command import discover, kinds
from pullguard.discover.formats import REPORTERS
from pullguard.discover.model import SEVERITIES, DiscoverReport, Shown
from pullguard.library.config import parse
from pullguard.library.policies import read
from pullguard.library.store import load
from read_only_cluster import ReadOnlyCluster
from shared_engine import ENGINE

JSON = dict[str, Any]

_CONFIGURATION = """\
# Ours.
protectedNamespaces:
  names:
    - kube-system # the control plane
    # - more

policies:
  protected_image_cache: {enabled: false}
  protected_pull_policy:
    parameters:
      # exemptImages: []
"""


@pytest.fixture
def cluster(checkout: Path, folder: Path) -> str:
    """Return the dump of a small cluster; the working directory is empty but for it."""
    shutil.copy(checkout / "tests/data/discover/cluster.yaml", folder)
    return "cluster.yaml"


def _files(folder: Path, *objects: JSON, name: str = "dump.json") -> str:
    file = folder / name
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}), "utf-8")
    return str(file)


def _found(report: DiscoverReport) -> dict[str, tuple[str, list[str]]]:
    """Return the severity and the reasons of each namespace."""
    return {each.name: (each.severity, [reason.reason for reason in each.reasons]) for each in report.namespaces}


def _object(kind: str, name: str, namespace: str = "", version: str = "v1", **more: Any) -> JSON:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("metadata", {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def _pod(name: str, owner: str = "", **spec: Any) -> JSON:
    kind, _, owned = owner.partition("/")
    owners = [{"apiVersion": "apps/v1", "kind": kind, "name": owned, "uid": "o", "controller": True}] if owner else []
    return _object(
        "Pod", name, "n", metadata={"ownerReferences": owners, "labels": {"pod-template-hash": "1"}}, spec=spec
    )


_CLUSTER = {
    "infra": ("high", ["registry"]),
    "kube-flannel": ("high", ["cni", "priority"]),
    "kube-system": ("high", ["dns"]),
    "rules": ("high", ["fail-webhook"]),
    "storage": ("high", ["csi"]),
    "flux-system": ("medium", ["gitops"]),
    "monitoring": ("medium", ["aggregated-api"]),
    "shop": ("low", ["custom-webhook"]),
}
_ABSENT = "not in the files, so taken to be none: MutatingWebhookConfiguration"
_NOTE = "there is no pullguard.yaml, so no namespace is protected yet"
_JUDGING = ("protected_image_cache", "protected_image_pinning", "protected_pull_policy")
_ORDER = {"group": "shop.example.com", "kind": "Order", "paths": ["spec.worker"]}


def test_the_reasons_in_the_documentation(checkout: Path) -> None:
    """The table has each reason, with the title and the severity that it has."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (checkout / "docs/discover.md").read_text("utf-8").splitlines()
        if line.startswith("| `")
    ]
    told = {cells[0].strip("`"): cells[1] for cells in rows if cells[1] in {"high", "medium", "low"}}
    rego = (checkout / "rego/discover/namespaces/namespaces.rego").read_text("utf-8")
    titles = rego.partition("_titles := {")[2].partition("}")[0]
    assert set(told) == {line.split('"')[1] for line in titles.splitlines() if '"' in line}


def test_the_severities_of_the_policy_are_ours(checkout: Path) -> None:
    """A reason of another severity would not be told."""
    (policy,) = (each for each in read(checkout / "rego", ENGINE).policies if each.name == "protected_webhook_host")
    assert {rule.severity for rule in policy.rules.values()} <= set(SEVERITIES)


def test_namespaces_and_kinds(cluster: str) -> None:
    report = discover([cluster])
    assert _found(report) == _CLUSTER
    assert list(_found(report)) == list(_CLUSTER)
    assert [each.name for each in report.new_namespaces] == list(_CLUSTER)[:-1]
    (kind,) = report.kinds
    assert (kind.name, dict(kind.found.entry)) == ("shop.example.com/Order", {"paths": ["spec.worker"]})
    assert kind.policies == _JUDGING
    assert report.notes == (_ABSENT, _NOTE)
    assert report.exit_code == 1


@pytest.mark.parametrize(
    ("severity", "names"), [("high", list(_CLUSTER)[:5]), ("medium", list(_CLUSTER)[:7]), ("low", list(_CLUSTER))]
)
def test_severities(cluster: str, severity: Any, names: list[str]) -> None:
    assert [each.name for each in discover([cluster], severity=severity).new_namespaces] == names


def test_what_the_configuration_protects(cluster: str, folder: Path) -> None:
    configuration = {
        "protectedNamespaces": {
            "names": ["kube-*", "infra", "rules", "storage"],
            "selector": {"matchLabels": {"protected": "true"}},
        },
        "policies": {name: {"parameters": {"customKinds": [_ORDER]}} for name in _JUDGING},
    }
    (folder / "mine.yaml").write_text(json.dumps(configuration))
    labels = _files(
        folder,
        _object("Namespace", "flux-system", metadata={"labels": {"protected": "true"}}),
        _object("Namespace", "shop", metadata={"labels": {}}),
    )
    report = discover([cluster, labels], configuration=folder / "mine.yaml")
    protected = {each.name: (each.protected, each.assumed) for each in report.namespaces}
    ours = (("configuration",), ())
    assert protected == {
        **dict.fromkeys(("infra", "kube-flannel", "kube-system", "rules", "storage", "flux-system"), ours),
        "monitoring": ((), ("configuration",)),
        "shop": ((), ()),
    }
    assert [each.name for each in report.new_namespaces] == ["monitoring"]
    assert (report.new_kinds, report.notes) == ((), (_ABSENT,))
    text = io.StringIO()
    REPORTERS["text"](report, text)
    assert "/mine.yaml, and removes nothing.\n" in text.getvalue()
    assert (
        "  monitoring (medium, perhaps protected by the configuration: its labels are not known)\n" in text.getvalue()
    )
    assert "\nCustom kinds that are judged already: shop.example.com/Order\n" in text.getvalue()


def test_what_constraints_protect(cluster: str, folder: Path) -> None:
    match = {"namespaces": ["infra", "kube-*"]}
    selected = {"namespaceSelector": {"matchLabels": {"x": "y"}}}
    version = "constraints.gatekeeper.sh/v1beta1"
    dump = _files(
        folder,
        _object("K8sProtectedPullPolicy", "p", version=version, spec={"match": match}),
        _object("K8sProtectedImagePinning", "q", version=version, spec={"match": selected}),
        _object("Namespace", "storage", metadata={"labels": {"x": "y"}}),
        _object("Namespace", "rules", metadata={"labels": {}}),
    )
    report = discover([cluster, dump])
    assert {each.name: each.protected for each in report.namespaces if each.protected} == dict.fromkeys(
        ("infra", "kube-flannel", "kube-system", "storage"), ("constraints",)
    )
    assert [each.name for each in report.namespaces if each.assumed] == ["flux-system", "monitoring", "shop"]
    assert report.notes[1:] == ("there is no pullguard.yaml, so only what constraints protect counts as protected",)


def test_a_kind_that_one_policy_has(cluster: str, folder: Path) -> None:
    names = [name for name, (severity, _) in _CLUSTER.items() if severity != "low"]
    configuration = {
        "protectedNamespaces": {"names": names},
        "policies": {"protected_pull_policy": {"parameters": {"customKinds": [{**_ORDER, "paths": ["spec.other"]}]}}},
    }
    (folder / "pullguard.yaml").write_text(json.dumps(configuration))
    report = discover([cluster])
    assert [kind.policies for kind in report.new_kinds] == [_JUDGING[:2]]
    text = io.StringIO()
    REPORTERS["text"](report, text)
    assert text.getvalue().startswith("From the files: 0 namespaces to protect, 1 custom kind to judge\n")
    note = "    # for protected_image_cache, protected_image_pinning; protected_pull_policy has an entry\n"
    assert f"\n  customKinds:\n{note}    - group: shop.example.com\n" in text.getvalue()
    discover([cluster], writes=True)
    written = json.loads((folder / "pullguard.yaml").read_text("utf-8"))
    assert {name: policy["parameters"]["customKinds"][0]["paths"] for name, policy in written["policies"].items()} == {
        "protected_pull_policy": ["spec.other"],
        "protected_image_cache": ["spec.worker"],
        "protected_image_pinning": ["spec.worker"],
    }
    assert discover([cluster]).exit_code == 0


def test_write_makes_a_configuration(cluster: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "start.yaml"]) == 0
    (folder / "pullguard.schema.json").unlink()
    capsys.readouterr()
    assert main(["discover", "--write", cluster]) == 0
    assert "\nWrote pullguard.yaml. Look at it, then run `pullguard generate`.\n" in capsys.readouterr().out
    start = (folder / "start.yaml").read_text("utf-8").splitlines()
    lines = (folder / "pullguard.yaml").read_text("utf-8").splitlines()
    remaining = iter(lines)
    assert all(line in remaining for line in start)  # in this order
    stated = yaml.safe_load("\n".join(lines))
    assert stated["protectedNamespaces"]["names"] == [
        *("kube-system", "gatekeeper-system", "infra", "kube-flannel", "rules"),
        *("storage", "flux-system", "monitoring"),
    ]
    assert {
        name: policy["parameters"]["customKinds"]
        for name, policy in stated["policies"].items()
        if (policy["parameters"] or {}).get("customKinds")
    } == {name: [_ORDER] for name in _JUDGING}
    assert (folder / "pullguard.schema.json").is_file()
    assert main(["generate", "--out", "library"]) == 0
    assert main(["discover", cluster]) == 0
    written = (folder / "pullguard.yaml").read_bytes()
    assert main(["discover", "--write", cluster]) == 0
    assert (folder / "pullguard.yaml").read_bytes() == written


def test_write_keeps_all_else(cluster: str, folder: Path, checkout: Path) -> None:
    file = folder / "pullguard.yaml"
    file.write_text(_CONFIGURATION)
    file.chmod(0o640)
    report = discover([cluster], writes=True)
    assert (report.written, report.exit_code) == (Path("pullguard.yaml"), 0)
    entry = "      customKinds:\n        - group: shop.example.com\n          kind: Order\n          paths:\n"
    entry += "            - spec.worker\n"
    names = ("infra", "kube-flannel", "rules", "storage", "flux-system", "monitoring")
    expected = _CONFIGURATION.replace("plane\n", "plane\n" + "".join(f"    - {name}\n" for name in names))
    expected = expected.replace("    parameters:\n", f"    parameters:\n{entry}")
    expected += f"  protected_image_pinning:\n    parameters:\n{entry}"
    assert file.read_text("utf-8") == expected
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    parse(ENGINE, expected, "f.yaml", read(checkout / "rego", ENGINE).policies)
    again = discover([cluster])
    assert (again.new_namespaces, again.new_kinds, again.exit_code) == ((), (), 0)


def test_write_refuses_what_it_cannot_edit(cluster: str, folder: Path) -> None:
    shared = "protectedNamespaces:\n  names: &names [kube-system]\npolicies:\n  protected_pull_policy:\n"
    shared += "    parameters:\n      exemptImages: *names\n"
    (folder / "pullguard.yaml").write_text(shared)
    with pytest.raises(PullguardError) as refused:
        discover([cluster], writes=True)
    assert str(refused.value) == (
        "pullguard.yaml: cannot be edited: an anchor shares the list with other places, or what it stands in; "
        "add by hand: protectedNamespaces.names: infra, kube-flannel, rules, storage, flux-system, monitoring; "
        "policies.protected_image_cache.parameters.customKinds: Order; "
        "policies.protected_image_pinning.parameters.customKinds: Order; "
        "policies.protected_pull_policy.parameters.customKinds: Order"
    )
    assert (folder / "pullguard.yaml").read_text("utf-8") == shared
    (folder / "pullguard.yaml").rename(folder / "real.yaml")
    (folder / "pullguard.yaml").symlink_to("real.yaml")
    with pytest.raises(PullguardError, match=r"^pullguard.yaml: is not a plain file, and is not edited; name the file"):
        discover([cluster], writes=True)
    with pytest.raises(PullguardError, match=r"^none/pullguard.schema.json: cannot be written \(No such file"):
        discover([cluster], writes=True, configuration=Path("none/pullguard.yaml"))
    with pytest.raises(PullguardError, match=r"^none.yaml: there is no such file; `pullguard init` writes one"):
        discover([cluster], configuration=Path("none.yaml"))
    (folder / "bad.yaml").write_text("protectedNamespace: {}\n")
    with pytest.raises(PullguardError, match=r"bad.yaml:1"):
        discover([cluster], configuration=Path("bad.yaml"))


def test_json(cluster: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["discover", "--severity", "high", "-o", "json", cluster]) == 1
    found = json.loads(capsys.readouterr().out)
    namespaces = found.pop("namespaces")
    assert found == {
        "format": "pullguard-discover/v1",
        "source": "the files",
        "severity": "high",
        "configuration": None,
        "customKinds": [
            {
                "group": "shop.example.com",
                "kind": "Order",
                "known": False,
                "policies": list(_JUDGING),
                "stated": [],
                "entry": _ORDER,
                "unsaid": [],
                "parts": [],
                "unknown": [],
            }
        ],
        "unreadable": {},
        "errors": [],
        "notes": [_ABSENT, _NOTE],
        "written": None,
        "summary": {"newNamespaces": 5, "newKinds": 1},
    }
    assert namespaces[3] == {
        "name": "rules",
        "severity": "high",
        "new": True,
        "protected": [],
        "assumed": [],
        "reasons": [
            {
                "reason": "fail-webhook",
                "severity": "high",
                "title": "has a webhook with failurePolicy Fail",
                "shown": [
                    {
                        "object": "ValidatingWebhookConfiguration/rules",
                        "detail": "pods.rules.example.com; may refuse what brings back pods or nodes: creation, nodes",
                    }
                ],
            }
        ],
    }


def test_workloads_by_their_pods(folder: Path) -> None:
    """Pods stand for the workloads that they belong to; what is idle or done counts for nothing."""
    critical = "system-node-critical"
    dump = _files(
        folder,
        _pod("web-1-a", "ReplicaSet/web-1", priorityClassName=critical),
        _pod("web-1-b", "ReplicaSet/web-1", priorityClassName=critical),
        _pod("agent-x", "DaemonSet/agent", priorityClassName=critical),
        _pod("alone", priorityClassName=critical),
        {**_pod("done", priorityClassName=critical), "status": {"phase": "Succeeded"}},
        _object(
            "Deployment",
            "idle",
            "n",
            "apps/v1",
            spec={"replicas": 0, "template": {"spec": {"priorityClassName": critical}}},
        ),
        _object(
            "CronJob",
            "nightly",
            "n",
            "batch/v1",
            spec={"jobTemplate": {"spec": {"template": {"spec": {"priorityClassName": critical}}}}},
        ),
    )
    ((namespace,),) = [discover([dump]).namespaces]
    ((reason,),) = [namespace.reasons]
    assert [each.object for each in reason.shown] == [
        *("CronJob/n/nightly", "DaemonSet/n/agent", "Deployment/n/web", "Pod/n/alone")
    ]


def test_what_makes_a_csi_driver_once_it_runs(folder: Path) -> None:
    image = "example.org/csi-node-driver-registrar:v2"
    env = [None, {"name": "A", "valueFrom": {}}, {"name": "B", "value": 5}, {"name": "C", "value": image}]
    template = {"spec": {"containers": [{"image": "example.org/operator:1", "env": env}]}}
    report = discover(
        [_files(folder, _object("Deployment", "operator", "disks", "apps/v1", spec={"template": template}))]
    )
    assert _found(report) == {"disks": ("high", ["csi"])}
    assert report.namespaces[0].reasons[0].shown == (Shown("Deployment/disks/operator", image),)


def test_objects_without_a_namespace(folder: Path) -> None:
    file = folder / "m.yaml"
    file.write_text(yaml.safe_dump(_object("Service", "kube-dns")))
    with pytest.raises(PullguardError) as refused:
        discover([str(file)])
    assert str(refused.value) == (
        "the input holds no object of a kind that this command reads, but 1 without a namespace, which is left out; "
        "docs/discover.md says which kinds; --namespace says where objects go that state no namespace"
    )
    assert _found(discover([str(file)], namespace="here")) == {"here": ("high", ["dns"])}
    with pytest.raises(
        PullguardError, match=r"^objects of a live cluster state their namespace; leave out --namespace$"
    ):
        discover(namespace="here")


def test_what_is_not_the_name_of_a_namespace(folder: Path) -> None:
    report = discover(
        [_files(folder, _object("Service", "kube-dns", "${NS}"), _object("Service", "kube-dns", "a\x1b[2J"))]
    )
    assert (report.namespaces, report.exit_code) == ((), 0)
    assert report.notes[1] == "not the name of a namespace, so left out: ${NS}, a\x1b[2J"
    text = io.StringIO()
    REPORTERS["text"](report, text)
    assert "a\\x1b[2J" in text.getvalue()
    assert "\x1b" not in text.getvalue()


def test_a_registry_that_is_stated(folder: Path) -> None:
    dump = _files(
        folder,
        _object("Service", "mirror", "infra", spec={}),
        _object(
            "Deployment", "web", "n", "apps/v1", spec={"template": {"spec": {"containers": [{"image": "quay.io/a:1"}]}}}
        ),
    )
    assert _found(discover([dump])) == {}
    assert _found(discover([dump], registry_services=["infra/mirror=quay.io"])) == {"infra": ("high", ["registry"])}


@pytest.mark.parametrize(
    "field", ["containers", "volumes", "initContainers", "priorityClassName", "hostNetwork", "labels"]
)
def test_values_that_the_api_server_refuses(folder: Path, field: str) -> None:
    """They cost nothing else its reasons."""
    template: JSON = {"metadata": {"labels": {}}, "spec": {"containers": [{"image": "fluxcd/source-controller:1"}]}}
    objects = [_object("DaemonSet", "sound", "n", "apps/v1", spec={"template": template})]
    for number, odd in enumerate([None, 5, "x", [], ["x"], {}, [None], {"x": ["y"]}]):
        odd_one = json.loads(json.dumps(template))
        odd_one["metadata" if field == "labels" else "spec"][field] = odd
        objects.append(_object("DaemonSet", f"odd-{number}", "n", "apps/v1", spec={"template": odd_one}))
    found = discover([_files(folder, *objects)])
    assert "DaemonSet/n/sound" in {shown.object for shown in found.namespaces[0].reasons[0].shown}


@pytest.mark.parametrize("forbidden", ["", "CustomResourceDefinition", "Pod"])
def test_a_live_cluster(folder: Path, checkout: Path, kubectl: str, forbidden: str) -> None:
    documents = list(yaml.safe_load_all((checkout / "tests/data/discover/cluster.yaml").read_text("utf-8")))
    objects: dict[str, list[JSON]] = {}
    for document in documents:
        objects.setdefault(document["kind"], []).append(document)
    server = ReadOnlyCluster(kinds(load(ENGINE, packaged_library())), objects, forbidden=[forbidden])
    try:
        kubeconfig = server.write_kubeconfig(folder / "kubeconfig")
        report = discover(kubeconfig=str(kubeconfig), kubectl=kubectl)
    finally:
        server.stop()
    assert _found(report) == _CLUSTER
    assert len(report.new_kinds) == (forbidden != "CustomResourceDefinition")
    assert dict(report.unreadable) == ({forbidden: "forbidden"} if forbidden else {})
    assert report.exit_code == (2 if forbidden else 1)


#: The namespaces of real manifests, all of them at once; those that state none are in "stated-nowhere".
_CORPUS: Mapping[str, tuple[str, list[str]]] = {
    "gatekeeper-system": ("high", ["fail-webhook", "policy-engine", "ignore-webhook"]),
    "ingress-nginx": ("high", ["fail-webhook"]),
    "kube-flannel": ("high", ["cni", "priority"]),
    "kube-system": ("high", ["cni", "csi", "node-plugin", "priority"]),
    "metallb-system": ("high", ["conversion-webhook", "custom-webhook"]),
    "spire": ("high", ["csi"]),
    "stated-nowhere": ("high", ["csi", "gitops", "priority"]),
    "cert-manager": ("medium", ["aggregated-api"]),
    "nvidia-device-plugin": ("medium", ["node-plugin", "priority"]),
    "default": ("low", ["custom-webhook"]),
    "elastic-system": ("low", ["ignore-webhook"]),
    "gateway-conformance-infra": ("low", ["dns-port"]),
}


@pytest.mark.usefixtures("folder")
def test_real_manifests(checkout: Path) -> None:
    """Of the hundred applications among them, none is taken for something that others depend on."""
    corpus = checkout.parent / "shared" / "corpus" / "real"
    if not corpus.exists():
        pytest.skip("manifests of other projects are not part of the repository: put them into ../shared/corpus")
    report = discover([str(corpus)], namespace="stated-nowhere")
    assert _found(report) == _CORPUS
    assert [kind.name for kind in report.new_kinds] == []


_RENDERED = {
    "kustomize/argoproj.argo-cd__manifests_ha_namespace-install.yaml": {"apps": ("medium", ["gitops"])},
    "kustomize/kubernetes-sigs.metrics-server__manifests_overlays_release.yaml": {
        "kube-system": ("medium", ["aggregated-api", "priority"])
    },
    "kustomize/kserve.kserve__config_overlays_addons_localmodel.yaml": {"kserve": ("low", ["custom-webhook"])},
    "kustomize/openshift.hypershift__contrib_gomaxprocs-webhook_manifests.yaml": {
        "hypershift": ("low", ["ignore-webhook"])
    },
    "kustomize/GoogleCloudPlatform.microservices-demo__kubernetes-manifests.yaml": {},
    "helm/kserve.kserve__kserve-resources.yaml": {"kube-system": ("high", ["fail-webhook", "custom-webhook"])},
    "helm/FairwindsOps.charts__vpa.yaml": {"kube-system": ("low", ["ignore-webhook"])},
    "helm/stefanprodan.podinfo__podinfo.yaml": {},
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", _RENDERED)
def test_real_charts_and_kustomizations(checkout: Path, name: str) -> None:
    file = checkout.parent / "shared" / "charts" / "rendered" / name
    if not file.exists():
        pytest.skip("charts of other projects are not part of the repository: put them into ../shared/charts")
    assert _found(discover([str(file)], namespace="apps")) == _RENDERED[name]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("cert-manager", {"cert-manager": ("low", ["custom-webhook"])}),
        ("gatekeeper", {"gatekeeper-system": ("high", ["fail-webhook", "ignore-webhook"])}),
        ("istio", {"istio-system": ("high", ["fail-webhook", "custom-webhook"])}),
        ("kyverno", {"kyverno": ("high", ["fail-webhook", "custom-webhook", "ignore-webhook"])}),
        ("linkerd-ha", {"linkerd": ("high", ["fail-webhook", "custom-webhook"])}),
        ("metrics-server", {"kube-system": ("medium", ["aggregated-api"])}),
    ],
)
@pytest.mark.usefixtures("folder")
def test_real_webhooks(checkout: Path, name: str, found: JSON) -> None:
    assert _found(discover([str(checkout / f"tests/data/webhooks/{name}.yaml")])) == found
