"""The Rego of lib/images against an independent statement of the rule, and against the API server itself."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from image_references import implied_policy

_HEX = "0123456789abcdef" * 8

_PIECES = st.sampled_from(
    [
        *(
            "a",
            "nginx",
            "A",
            "Foo",
            "0",
            "-",
            "_",
            "__",
            "---",
            ".",
            "..",
            "/",
            "//",
            ":",
            "@",
            " ",
            "\n",
            "é",
        ),
        *(
            "localhost",
            "localhost/",
            "docker.io/",
            "index.docker.io/",
            "host:5000/",
            "x.y/",
            "my_host",
            "Z/",
            "a/b",
        ),
        *("[::1]/", "[::1]:5000/", "[", "]", ":latest", ":Latest", ":1", ":v1.2-x", "latest", "sha256:"),
        *(
            f"@sha256:{_HEX[:64]}",
            f"@sha384:{_HEX[:96]}",
            f"@sha512:{_HEX}",
            f"@sha256:{_HEX[:63]}",
            f"@md5:{_HEX[:32]}",
        ),
        *(
            _HEX[:64],
            f"@sha256:{_HEX[:64].upper()}",
            "a" * 247,
            "a" * 250,
            "a" * 255,
            ":" + "a" * 128,
            ":" + "a" * 129,
        ),
    ]
)
_BUILT = st.lists(_PIECES, max_size=6).map("".join)
_LIKELY = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "", "quay.io/", "localhost:5000/", "my_host/", "UPPER/", "docker.io/", "a.b_c/"]),
        st.from_regex(r"[a-z0-9]{1,4}((\.|_|__|--?)[a-z0-9]{1,3}){0,2}(/[a-z0-9]{1,3}){0,2}", fullmatch=True),
        st.sampled_from(["", "", ":latest", ":latest", ":1", ":LATEST", ":"]),
        st.sampled_from(["", "", f"@sha256:{_HEX[:64]}", f"@sha512:{_HEX}", f"@sha512:{_HEX[:64]}"]),
    ),
)
_ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.lists(st.text()), st.dictionaries(st.text(), st.none())
)
_IMAGES = st.one_of(_LIKELY, _LIKELY, _BUILT, st.text(), _ANYTHING)


def _implied_policies(opa: Path, checkout: Path, images: list[object]) -> list[str]:
    done = subprocess.run(
        [
            *(opa, "eval", "--format", "json", "--fail", "--stdin-input"),
            *("--data", checkout / "rego/lib/images/images.rego"),
            "[policy | some image in input; policy := data.lib.images.implied_policy(image)]",
        ],
        input=json.dumps(images),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    policies: list[str] = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
    return policies


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(images=st.lists(_IMAGES, min_size=1, max_size=60))
def test_random_images(opa: Path, checkout: Path, images: list[object]) -> None:
    assert _implied_policies(opa, checkout, images) == [implied_policy(image) for image in images]


def test_what_the_api_server_said(opa: Path, checkout: Path, image_defaults: Path) -> None:
    rows = json.loads(image_defaults.read_text())["images"]
    images = [row["image"] for row in rows]
    assert _implied_policies(opa, checkout, images) == [row["policy"] for row in rows]


@pytest.mark.parametrize(
    ("image", "policy"), [("nginx", "Always"), ("nginx:1", "IfNotPresent"), (None, "IfNotPresent")]
)
def test_the_independent_statement_itself(image: object, policy: str) -> None:
    assert implied_policy(image) == policy
