"""A script that pulls images on the node that it runs on, and pins them: no kubelet removes them."""

import shlex
from collections.abc import Iterator
from typing import TextIO

from pullguard.core.formats.text import printable
from pullguard.prefetch.formats import manifests, words
from pullguard.prefetch.model import Image, Node, PrefetchReport, Settings

_TITLE = "Pulls the images that a node lacks, the largest first, and pins them: no kubelet removes them."
_USAGE = """\
# Run it as root on each node: sh prefetch.sh [NODE]. NODE is its name in the cluster, unless that is its hostname.
# CTR_OPTIONS and CRICTL_OPTIONS are added to the pulls: --hosts-dir /etc/containerd/certs.d, --user NAME:PASSWORD,
# --creds NAME:PASSWORD. CTR and CRICTL name the programs, such as CTR='k3s ctr'.
"""
# Everything that differs from node to node is in the calls of `fetch`, as quoted words.
_FUNCTIONS = """\
set -u
failed=0
pins=/etc/crio/crio.conf.d/99-pullguard-prefetch.conf

fail() {
    echo "$*" >&2
    failed=1
}

# fetch STATED FULL: an image as pods state it, and its full name
fetch() {
    case $runtime in
    containerd) with_containerd "$2" ;;
    cri-o) with_crio "$1" "$2" ;;
    *) fail "not pulled, as the runtime is not known: $2" ;;
    esac
}

# shellcheck disable=SC2086 # what the environment says may be several words
with_containerd() {
    if [ -z "$(${CTR:-ctr} --namespace k8s.io images list --quiet "name==$1")" ] &&
        ! ${CTR:-ctr} --namespace k8s.io images pull ${CTR_OPTIONS:-} "$1" >/dev/null; then
        fail "not pulled: $1"
    elif ${CTR:-ctr} --namespace k8s.io images label "$1" io.cri-containerd.pinned=pinned >/dev/null; then
        echo "pulled and pinned: $1"
    else
        fail "pulled, but not pinned: $1"
    fi
}

# shellcheck disable=SC2086 # as above
with_crio() {
    if ! ${CRICTL:-crictl} inspecti --quiet "$1" >/dev/null 2>&1 &&
        ! ${CRICTL:-crictl} pull ${CRICTL_OPTIONS:-} "$1" >/dev/null; then
        fail "not pulled: $1"
        return
    fi
    # Of several lists of pinned images, CRI-O takes the last.
    others=$(grep -ls '^[[:space:]]*pinned_images' /etc/crio/crio.conf /etc/crio/crio.conf.d/* | grep -vxF "$pins")
    if [ -n "$others" ]; then
        fail "pulled, but not pinned: $1: add it to pinned_images in" "$others"
        return
    fi
    list=$({ sed -n 's/^  "\\(.*\\)",$/\\1/p' "$pins" 2>/dev/null; echo "$2"; } | sort -u | sed 's/.*/  "&",/')
    if printf '[crio.image]\\npinned_images = [\\n%s\\n]\\n' "$list" >"$pins"; then
        reload=yes
        echo "pulled and pinned: $1"
    else
        fail "pulled, but not pinned: $1"
    fi
}

runtime=
if [ -S /run/containerd/containerd.sock ] || [ -S /run/k3s/containerd/containerd.sock ]; then
    runtime=containerd
elif [ -S /run/crio/crio.sock ] || [ -S /var/run/crio/crio.sock ]; then
    runtime=cri-o
fi
reload=
node=${1:-$(uname -n)}
case $node in
"""
_END = """\
*)
    echo "$node is not known to lack an image"
    ;;
esac
if [ -n "$reload" ]; then
    systemctl reload crio || fail "CRI-O does not know yet what is pinned: reload it"
fi
exit "$failed"
"""


def write(report: PrefetchReport, _settings: Settings, stream: TextIO) -> None:
    """Write the script."""
    stream.write("#!/bin/sh\n")
    stream.writelines(f"{line}\n" for line in manifests.comments(report, _TITLE, _left(report)))
    stream.write(_USAGE)
    stream.write(_FUNCTIONS)
    for nodes, images in _by_node(report):
        # Without the first parenthesis, a node of the name esac would end the list.
        stream.write(f"({' | '.join(_word(node.name) for node in nodes)})\n")
        if nodes[0].runtime in {"containerd", "cri-o"}:
            stream.write(f"    runtime={nodes[0].runtime}\n")
        stream.writelines(f"    fetch {_word(image.name)} {_word(image.full)}\n" for image in images)
        stream.write("    ;;\n")
    stream.write(_END)


def _left(report: PrefetchReport) -> Iterator[str]:
    yield from manifests.for_the_kubelet(report)
    for batch in report.batches:
        secrets = [f"Secret {batch.namespace}/{name}" for name in batch.secrets]
        accounts = [f"ServiceAccount {batch.namespace}/{batch.account}"] if batch.account else []
        if secrets or accounts:
            images = words.several([image.name for image in batch.images])
            names = " and ".join(secrets + accounts)
            yield f"the script has no credentials: name those of {names} in its options, for {images}"


def _by_node(report: PrefetchReport) -> list[tuple[list[Node], list[Image]]]:
    """Return what nodes lack whatever the credentials are, the largest first; nodes that are alike together."""
    lacking: dict[Node, dict[str, Image]] = {}
    for batch in report.batches:
        for node in batch.nodes:
            images = lacking.setdefault(node, {})
            for image in batch.images:
                if not image.is_there:
                    images.setdefault(image.full, image)
    groups: dict[tuple[str, ...], tuple[list[Node], list[Image]]] = {}
    for node, images in lacking.items():
        largest_first = sorted(images.values(), key=lambda image: (-(image.size or 0), image.name))
        if largest_first:
            key = (node.runtime, *(image.full for image in largest_first))
            groups.setdefault(key, ([], largest_first))[0].append(node)
    return list(groups.values())


def _word(text: str) -> str:
    """Return a text as one word of a shell, on one line, in ASCII."""
    return shlex.quote(printable(text).encode("ascii", "backslashreplace").decode("ascii"))
