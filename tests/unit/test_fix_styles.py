"""Random manifests in random styles: fixing changes what is wrong, and not one character more."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fixable import findings_in
from manifest_styles import Styled, styled_files
from pullguard.core.findings import Finding, steps
from pullguard.engine.documents import Document, read_documents
from pullguard.fix.manifests import edited
from shared_engine import ENGINE


@given(styled_files())
@settings(max_examples=400, deadline=None)
def test_all_else_stays(styled: Styled) -> None:
    name = "m.json" if styled.is_json else "m.yaml"
    findings = findings_in(name, styled.before)
    assert len(findings) == styled.fixable
    result = edited(ENGINE, name, styled.before, findings)
    assert result.refused == ()
    assert result.text == styled.after
    assert findings_in(name, result.text) == []
    assert edited(ENGINE, name, result.text, []).text == result.text


_SHARED = "x: [&p Always, &c {image: x:1, imagePullPolicy: *p}, &m {imagePullPolicy: Always}, &n {name: a}, &i x:2]\n"
_ENTRIES = ("image: x:1", "image: *i", "imagePullPolicy: Always", "imagePullPolicy: *p", "imagePullPolicy: &p Always")
_MERGES = ("<<: *c", "<<: *m", "<<: [*n, *m]", "<<: [*n, *c]", "<<: {imagePullPolicy: *p}", "<<: &m {image: x:1}")


@st.composite
def _sharing(draw: st.DrawFn) -> str:
    """Draw a Pod whose containers share values, in blocks and in braces."""
    items = []
    for number in range(draw(st.integers(1, 5))):
        if draw(st.integers(0, 3)) == 0:
            items.append("  - *c\n")
            continue
        entries = draw(st.lists(st.sampled_from(_ENTRIES + _MERGES), min_size=1, max_size=3, unique_by=_key))
        is_anchor = draw(st.integers(0, 3)) == 0 and not any("*c" in entry for entry in entries)
        anchor = "&c " if is_anchor else ""
        if draw(st.booleans()):
            items.append(f"  - {anchor}{{name: n{number}, {' , '.join(entries)} }}\n")
        else:
            items.append(f"  - {anchor}\n    " + "\n    ".join([f"name: n{number}", *entries]) + "\n")
    volumes = "  volumes: [{image: {reference: x:1, pullPolicy: *p}}]\n"
    before = draw(st.sampled_from(("", "  initContainers: [*c]\n", volumes)))
    return f"{_SHARED}kind: Pod\nspec:\n{before}  containers:\n{''.join(items)}"


def _key(entry: str) -> str:
    return entry.partition(":")[0]


@given(_sharing())
@settings(max_examples=400, deadline=None)
def test_what_is_shared_changes_nowhere_else(text: str) -> None:
    findings = findings_in("m.yaml", text)
    result = edited(ENGINE, "m.yaml", text, findings)
    value = _value(text)
    for found in result.fixed:
        _set(value, found)
    assert _value(result.text) == value
    assert len(result.fixed) + len(result.refused) == len(findings)
    assert len(findings_in("m.yaml", result.text)) == len(result.refused)


def _value(text: str) -> Any:
    """Return the value of a document without anything shared in it."""
    (document,) = read_documents(ENGINE, text, "m.yaml")
    assert isinstance(document, Document)
    return json.loads(json.dumps(document.value))


def _set(value: Any, found: Finding) -> None:
    path = steps(found.details["fix"]["path"])
    assert path is not None
    *parents, key = path
    for step in parents:
        value = value[step]
    value[key] = "IfNotPresent"
