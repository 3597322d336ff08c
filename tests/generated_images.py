"""Random image references: likely, odd and invalid ones."""

from hypothesis import strategies as st

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
IMAGES = st.one_of(_LIKELY, _LIKELY, _BUILT, st.text(), _ANYTHING)
