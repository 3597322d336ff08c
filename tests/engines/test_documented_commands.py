"""Every command line in the documentation runs, and every output that it shows is what the command prints.

A page has a folder of its own, with a repository, charts, a library and a cluster (tests/data/documented, and below).
Its commands run there, one after the other, as somebody types them. What needs more than that stands in _ELSEWHERE,
with the test that runs it. A page that is not in _PAGES, and a command that neither ends as it should nor is run
elsewhere, fail.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

import audit_samples
from documented_commands import Commands, Output, blocks, run
from pullguard import cli
from pullguard.cluster.snapshot import Kind
from pullguard.completion.manual import commands as parsers
from pullguard.core.resources import packaged_library
from pullguard.discover.command import kinds as discover_kinds
from pullguard.forecasting.situation import kinds as forecast_kinds
from pullguard.library.store import load
from pullguard.scope.command import kinds as scope_kinds
from read_only_cluster import ReadOnlyCluster
from shared_engine import ENGINE

_CHECKOUT = Path(__file__).resolve().parent.parent.parent
_DATA = _CHECKOUT / "tests/data/documented"

#: What the words in capitals stand for, where a page shows how a command is written.
_WORDS = {
    "[PATH...]": "",
    "PATH...": "deploy/",
    "[FILE]": "new.yaml",
    "CHART": "charts/web",
    "MANIFESTS": "deploy/",
    "POLICY": "protected_pull_policy",
    "SHELL": "bash",
    "NODE": "node-b",
    "worker-1": "node-b",
}


@dataclass(frozen=True, slots=True)
class _Page:
    """How the commands of a page run.

    Attributes:
        finds: The commands that end with 1, since they find something; an asterisk at the end stands for anything. All
            others end with 0.
        cluster: Whether they talk to one.
        without: Files that are not there yet.
        words: What words stand for on this page, over _WORDS.
    """

    finds: tuple[str, ...] = ()
    cluster: bool = False
    without: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)


_PAGES = {
    "README.md": _Page(("pullguard check deploy/", "pullguard outage"), cluster=True),
    "CONTRIBUTING.md": _Page(),
    "SECURITY.md": _Page(),
    "docs/admission.md": _Page(),
    "docs/audit.md": _Page(("pullguard audit*",), cluster=True),
    "docs/benchmarks.md": _Page(("pullguard check --library library MANIFESTS",)),
    "docs/bundles.md": _Page(),
    "docs/chart.md": _Page(),
    "docs/check.md": _Page(
        (
            "pullguard check PATH...",
            "pullguard check .",
            "pullguard check --namespace*",
            "pullguard check --output-file*",
            "helm template CHART | pullguard check -",
        ),
        cluster=True,
    ),
    "docs/ci.md": _Page(("pullguard check --library builtin*",)),
    "docs/conftest.md": _Page(),
    "docs/discover.md": _Page(cluster=True),
    "docs/drill.md": _Page(("pullguard drill plan*",), cluster=True),
    "docs/exit-codes.md": _Page(),
    "docs/fix.md": _Page(("pullguard fix --diff deploy/*", "pullguard fix --diff --pin*"), cluster=True),
    "docs/gitops.md": _Page(),
    "docs/image.md": _Page(),
    "docs/images.md": _Page(cluster=True),
    "docs/incident.md": _Page(),
    "docs/index.md": _Page(("pullguard check deploy/", "pullguard outage"), cluster=True),
    "docs/install.md": _Page(("kubectl pullguard outage*",), cluster=True, words={"prod.yaml": "kubeconfig"}),
    "docs/kinds.md": _Page(),
    "docs/library.md": _Page(),
    "docs/limits.md": _Page(),
    "docs/operate.md": _Page(),
    "docs/outage.md": _Page(("pullguard outage*",), cluster=True),
    "docs/prefetch.md": _Page(
        (
            "pullguard prefetch [PATH...]",
            "pullguard prefetch -o daemonset > prefetch.yaml",
            "pullguard prefetch -o script*",
        ),
        cluster=True,
    ),
    "docs/python.md": _Page(),
    "docs/scope.md": _Page(cluster=True),
    "docs/security.md": _Page(),
    "docs/suites.md": _Page(),
    "docs/tour.md": _Page(
        (
            "pullguard check*",
            "helm template CHART | pullguard check -",
            "pullguard fix --diff deploy/",
            "pullguard outage*",
            "pullguard prefetch*",
            "pullguard drill plan*",
            "pullguard audit*",
        ),
        cluster=True,
        without=("pullguard.yaml", "pullguard.schema.json"),
    ),
    "docs/versions.md": _Page(),
    "library/README.md": _Page(),
}

#: Pages whose commands are those of another one, and the test that says so.
_AS_ANOTHER = dict.fromkeys(
    ("README.zh-CN.md", "docs/tour.zh-CN.md"),
    "tests/engines/test_readme.py::test_the_chinese_version_has_the_same_commands",
)

_INSTALL = "tests/cluster/test_install.py::"
_APPLIED = f"{_INSTALL}test_the_documented_commands_apply_it"
_EVERY_FOLDER = f"{_INSTALL}test_every_kustomization_applies"
_UNINSTALL = f"{_INSTALL}test_an_older_library_is_upgraded"
_GATOR = f"{_INSTALL}test_gator_installs_the_catalog"
_ADOPTED = "tests/cluster/test_bundles.py::test_gator_adopts_templates_of_kubectl_once_they_are_labelled"
_GLASS = "tests/cluster/test_recovery.py::test_breaking_the_glass_ends_with_the_repaired_manifest"
_INCIDENT = "tests/incident/test_incident.py::test_with_the_remedy_gatekeeper_is_back_and_the_registry_is_not"
_PREFETCH = "tests/incident/test_prefetch.py::test_the_kubelet_pulls_all_but_the_one_that_is_not_there"
_DRILL = "tests/incident/test_drill.py::test_the_documented_rights_are_enough_for_the_documented_run"
_HELM = "tests/integrations/test_helm.py::test_it_changes_nothing_but_pull_policies"
_MUTATORS = "tests/cluster/test_mutators.py::"
_CHART = "tests/cluster/test_chart.py::test_it_is_installed_in_two_steps_upgraded_and_removed"
_IMAGE = "tests/dist/test_image.py::"
_WHEEL = "tests/dist/test_wheels.py::test_a_wheel_is_all_that_is_needed"
_KREW = "tests/dist/test_krew.py::test_kubectl_finds_it"
_OCI = "tests/dist/test_library_bundles.py::"

#: What a command begins with that does not run here, and the test that runs it in what it needs.
_ELSEWHERE = {
    # A cluster that it changes.
    "kubectl apply -k templates": _APPLIED,
    "kubectl apply -k library/templates": _APPLIED,
    "kubectl apply -k admission/warn": _EVERY_FOLDER,
    "kubectl apply -k library/": _EVERY_FOLDER,
    "kubectl apply -k overlay": "tests/integrations/test_helm.py::test_an_overlay_of_a_vendor",
    "kubectl apply -f docs/audit-cronjob.yaml": "tests/audit/test_live_audit.py::test_the_documented_rights_are_enough",
    "kubectl apply --server-side -f gatekeeper.yaml": _INCIDENT,
    "kubectl apply --server-side --force-conflicts -f gatekeeper.yaml": _GLASS,
    "kubectl apply -f prefetch.yaml": _PREFETCH,
    "kubectl get pods --all-namespaces --selector app.kubernetes.io/name=pullguard-prefetch": _PREFETCH,
    "kubectl delete daemonsets,serviceaccounts --all-namespaces --selector": _PREFETCH,
    "kubectl delete --ignore-not-found -k library/": _UNINSTALL,
    "kubectl delete --ignore-not-found validatingwebhookconfiguration/": _GLASS,
    "kubectl delete k8sprotectedpullpolicy/": _UNINSTALL,
    "kubectl delete constraints -l": _ADOPTED,
    "kubectl label -k library/templates": _ADOPTED,
    "kubectl annotate -k library/templates": _ADOPTED,
    "kubectl run probe -n default": f"{_MUTATORS}test_always_elsewhere_leaves_protected_namespaces_alone",
    "kubectl -n gatekeeper-system logs": "tests/audit/test_live_audit.py::test_status_log_and_rescan_agree",
    "kubectl get constraints\n": "tests/audit/test_live_audit.py::test_dumps_give_the_same_report",
    "helm template CHART | pullguard fix --namespace kube-system - | kubectl apply": _HELM,
    "gator policy": _GATOR,
    "export GATOR_CATALOG_URL": _GATOR,
    # A node that it cuts off.
    "pullguard drill run": _DRILL,
    "drill": _DRILL,
    # Programs that `make test` does not build, and registries.
    "helm upgrade --install web CHART": _HELM,
    "helm plugin install integrations/helm-plugin": _HELM,
    "helm upgrade --reuse-values": _GLASS,
    "conftest pull": f"{_OCI}test_what_is_pulled_for_conftest_is_the_folder",
    "conftest test -p pullguard/policy": f"{_OCI}test_conftest_says_the_same_by_the_bundle",
    "conftest test --update": f"{_OCI}test_conftest_takes_the_bundle_in_one_command",
    "gator test --image": f"{_OCI}test_the_documented_gator_command_fails_for_findings",
    "packaging/push-library": f"{_OCI}test_the_folder_comes_as_one_layer_that_flux_and_argo_take",
    "make ": "tests/engines/test_documented_commands.py::test_targets_of_make_are_there",
    "pip install --require-hashes": "tests/integrations/test_ci_systems.py::test_only_locked_wheels_are_installed",
    "pip install git+": "tests/dist/test_wheels.py::test_a_wheel_can_be_built_from_the_sdist",
    "pip install": _WHEEL,
    "pip download": _WHEEL,
    "pipx install": _WHEEL,
    "gh attestation verify": "tests/unit/test_workflows.py::test_what_users_verify_is_what_a_release_verifies",
    "sha256sum --check": "tests/unit/test_release.py::test_what_is_written",
    "kubectl krew install": _KREW,
    "docker run": f"{_IMAGE}test_it_says_what_this_checkout_says",
    "docker build": f"{_IMAGE}test_the_dockerfile_says_the_same",
    "tar -xOf pullguard-image": f"{_IMAGE}test_its_labels_say_where_it_comes_from",
    "sed 's/OWNER/": "tests/incident/test_scheduled_jobs.py::test_the_pushgateway_has_the_forecast",
    "helm upgrade --install library": _CHART,
    "helm uninstall library": _CHART,
    "kubectl wait --for=jsonpath": _CHART,
    # Hours, on files that are not here.
    "gator test -f library/policies/": "tests/oracles/test_gator_corpus.py::test_real_and_hard_manifests",
    # Output of a program that a page shows as a whole.
    "an installed pullguard": "tests/engines/test_version.py::test_text",
    "the chart": "tests/integrations/test_library_chart.py::test_values_that_cannot_be_right_are_refused",
    "the example": "tests/engines/test_python.py::test_the_example_of_the_page",
    # Options of kube-apiserver.
    "--feature-gates=": f"{_MUTATORS}test_the_mutating_policy_changes_pinned_images_in_every_protected_namespace",
}

#: The programs that may run here. None of them asks anything but the cluster on loopback; those of _DATA/bin stand in.
_PROGRAMS = ("bash", "cat", "cut", "dirname", "env", "git", "mv", "printf", "sh", "sha1sum", "test", "true", "xargs")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what the folder of each page is a copy of: a repository of git, and programs beside it."""
    folder = tmp_path_factory.mktemp("documented")
    place, programs = folder / "repository", folder / "bin"
    shutil.copytree(_DATA, place, ignore=shutil.ignore_patterns("bin"))
    for name in ("outage", "images", "prefetch", "discover", "pin"):
        shutil.copytree(_CHECKOUT / "tests/data" / name, place / "tests/data" / name)
    shutil.copytree(_CHECKOUT / "library", place / "library")
    shutil.copy(_CHECKOUT / "pullguard.yaml", place)
    (place / "audit.log").write_text(audit_samples.log([audit_samples.violation("Pod", "dns")]), "utf-8")
    stock = _CHECKOUT / ".tools/manifests/gatekeeper.yaml"
    if stock.exists():
        (place / ".tools/manifests").mkdir(parents=True)
        shutil.copy(stock, place / ".tools/manifests")
        shutil.copy(stock, place)
    _git(place, "init -q", "add -A", "commit -q -m x", "update-ref refs/remotes/origin/main HEAD")
    shutil.copytree(_DATA / "bin", programs)
    for name in _PROGRAMS:
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    for name in ("conftest", "gator"):
        (programs / name).symlink_to(_CHECKOUT / ".tools/bin" / name)
    for name in ("pullguard", "kubectl-pullguard"):
        _write_program(programs / name, f'exec {sys.executable} -m pullguard "$@"')
    return folder


