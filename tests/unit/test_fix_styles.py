"""Random manifests in random styles: fixing changes what is wrong, and not one character more."""

from hypothesis import given, settings

from fixable import findings_in
from manifest_styles import Styled, styled_files
from pullguard.remedies.manifests import edited


@given(styled_files())
@settings(max_examples=400, deadline=None)
def test_all_else_stays(styled: Styled) -> None:
    name = "m.json" if styled.is_json else "m.yaml"
    findings = findings_in(name, styled.before)
    assert len(findings) == styled.fixable
    result = edited(name, styled.before, findings)
    assert result.refused == ()
    assert result.text == styled.after
    assert findings_in(name, result.text) == []
    assert edited(name, result.text, []).text == result.text
