"""The command line: `python -m image`, with packaging/ among the folders of modules."""

import argparse
import os
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pip

from image import bill, debian, oci, python
from image.debian import CannotBuildError
from image.licences import licences
from image.tree import Entry, File, Folder, Tree, layer, write

_USER = 65532
_HERE = Path(__file__).parent
_ENTRYPOINT = "pullguard"
_BILL = "usr/share/doc/pullguard/image.cdx.json"
_LICENCES = "usr/share/doc/kubectl/licences"
_TITLE = "pullguard"
_DESCRIPTION = "What cannot come back when the image registry is gone: checks manifests, audits and forecasts clusters"
_USERS = f"root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:{_USER}:{_USER}:nonroot:/tmp:/sbin/nologin\n"
_GROUPS = f"root:x:0:\nnonroot:x:{_USER}:\n"
#: Folders that anybody may write to, if the root file system can be written.
_SHARED = {"tmp", "var/tmp"}


def main() -> int:
    """Build, and say what came of it."""
    options = _parser().parse_args()
    try:
        return _build(options)
    except CannotBuildError as error:
        sys.stderr.write(f"image: {error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m image", description=__doc__)
    parser.add_argument("--architecture", choices=("amd64", "arm64"), default=_architecture(), help="of the image")
    parser.add_argument("--wheel", type=Path, required=True, help="the wheel of pullguard for this architecture")
    parser.add_argument("--kubectl", type=Path, required=True, help="the program for this architecture")
    parser.add_argument(
        "--kubectl-module", type=Path, default=Path("tools/kubernetes"), help="the Go module that kubectl is built from"
    )
    parser.add_argument("--lock", type=Path, default=Path("requirements.lock"), help="the versions of dependencies")
    parser.add_argument("--cache", type=Path, default=Path(".tools/image"), help="where Debian's packages are kept")
    parser.add_argument("--owner", default="OWNER", help="of the repository, for the labels")
    parser.add_argument("--revision", default="", help="the commit, for the labels")
    parser.add_argument("--folders", type=Path, help="write the layers into this folder instead of an archive")
    parser.add_argument("--output", type=Path, default=Path("dist"), help="the folder of the archive")
    return parser


def _build(options: argparse.Namespace) -> int:
    version = options.wheel.name.split("-")[1]
    made = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "315532800")), timezone.utc)
    options.cache.mkdir(parents=True, exist_ok=True)
    packages = debian.fetched(options.architecture, options.cache.absolute())
    system = _system(packages)
    own = _architecture()
    native = system if own == options.architecture else _system(debian.fetched(own, options.cache.absolute()))
    with python.interpreter(native, own) as runner:
        system = python.compiled(runner, system)
        installed = python.installed(
            runner, options.wheel.absolute(), options.lock.absolute(), options.architecture, Path(pip.__file__).parent
        )
        pushing = f"#!/usr/bin/{debian.python()}\n".encode() + (_HERE / "push.py").read_bytes()
        application = {**python.compiled(runner, installed), "usr/bin/pullguard-push": File(pushing, 0o755)}
    kubectl = options.kubectl.read_bytes()
    engine = application.get(f"{python.packages_folder()}/pullguard/bin/pullguard-engine")
    if not isinstance(engine, File):
        raise CannotBuildError(f"{options.wheel} holds no engine: build it with `make dist-wheels`")
    name = f"ghcr.io/{options.owner}/pullguard"
    materials = bill.bill(
        name=name,
        version=version,
        packages=packages,
        distributions=python.distributions(application),
        programs={"kubectl": kubectl, "pullguard-engine": engine.data},
        created=made,
    )
    application[_BILL] = File(materials.encode())
    trees: dict[str, Tree] = {
        "debian": system,
        "kubectl": {
            "usr/bin/kubectl": File(kubectl, 0o755),
            **licences(bill.go_modules(kubectl), options.kubectl_module, _LICENCES),
        },
        "pullguard": application,
    }
    if options.folders:
        for part, tree in trees.items():
            (options.folders / part).mkdir(parents=True)
            write(tree, options.folders / part)
        return 0
    created = made.strftime("%Y-%m-%dT%H:%M:%SZ")
    image = oci.image(
        [oci.Layer(layer(tree), f"packaging/image: {part}") for part, tree in trees.items()],
        config(version, options.owner, options.revision, created),
        architecture=options.architecture,
        created=created,
        name=f"{name.lower()}:{version}",
    )
    options.output.mkdir(exist_ok=True)
    stem = f"pullguard-image-{version}-{options.architecture}"
    (options.output / f"{stem}.cdx.json").write_text(materials, "utf-8")
    (options.output / f"{stem}.tar").write_bytes(image.archive)
    megabytes = f"{image.size / 1e6:.0f} MB, {image.unpacked / 1e6:.0f} MB on a node"
    sys.stdout.write(f"{options.output / stem}.tar: {image.digest}, {megabytes}\n")
    return 0


def config(version: str, owner: str, revision: str, created: str) -> Mapping[str, Any]:
    """Return how to run the image; the Dockerfile says the same."""
    source = f"https://github.com/{owner}/pullguard"
    labels = {
        "created": created,
        "description": _DESCRIPTION,
        "documentation": f"{source}/blob/v{version}/docs/image.md",
        "licenses": "Apache-2.0",
        "source": source,
        "title": _TITLE,
        "url": source,
        "version": version,
        **({"revision": revision} if revision else {}),
    }
    return {
        "User": f"{_USER}:{_USER}",
        "Entrypoint": [_ENTRYPOINT],
        "WorkingDir": "/work",
        # kubectl and others keep caches in the home folder, where there is one that can be written.
        "Env": ["PATH=/usr/bin", "HOME=/tmp", "LANG=C.UTF-8"],
        "Labels": {f"org.opencontainers.image.{name}": value for name, value in labels.items()},
    }


def _system(packages: list[debian.Package]) -> dict[str, Entry]:
    """Return what is not of pullguard: Debian's files, which only root could change, and the users."""
    merged = debian.merged(packages)
    merged |= {"work": Folder(), "etc/passwd": File(_USERS.encode()), "etc/group": File(_GROUPS.encode())}
    return {path: _owned(path, entry) for path, entry in merged.items()}


def _owned(path: str, entry: Entry) -> Entry:
    match entry:
        case File(data, mode):
            return File(data, 0o755 if mode & 0o100 else 0o644)
        case Folder(mode):
            return Folder(0o1777 if path in _SHARED else mode & 0o755)
        case _:
            return entry


def _architecture() -> str:
    """Return Debian's name of the architecture of this machine."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


if __name__ == "__main__":
    sys.exit(main())
