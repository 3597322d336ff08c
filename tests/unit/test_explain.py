"""`pullguard explain`: pages of policies, by all names that people meet."""

import re
import shutil
from pathlib import Path

import pytest

import small_library as small
from pullguard import cli
from pullguard.core.errors import PullguardError
from pullguard.explain import explain


@pytest.mark.parametrize(
    "name",
    [
        "protected_pull_policy",
        "pull-policy-always",
        "pull-policy-invalid",
        "K8sProtectedPullPolicy",
        "k8sprotectedpullpolicy",
    ],
)
def test_every_name_of_a_policy_leads_to_its_page(
    name: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = checkout / "library/policies/protected_pull_policy"
    page = re.sub(r"\[(samples/\w+\.yaml)\]\(\1\)", rf"{folder}/\1", (folder / "README.md").read_text())
    assert explain(name, library=str(checkout / "library")) == page
    assert cli.main(["explain", name, "--library", str(checkout / "library")]) == 0
    assert capsys.readouterr().out == page


def test_links_lead_to_files(checkout: Path, tmp_path: Path) -> None:
    shutil.copytree(checkout / "library", tmp_path / "library")
    page = tmp_path / "library/policies/webhook_blocks_recovery/README.md"
    fence = "```yaml\na: '[b](c.yaml)'\n```\n"
    page.write_text(f"# x\n[a](samples/a.yaml), [b](../../README.md#c)\n{fence}[c](https://example.com/), [d](#e)\n")
    assert explain("webhook_blocks_recovery", library=str(tmp_path / "library")) == (
        f"# x\n{page.parent}/samples/a.yaml, {tmp_path}/library/README.md#c\n"
        f"{fence}[c](https://example.com/), [d](#e)\n"
    )
    for policy in ("protected_pull_policy", "protected_image_pinning", "webhook_blocks_recovery"):
        found = re.findall(r"(?m)^(?:Fails|Passes): .* \((.*)\)$", explain(policy, library=str(checkout / "library")))
        assert [Path(name).is_file() for name in found] == [True] * len(found)


def test_every_policy_has_a_page(checkout: Path) -> None:
    policies = [path.name for path in (checkout / "library/policies").iterdir() if path.is_dir()]
    assert len(policies) >= 5
    for policy in policies:
        assert explain(policy, library=str(checkout / "library")).startswith("# ")


def test_an_unknown_policy(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)
    with pytest.raises(PullguardError) as raised:
        explain("protected_pull_polcy")
    assert str(raised.value).startswith(
        "protected_pull_polcy is not a policy of the library (./library); did you mean protected_pull_policy?"
    )
    with pytest.raises(PullguardError) as raised:
        explain("x")
    assert str(raised.value).startswith(
        "x is not a policy of the library (./library); name one of these: protected_image_"
    )


def test_libraries_of_others_have_no_pages(tmp_path: Path) -> None:
    library = small.write_library(tmp_path / "lib", small.OWNER, small.constraint("NeedsOwner", "all"))
    with pytest.raises(PullguardError, match=r"the library \(.*lib\) has no page of needsowner; see its template"):
        explain("NeedsOwner", library=library)


def test_no_page_outside_the_library_is_read(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("secret")
    template = {**small.OWNER, "metadata": {"name": "x", "annotations": {"pullguard/policy": "../.."}}}
    library = small.write_library(tmp_path / "lib", template, small.constraint("NeedsOwner", "all"))
    with pytest.raises(PullguardError, match="has no page"):
        explain("x", library=library)


def test_a_page_that_is_missing(tmp_path: Path, checkout: Path) -> None:
    shutil.copytree(checkout / "library", tmp_path / "library")
    (tmp_path / "library/policies/webhook_blocks_recovery/README.md").unlink()
    with pytest.raises(PullguardError, match="has no page of webhook_blocks_recovery"):
        explain("webhook_blocks_recovery", library=str(tmp_path / "library"))
