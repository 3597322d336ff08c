"""Rules and a policy with other names than before: whatever users wrote with the former ones still counts."""

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

import small_library as small
from pullguard.check.command import check
from pullguard.check.formats import REPORTERS
from pullguard.core.errors import PullguardError
from pullguard.core.findings import Report
from pullguard.core.gatekeeper import Deprecation, Rule, template_from
from pullguard.explain import explain
from pullguard.fix.command import fix
from pullguard.generate.command import generate
from pullguard.library import ruleset

POLICY = "protected_pull_policy"
METADATA = {
    "#   version: 1.1.0\n": "#   version: 2.0.0\n#   aliases: [images_present, image_present]\n",
    "#       id: pull-policy-always\n": "#       id: registry-needed\n#       aliases: [pull-policy-always, always]\n",
    "#       id: pull-policy-disallowed\n": (
        "#       id: pull-policy-disallowed\n"
        "#       deprecated: {since: 0.2.0, because: nobody | anybody needs it, use: registry-needed}\n"
    ),
}
DEPRECATED = (
    "pull-policy-disallowed is deprecated since pullguard 0.2.0: nobody | anybody needs it; use registry-needed instead"
)
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "dns", "namespace": "kube-system"},
    "spec": {"containers": [{"name": "c", "image": "q.io/a:v1", "imagePullPolicy": "Always"}]},
}
STATED = "{parameters: {impliedPolicy: allow, allowedPolicies: [IfNotPresent]}}"


@pytest.fixture(scope="module")
def before(image_library: Path) -> str:
    return str(image_library)


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    """Return a folder with rego/ and library/ in which the policy and one of its rules are renamed."""
    folder = tmp_path_factory.mktemp("renamed")
    rego = folder / "rego"
    shutil.copytree(checkout / "rego", rego, ignore=shutil.ignore_patterns("policies"))
    shutil.copytree(checkout / "rego/policies" / POLICY, rego / "policies" / POLICY)
    module = rego / "policies" / POLICY / f"{POLICY}.rego"
    text = module.read_text("utf-8")
    for old, new in METADATA.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    module.write_text(text, "utf-8")
    _generate(folder, checkout, f"{{image_present: {STATED}}}")
    return folder


def _generate(folder: Path, checkout: Path, policies: str) -> tuple[str, ...]:
    """Generate the library with what pullguard.yaml says of policies; return the notes."""
    config = folder / "pullguard.yaml"
    config.write_text(f"{(checkout / 'pullguard.yaml').read_text('utf-8')}policies: {policies}\n", "utf-8")
    return generate(config, folder / "library", rego=folder / "rego").notes


def _pod(exempt: str | None = None, policy: str = "Always") -> dict[str, Any]:
    annotations = {} if exempt is None else {"annotations": {"pullguard/exempt": exempt}}
    return {
        **POD,
        "metadata": {"name": "dns", "namespace": "kube-system", **annotations},
        "spec": {"containers": [{"name": "c", "image": "q.io/a:v1", "imagePullPolicy": policy}]},
    }


def _written(report: Report, form: str) -> Any:
    stream = io.StringIO()
    REPORTERS[form](report, stream)
    return json.loads(stream.getvalue())