def _git(folder: Path, *commands: str) -> None:
    for command in commands:
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *command.split()]
        subprocess.run(git, cwd=folder, check=True, capture_output=True, timeout=60)


def _write_program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)


@pytest.fixture(scope="module")
def cluster_programs(kubectl: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a kubectl that remembers what the real one has got: nothing changes in this cluster."""
    folder = tmp_path_factory.mktemp("kubectl")
    (folder / "got").mkdir()
    text = f"""\
case " $* " in
  *" get "*) ;;
  *" pullguard "*) exec {kubectl} "$@" ;;
  *) echo "kubectl $*: it changes the cluster" >&2; exit 64 ;;
esac
got={folder}/got/$(printf %s "$*" | sha1sum | cut -c1-40)
if ! test -e "$got"; then
  {kubectl} "$@" >"$got.$$" || exit
  mv "$got.$$" "$got"
fi
exec cat "$got\""""
    _write_program(folder / "kubectl", text)
    return folder


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield the kubeconfig of a cluster that has what tests/data/outage/cluster.yaml holds."""
    library = load(ENGINE, packaged_library())
    extra = (
        Kind("templates.gatekeeper.sh", "ConstraintTemplate", "constrainttemplates"),
        Kind("expansion.gatekeeper.sh", "ExpansionTemplate", "expansiontemplate"),
    )
    kinds = {
        (kind.group, kind.kind): kind
        for kind in (*forecast_kinds(library), *discover_kinds(library), *scope_kinds(library), *extra)
    }
    objects: dict[str, list[dict[str, Any]]] = {}
    for each in yaml.safe_load((_CHECKOUT / "tests/data/outage/cluster.yaml").read_text("utf-8"))["items"]:
        objects.setdefault(each["kind"], []).append(each)
    audited = audit_samples.constraint([audit_samples.violation("Pod", "dns")])
    objects[audited["kind"]] = [{**each, "status": audited["status"]} for each in objects[audited["kind"]]]
    objects["ConstraintTemplate"] = [
        yaml.safe_load((_CHECKOUT / "library/policies/protected_pull_policy/template.yaml").read_text("utf-8"))
    ]
    server = ReadOnlyCluster(tuple(kinds.values()), objects, chunk=500)
    yield server.write_kubeconfig(tmp_path_factory.mktemp("cluster") / "kubeconfig")
    server.stop()


def _elsewhere(command: str) -> str | None:
    found = [to for begins, to in _ELSEWHERE.items() if f"{command}\n".startswith(begins)]
    return found[0] if found else None


def _runs_here(block: Commands | Output) -> bool:
    commands = (block.command,) if isinstance(block, Output) else block.commands
    return any(_elsewhere(command) is None for command in commands)


def _finds(command: str, page: _Page) -> bool:
    return any(command.startswith(one[:-1]) if one.endswith("*") else command == one for one in page.finds)


def _substituted(command: str, page: _Page) -> str:
    for word, stands_for in {**_WORDS, **page.words}.items():
        command = re.sub(rf"(?<![\w-]){re.escape(word)}(?![\w-])", stands_for, command)
    return command


@pytest.mark.parametrize("name", sorted(_PAGES))
def test_the_commands_of_a_page(name: str, template: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    page = _PAGES[name]
    found = [block for block in blocks((_CHECKOUT / name).read_text("utf-8")) if _runs_here(block)]
    if not found:
        return
    shutil.copytree(template, tmp_path, dirs_exist_ok=True, symlinks=True)
    place = tmp_path / "repository"
    _git(place, *(f"rm -q --ignore-unmatch {name}" for name in page.without), "commit -q --allow-empty -m x")
    path = [str(tmp_path / "bin")]
    environment = {"HOME": str(tmp_path), "EDITOR": "true", "LANG": "C.UTF-8", "KUBECONFIG": "/nowhere"}
    if page.cluster:
        path.insert(0, str(request.getfixturevalue("cluster_programs")))
        config = request.getfixturevalue("kubeconfig")
        shutil.copy(config, place / "kubeconfig")
        environment["KUBECONFIG"] = str(config)
    environment["PATH"] = ":".join(path)
    for folder in (".zfunc", ".config/fish/completions"):
        (tmp_path / folder).mkdir(parents=True)
    wrong = []
    for block in found:
        _git(place, "checkout -q -- .")  # what an earlier block has fixed is wrong again
        if isinstance(block, Output):
            if not block.command:
                wrong.append(f"no comment says what prints this: {block.text[:60]!r}")
            else:
                (done,) = run([_substituted(block.command, page)], place, environment)
                out = done.out if block.whole else done.out[: len(block.text)]
                if out != block.text or done.code not in {0, 1}:
                    wrong.append(f"{block.command} prints something else: {done.out}")
            continue
        here = [command for command in block.commands if _elsewhere(command) is None]
        for command, done in zip(
            here, run([_substituted(each, page) for each in here], place, environment), strict=True
        ):
            if done.code != _finds(command, page):
                wrong.append(f"{command!r}: exit code {done.code}, {done.out[-300:]!r}")
    assert wrong == [], "\n".join(["WRONG", *wrong, "END"])


def test_every_page_is_listed(checkout: Path) -> None:
    pages = {
        path.relative_to(checkout).as_posix() for path in (*checkout.glob("*.md"), *(checkout / "docs").glob("*.md"))
    }
    assert pages - {"CHANGELOG.md", "CODE_OF_CONDUCT.md"} == ({*_PAGES, *_AS_ANOTHER} - {"library/README.md"})


def test_pages_of_policies_have_no_commands(checkout: Path) -> None:
    """Those that they had would be run by nothing."""
    for page in (checkout / "library/policies").glob("*/README.md"):
        assert list(blocks(page.read_text("utf-8"))) == [], page


@pytest.mark.parametrize("test", sorted({*_ELSEWHERE.values(), *_AS_ANOTHER.values()}))
def test_what_runs_a_command_elsewhere_is_there(test: str, checkout: Path) -> None:
    file, _, name = test.partition("::")
    assert re.search(rf"^ *def {name}\(", (checkout / file).read_text("utf-8"), re.MULTILINE), test


def test_nothing_is_listed_that_no_page_has(checkout: Path) -> None:
    found = [
        command
        for name in _PAGES
        for block in blocks((checkout / name).read_text("utf-8"))
        for command in ((block.command,) if isinstance(block, Output) else block.commands)
    ]
    assert [
        begins for begins in _ELSEWHERE if not any(map(f"{command}\n".startswith, [begins]) for command in found)
    ] == []


def test_targets_of_make_are_there(checkout: Path) -> None:
    """.ci/run makes those that test something; the demo is what the output in the README shows."""
    targets = set(re.findall(r"^([a-z-]+):", (checkout / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        target
        for name in _PAGES
        for block in blocks((checkout / name).read_text("utf-8"))
        if isinstance(block, Commands)
        for command in block.commands
        if command.startswith("make ")
        for target in command.split()[1:]
    }
    assert "demo" in named
    assert named - targets == set()


_INLINE = re.compile(r"`(pullguard [^`\n]+)`")


def test_commands_within_sentences_have_the_options_that_there_are(checkout: Path) -> None:
    """They do not run, as many are parts of a command line."""
    known = parsers(cli.parser())
    wrong = []
    for name in _PAGES:
        for line in _INLINE.findall((checkout / name).read_text("utf-8")):
            command, *words = line.split()[1:]
            if not re.fullmatch("[a-z-]+", command) or command.startswith("-"):
                continue  # such as `pullguard COMMAND`
            options = {option for action in known[command]._actions for option in action.option_strings}  # noqa: SLF001 - argparse has no public list
            wrong += [line for word in words if word.startswith("--") and word.partition("=")[0] not in options]
    assert wrong == []
