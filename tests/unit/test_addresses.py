"""No committed file names a place that does not exist, an owner of pullguard, or the address of a package registry."""

import functools
import ipaddress
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

_URL = re.compile(r"\b(?:https?|oci|git|ssh|docker|ftp)://(?:[^\s/@\"'`<>()]*@)?([\w.-]+)")

#: Where pullguard would come from: a path whose last word begins with its name, behind the host.
_OURS = re.compile(r"(?<![\w.-])((?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/(?:[\w.${}() -]+/)?)pullguard\b")

#: `OWNER` stands for who publishes it; a Makefile and a workflow fill it in, and in tests it is somebody.
#: `registry.internal` is the registry of the reader.
_PUBLISHED = re.compile(
    r"(?:github\.com|ghcr\.io)/(?:OWNER|\$\(OWNER\)|\$\{OWNER\}|\$OWNER|\{(?:\w+\.)?owner\}|somebody|\$\{\{ .* \}\})/"
    r"|registry\.internal/"
)

#: Registries of packages, written so that this file names none either.
_REGISTRIES = re.compile(
    r"\bpy(?:pi|thonhosted)\.\w|\b(?:proxy|sum)\.golang\b|\bnpmjs\.\w|\bcrates\.io\b"
    r"|\b(?:deb|snapshot|security|ftp)\.debian\b|\bmaven\.(?:org|apache)\b|\brubygems\.\w"
)

#: The hosts that our own texts link to, or whose identifiers they use.
_KNOWN = {
    "github.com": "projects and releases",
    "ghcr.io": "the image and bundles of a release",
    "docs.oasis-open.org": "the schema of SARIF",
    "json-schema.org": "the dialect of our JSON schema",
    "krew.sigs.k8s.io": "the plugins of kubectl",
    "open-policy-agent.github.io": "Gatekeeper's documentation",
    "www.conftest.dev": "conftest's documentation",
    "www.apache.org": "the licence",
    "docs.hauler.dev": "a format in which images are listed",
    "docs.zarf.dev": "a format in which images are listed",
    "openkruise.io": "custom resources that hold images",
    "keepachangelog.com": "the form of CHANGELOG.md",
    "semver.org": "what a version means",
    "artifacthub.io": "metadata of charts",
    "www.w3.org": "XML namespaces",
    "pushgateway.monitoring": "a Service in the cluster of an example",
}

#: Names that belong to nobody (RFC 2606, RFC 6761 and ICANN's `internal`), and Services in a cluster.
_NOBODY = re.compile(
    r"(?:.*\.)?(?:example|internal|invalid|test|localhost|example\.(?:com|org|net))|[\w-]+(?:\.[\w-]+)?\.svc(?:\.cluster\.local\.?)?"
)


@functools.cache
def _texts(checkout: Path) -> Sequence[tuple[str, str]]:
    """Return the committed files that are text, except this one."""
    command = ["git", "-C", str(checkout), "ls-files", "-z"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if ended.returncode != 0:
        pytest.skip("this is not a checkout")
    texts = []
    for name in filter(None, ended.stdout.split("\0")):
        path = checkout / name
        if path.is_file() and not path.is_symlink() and path != Path(__file__):
            content = path.read_bytes()
            if b"\0" not in content:
                texts.append((name, content.decode("utf-8", "replace")))
    return texts


def _is_nobodys(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # A word without a dot is a placeholder, or a host on the same network.
        return "." not in host or _NOBODY.fullmatch(host) is not None


def _foreign(text: str) -> Iterator[str]:
    """Yield what pullguard is said to be found at, except as `OWNER` publishes it."""
    for line in text.splitlines():
        for found in _OURS.finditer(line) if "/pullguard" in line else ():
            if not (_PUBLISHED.fullmatch(found[1]) or found[1].startswith("pullguard.invalid/")):
                yield found[0]


def test_what_counts() -> None:
    ours = ["ghcr.io/OWNER/pullguard:0.1.0", "https://github.com/OWNER/pullguard", "ghcr.io/$(OWNER)/pullguard-library"]
    ours += ["ghcr.io/${{ github.repository_owner }}/pullguard", "pullguard.invalid/tools", "docs/pullguard.yaml"]
    assert [list(_foreign(text)) for text in ours] == [[]] * len(ours)
    invented = ["git.example.com/pullguard", "registry.example.com/team/pullguard", "github.com/acme/pullguard"]
    assert [list(_foreign(f"see https://{text}.git")) for text in invented] == [[text] for text in invented]
    assert _REGISTRIES.search("https://" + "py" + "pi.org/simple")
    assert not _REGISTRIES.search("golang.org/x/net and a pypiserver")
    hosts = ["127.0.0.1", "a.hook.shop.svc", "webhook.example.com", "x.invalid", "registry"]
    assert [_is_nobodys(host) for host in hosts] == [True, False, True, True, True]
    assert [_is_nobodys(host) for host in ("10.0.0.1", "get.example.dev")] == [False, False]


def test_where_pullguard_is_found(checkout: Path) -> None:
    """Everybody's own copy has an owner; none of them is named, and none is invented."""
    assert [(name, place) for name, text in _texts(checkout) for place in _foreign(text)] == []


def test_no_registry_is_named(checkout: Path) -> None:
    """Their clients know where they are, or have been told of a mirror."""
    found = [(name, hit[0]) for name, text in _texts(checkout) for hit in _REGISTRIES.finditer(text)]
    assert found == []


def test_hosts_are_known(checkout: Path) -> None:
    """Except in tests, whose objects name whatever host their case needs."""
    unknown = {
        (name, host)
        for name, text in _texts(checkout)
        if not name.startswith("tests/") and not re.search(r"_test\.(?:rego|go)$|\.sum$", name)
        for host in (found[1].rstrip(".") for found in _URL.finditer(text))
        if host not in _KNOWN and not _is_nobodys(host)
    }
    assert sorted(unknown) == []