def test_a_baseline_knows_what_it_knew(
    tmp_path: Path, before: str, after: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small.write_manifests(Path("pod.yaml"), POD)
    found = check(["pod.yaml"], library=before, baseline="known.json", write_baseline=True)
    assert found.baseline is not None
    assert [known.rule for known in found.baseline.known] == ["pull-policy-always"]
    again = check(["pod.yaml"], library=str(after / "library"), baseline="known.json")
    assert again.findings == ()
    assert again.baseline is not None
    assert [known.rule for known in again.baseline.known] == ["registry-needed"]
    assert again.baseline.gone == ()


@pytest.mark.parametrize("engine", ["opa", "conftest"])
def test_reports_say_the_present_id_and_keep_the_fingerprint(
    tmp_path: Path, before: str, after: Path, engine: str
) -> None:
    file = small.write_manifests(tmp_path / "pod.yaml", POD)
    old, new = check([file], library=before), check([file], library=str(after / "library"), engine=engine)
    (was,), (found,) = old.findings, new.findings
    assert (found.rule, found.policy) == ("registry-needed", POLICY)
    assert replace(found, rule=was.rule) == was
    for form in ("json", "gitlab"):
        expected = json.loads(json.dumps(_written(old, form)).replace("pull-policy-always", "registry-needed"))
        assert _written(new, form) == expected


def test_sarif_has_the_former_ids(tmp_path: Path, checkout: Path, after: Path) -> None:
    file = small.write_manifests(tmp_path / "pod.yaml", POD)
    log = _written(check([file], library=str(after / "library")), "sarif")
    schema = json.loads((checkout / "tests/schemas/sarif-2.1.0.json").read_text("utf-8"))
    jsonschema_rs.validator_for(schema).validate(log)
    rules = {rule["id"]: rule for rule in log["runs"][0]["tool"]["driver"]["rules"]}
    assert rules["registry-needed"]["deprecatedIds"] == ["pull-policy-always", "always"]
    assert [name for name, rule in rules.items() if "deprecatedIds" in rule] == ["registry-needed"]
    assert {
        name: rule["properties"]["deprecated"] for name, rule in rules.items() if "deprecated" in rule["properties"]
    } == {
        "pull-policy-disallowed": {
            "since": "0.2.0",
            "because": "nobody | anybody needs it",
            "use": "registry-needed",
        }
    }
    assert f"This rule {DEPRECATED.partition(' ')[2]}." in rules["pull-policy-disallowed"]["help"]["text"]


@pytest.mark.parametrize("name", ["images_present", "image_present"])
@pytest.mark.parametrize("is_bundle", [True, False])
def test_an_exemption_by_a_former_name_counts(tmp_path: Path, after: Path, name: str, *, is_bundle: bool) -> None:
    library = tmp_path / "library"
    shutil.copytree(after / "library", library)
    if not is_bundle:
        (library / "MANIFEST").unlink()
    file = small.write_manifests(tmp_path / "pod.yaml", _pod(f"{name}: the vendor's"))
    report = check([file], library=str(library))
    assert report.findings == ()
    assert [(entry.finding.rule, entry.reason) for entry in report.exempt] == [("registry-needed", "the vendor's")]
    assert f"{file}: Pod dns is exempt from {name}: write {POLICY}, as it is called now" in report.notes


def test_what_is_exempt_is_not_fixed(tmp_path: Path, after: Path) -> None:
    file = small.write_manifests(tmp_path / "pod.yaml", _pod("images_present: the vendor's"))
    text = Path(file).read_text("utf-8")
    fix([file], library=str(after / "library"))
    assert Path(file).read_text("utf-8") == text


def test_an_id_in_an_exemption_is_no_policy(tmp_path: Path, after: Path) -> None:
    file = small.write_manifests(tmp_path / "pod.yaml", _pod("always: x"))
    report = check([file], library=str(after / "library"))
    assert [found.rule for found in report.findings] == ["registry-needed"]
    assert (
        f"{file}: Pod dns is exempt from always, which is not a policy of the library; did you mean {POLICY}?"
        in report.notes
    )


def test_a_finding_of_a_rule_that_will_go(tmp_path: Path, after: Path) -> None:
    file = small.write_manifests(tmp_path / "pod.yaml", _pod(policy="Never"))
    report = check([file], library=str(after / "library"))
    assert [found.rule for found in report.findings] == ["pull-policy-disallowed"]
    assert f"the rule {DEPRECATED}" in report.notes
    other = check([small.write_manifests(tmp_path / "pod.yaml", POD)], library=str(after / "library"))
    assert [note for note in other.notes if "deprecated" in note] == []


@pytest.mark.parametrize(
    ("name", "remark"),
    [
        ("registry-needed", ""),
        (POLICY, ""),
        ("pull-policy-always", "> pull-policy-always is called registry-needed now.\n\n"),
        ("always", "> always is called registry-needed now.\n\n"),
        ("images_present", f"> images_present is called {POLICY} now.\n\n"),
        ("pull-policy-disallowed", f"> {DEPRECATED}.\n\n"),
    ],
)
def test_pages_by_every_name(after: Path, name: str, remark: str) -> None:
    page = explain(name, library=str(after / "library"))
    assert page.startswith(f"{remark}# Protected pull policy\n")
    assert page.removeprefix(remark) == explain(POLICY, library=str(after / "library"))


def test_a_page_says_what_was_called_otherwise(after: Path) -> None:
    page = (after / f"library/policies/{POLICY}/README.md").read_text("utf-8")
    rules, _, rest = page.partition("## Rules\n")[2].partition("\n## Examples")
    assert rest
    assert rules.partition("\n\n")[2] == (
        "- The policy was called `images_present` before: exemptions and pullguard.yaml may still say so.\n"
        "- The policy was called `image_present` before: exemptions and pullguard.yaml may still say so.\n"
        "- `pull-policy-always` is called `registry-needed` now.\n"
        "- `always` is called `registry-needed` now.\n"
        f"- `pull-policy-disallowed` {DEPRECATED.partition(' ')[2]}.\n"
    )


def test_a_template_holds_the_former_names(after: Path) -> None:
    value = yaml.safe_load((after / f"library/templates/{POLICY}.yaml").read_text("utf-8"))
    template = template_from(value, "t.yaml")
    assert template.aliases == ("images_present", "image_present")
    assert template.rules["always"] == Rule(
        "registry-needed",
        "high",
        "The pull policy is Always, so the pod cannot start without its registry",
        ("pull-policy-always", "always"),
    )
    assert template.rules["always"].first_id == "pull-policy-always"
    assert template.rules["disallowed"].deprecated == Deprecation(
        "0.2.0", "nobody | anybody needs it", "registry-needed"
    )


@pytest.mark.parametrize("text", ["x", "{}", "[1]", '"a"'])
def test_an_annotation_that_pullguard_did_not_write(text: str) -> None:
    template = {**small.OWNER, "metadata": {"name": "x", "annotations": {"pullguard/aliases": text}}}
    with pytest.raises(PullguardError, match=r"t.yaml: the annotation pullguard/aliases is not what pullguard writes"):
        template_from(template, "t.yaml")


@pytest.mark.parametrize(
    "more",
    [{"aliases": "ab"}, {"aliases": [1]}, {"deprecated": {"since": "1"}}, {"deprecated": {"x": 1}}, {"deprecated": 1}],
)
def test_rules_that_pullguard_did_not_write(more: Any) -> None:
    rules = json.dumps({"x": {"id": "a", "severity": "low", "title": "t", **more}})
    template = {**small.OWNER, "metadata": {"name": "x", "annotations": {"pullguard/rules": rules}}}
    with pytest.raises(PullguardError, match=r"t.yaml: the annotation pullguard/rules is not what pullguard writes"):
        template_from(template, "t.yaml")


def test_pullguard_yaml_may_say_the_former_name(tmp_path: Path, checkout: Path, after: Path) -> None:
    shutil.copytree(after / "rego", tmp_path / "rego")
    now = _generate(tmp_path, checkout, f"{{{POLICY}: {STATED}}}")
    kept = {path: path.read_bytes() for path in sorted((tmp_path / "library").rglob("*")) if path.is_file()}
    notes = _generate(tmp_path, checkout, f"{{image_present: {STATED}}}")
    assert {path: path.read_bytes() for path in kept} == kept
    line = len((checkout / "pullguard.yaml").read_text("utf-8").splitlines()) + 1
    added = [note for note in notes if note not in now]
    assert added == [f"{tmp_path}/pullguard.yaml:{line}: policies.image_present is called {POLICY} now"]
    with pytest.raises(PullguardError) as raised:
        _generate(tmp_path, checkout, f"{{image_present: {STATED}, {POLICY}: {{enabled: true}}}}")
    assert str(raised.value) == (
        f"{tmp_path}/pullguard.yaml:{line}: policies.image_present is the policy {POLICY}, which is stated too; "
        "state it once"
    )
    with pytest.raises(PullguardError, match=rf"yaml:{line}: policies.image_present.enforcement "):
        _generate(tmp_path, checkout, "{image_present: {enforcement: loud}}")


def test_names_that_are_not_clear_exempt_nothing() -> None:
    """Where libraries of others claim names of policies that are there, or claim one name twice."""
    claimed = {"a": ("b", "old", "twice", "own", "own"), "b": ("twice",), "c": ()}
    assert ruleset._policy_aliases(claimed) == {"old": "a", "own": "a"}  # noqa: SLF001 - what no real library has
