"""The archive of the image: what is in it, and that it works with a root file system that cannot be written."""

import hashlib
import io
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

import pytest

import image_archive
from image import debian
from oci_registry import registry

_TIMEOUT = 300.0
_USER = 65532
#: What a registry sends, and what a node needs, at most.
_LARGEST = 90_000_000
_LARGEST_UNPACKED = 280_000_000
_FOLDER = "usr/local/lib/python3.13/dist-packages"


@dataclass(frozen=True, slots=True)
class Image:
    """The image in an archive.

    Attributes:
        archive: The archive.
        digest: The digest of its manifest.
        manifest: Its manifest.
        config: Its configuration.
        members: What its layers hold, by path.
        contents: The content of each file.
    """

    archive: Path
    digest: str
    manifest: Mapping[str, Any]
    config: Mapping[str, Any]
    members: Mapping[str, tarfile.TarInfo]
    contents: Mapping[str, bytes]

    def resolved(self, path: str) -> str:
        """Return where a path leads, through symbolic links in it."""
        done = PurePosixPath()
        for part in PurePosixPath(path.removeprefix("/")).parts:
            done = PurePosixPath(os.path.normpath(done / part))
            member = self.members.get(str(done))
            if member is not None and member.issym():
                target = PurePosixPath(member.linkname)
                done = PurePosixPath(self.resolved(str(target if target.is_absolute() else done.parent / target)))
        return str(done)


def _missing(text: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    pytest.skip(text)


@pytest.fixture(scope="module")
def image(checkout: Path) -> Image:
    """Return the image; every blob has the digest by which it is named."""
    path = image_archive.archive(checkout)
    if path is None:
        _missing(image_archive.MISSING)
    with tarfile.open(path) as archive:
        files = {
            member.name: content.read() for member in archive if (content := archive.extractfile(member)) is not None
        }
    blobs = {name.rpartition("/")[2]: data for name, data in files.items() if name.startswith("blobs/sha256/")}
    assert {digest: hashlib.sha256(data).hexdigest() for digest, data in blobs.items()} == {
        each: each for each in blobs
    }
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (described,) = json.loads(files["index.json"])["manifests"]
    assert described["platform"] == {"architecture": image_archive.ARCHITECTURE, "os": "linux"}

    def blob(descriptor: Mapping[str, Any]) -> bytes:
        data = blobs[descriptor["digest"].removeprefix("sha256:")]
        assert len(data) == descriptor["size"]
        return data

    manifest = json.loads(blob(described))
    members: dict[str, tarfile.TarInfo] = {}
    contents: dict[str, bytes] = {}
    config = json.loads(blob(manifest["config"]))
    for descriptor, diff in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
        with tarfile.open(fileobj=io.BytesIO(blob(descriptor)), mode="r:gz") as layer:
            for member in layer:
                members[member.name] = member
                if member.isfile() and (content := layer.extractfile(member)) is not None:
                    contents[member.name] = content.read()
        assert diff.startswith("sha256:")
    assert len(blobs) == 2 + len(manifest["layers"])
    return Image(path, described["digest"], manifest, config, members, contents)


@pytest.fixture(scope="module")
def root(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files of the image."""
    if os.geteuid() != 0:
        _missing("to run the image as another user, these tests need root")
    folder = tmp_path_factory.mktemp("root")
    # Other users go through here, to the files that the image has for them.
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    for path, member in image.members.items():
        place = folder / path
        if member.isdir():
            place.mkdir(exist_ok=True)
        elif member.issym():
            place.symlink_to(member.linkname)
            continue
        else:
            place.write_bytes(image.contents[path])
        place.chmod(member.mode)
    return folder


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def inside(root: Path, checkout: Path) -> Run:
    """Run a command in the image as its user: without a network, and with nothing that it could write to.

    The folder `work` of the image is tests/data of this checkout.
    """
    script = """
        set -e
        mount --bind "$1" "$1"
        mount --bind "$2" "$1/work"
        mount -o remount,bind,ro "$1/work"
        mount -o remount,bind,ro "$1"
        mount --bind /dev "$1/dev"
        mount -t proc proc "$1/proc"
        cd "$1"
        root=$1
        shift 2
        exec env -i PATH=/usr/bin HOME=/tmp LANG=C.UTF-8 \\
          /usr/bin/unshare --root="$root" --wd=/work --setgid=65532 --setuid=65532 "$@"
    """

    def run(*command: str) -> "subprocess.CompletedProcess[str]":
        own = ["unshare", "--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--propagation=private"]
        return subprocess.run(
            [*own, "sh", "-c", script, "sh", str(root), str(checkout / "tests" / "data"), *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )

    return run


class TestConfiguration:
    def test_it_runs_pullguard_as_nobody(self, image: Image) -> None:
        own = {name: value for name, value in image.config["config"].items() if name != "Labels"}
        assert own == {
            "User": f"{_USER}:{_USER}",
            "Entrypoint": ["pullguard"],
            "WorkingDir": "/work",
            "Env": ["PATH=/usr/bin", "HOME=/tmp", "LANG=C.UTF-8"],
        }

    def test_its_labels_say_where_it_comes_from(self, image: Image) -> None:
        prefix = "org.opencontainers.image."
        labels = {name.removeprefix(prefix): value for name, value in image.config["config"]["Labels"].items()}
        assert re.fullmatch(r"https://github\.com/[^/]+/pullguard", labels["source"])
        assert re.fullmatch(r"[0-9a-f]{40}", labels.pop("revision"))
        assert labels["version"] in image.archive.name
        assert labels["licenses"] == "Apache-2.0"
        assert labels["created"] == image.config["created"]
        assert labels.keys() == {
            *("created", "description", "documentation", "licenses", "source", "title", "url", "version")
        }
        assert image.manifest["annotations"] == image.config["config"]["Labels"]

    def test_the_dockerfile_says_the_same(self, image: Image, checkout: Path) -> None:
        text = (checkout / "packaging" / "image" / "Dockerfile").read_text("utf-8")
        _, _, last = text.partition("\nFROM scratch\n")
        config = image.config["config"]
        assert re.findall(r"^COPY --from=build /pullguard/\.tools/image/layers/(\w+) /$", last, re.MULTILINE) == [
            each["created_by"].removeprefix("packaging/image: ") for each in image.config["history"]
        ]
        assert re.search(r"^ENV (.*)$", last, re.MULTILINE)[1].split() == config["Env"]  # type: ignore[index]
        assert f"\nUSER {config['User']}\n" in last
        assert f"\nWORKDIR {config['WorkingDir']}\n" in last
        assert f"\nENTRYPOINT {json.dumps(config['Entrypoint'])}\n" in last
        labels = dict(re.findall(r'(org\.[\w.]+)="([^"]*)"', last))
        assert labels["org.opencontainers.image.licenses"] == config["Labels"]["org.opencontainers.image.licenses"]
        assert f"debian:{debian.SUITE}" in text or f"-{debian.SUITE} AS build" in text

    def test_it_is_small(self, image: Image) -> None:
        assert sum(layer["size"] for layer in image.manifest["layers"]) < _LARGEST
        assert sum(map(len, image.contents.values())) < _LARGEST_UNPACKED


class TestFiles:
    def test_all_belongs_to_root_and_only_folders_for_all_can_be_written_by_others(self, image: Image) -> None:
        assert {(each.uid, each.gid) for each in image.members.values()} == {(0, 0)}
        others = {path: each.mode for path, each in image.members.items() if not each.issym() and each.mode & 0o022}
        assert others == {"tmp": 0o1777, "var/tmp": 0o1777}

    def test_nothing_is_setuid_and_nothing_is_a_device(self, image: Image) -> None:
        assert [path for path, each in image.members.items() if each.mode & (stat.S_ISUID | stat.S_ISGID)] == []
        assert {each.type for each in image.members.values()} == {tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE}

    def test_there_is_no_shell_and_no_package_manager(self, image: Image) -> None:
        programs = {
            path
            for path, each in image.members.items()
            if each.mode & 0o111 and not each.isdir() and re.match(r"(usr/)?s?bin/", path)
        }
        assert programs == {
            f"usr/bin/{name}"
            for name in (
                *("kubectl", "kubectl-pullguard", "kubectl_complete-pullguard", "pullguard", "pullguard-push"),
                *("python3", debian.python()),
            )
        }

    def test_modules_are_compiled_and_do_not_depend_on_times(self, image: Image) -> None:
        modules = {path for path in image.contents if re.match(r"usr/(local/)?lib/python3\.13/.*\.py$", path)}
        compiled = {
            str(PurePosixPath(path).parent.parent / PurePosixPath(path).name.partition(".cpython-")[0]) + ".py": data
            for path, data in image.contents.items()
            if path.endswith(".pyc")
        }
        assert modules - compiled.keys() == set()
        # The second word of the header: hashes of the sources, at which Python does not look.
        assert {data[4:8] for data in compiled.values()} == {b"\1\0\0\0"}

    def test_it_names_nothing_of_the_machine_that_built_it(self, image: Image, checkout: Path) -> None:
        names = [str(checkout).encode(), b"/tmp/pullguard-image-"]
        assert [path for path, data in image.contents.items() if any(name in data for name in names)] == []

    def test_every_package_brings_its_licence(self, image: Image) -> None:
        for name in debian.names():
            paths = {image.resolved(f"usr/share/doc/{name}/copyright{end}") for end in ("", ".gz")}
            assert paths & image.contents.keys(), name
        for path in (path for path in image.contents if path.endswith(".dist-info/METADATA")):
            assert image.resolved(path)

    def test_the_licence_of_every_module_of_kubectl_is_there(self, image: Image, bill: Mapping[str, Any]) -> None:
        folders = {path.removeprefix("usr/share/doc/kubectl/licences/").rpartition("/")[0] for path in image.contents}
        modules = {
            f"{each['name']}@{each.get('version')}" for each in bill["components"] if "pkg:golang" in each["purl"]
        }
        kept = {each for each in folders if "@" in each}
        assert {"k8s.io/kubernetes@v1.36.3", "sigs.k8s.io/kustomize/api@v0.21.1"} <= kept
        assert kept <= modules
        assert len(kept) > 70

    def test_every_link_leads_somewhere(self, image: Image) -> None:
        known = {"etc/mtab", "var/run", "var/lock"}
        broken = {
            path
            for path, each in image.members.items()
            if each.issym() and image.resolved(path) not in image.members and path not in known
        }
        assert {path for path in broken if not path.startswith("etc/")} == set()

    def test_the_libraries_are_those_of_the_lock(self, image: Image, checkout: Path) -> None:
        lock = (checkout / "requirements.lock").read_text("utf-8")
        locked = {
            (re.sub(r"[-_.]+", "-", name).lower(), version)
            for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE)
        }
        found = set()
        for path, data in image.contents.items():
            if re.fullmatch(rf"{_FOLDER}/[^/]+\.dist-info/METADATA", path):
                fields = dict(re.findall(r"^(Name|Version): (.*)$", data.decode(), re.MULTILINE))
                found.add((re.sub(r"[-_.]+", "-", fields["Name"]).lower(), fields["Version"]))
        (own,) = {each for each in found if each[0] == "pullguard"}
        assert found - locked == {own}
        names = {name for name, _ in found}
        assert {"jinja2", "networkx", "pyyaml", "python-sat"} <= names
        assert not names & {"pytest", "mypy", "ruff", "pip", "hatchling"}


@pytest.fixture(scope="module")
def bill(image: Image) -> Mapping[str, Any]:
    """Return the bill of materials, which is in the image and beside it."""
    text = image.contents["usr/share/doc/pullguard/image.cdx.json"]
    assert image.archive.with_name(f"{image.archive.stem}.cdx.json").read_bytes() == text
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


class TestBillOfMaterials:
    def test_it_is_valid(self, image: Image, bill: Mapping[str, Any], checkout: Path) -> None:
        assert bill["specVersion"] == "1.6"
        program = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read())
sys.exit(None if wrong is None else str(wrong)[:2000])
"""
        python = checkout / ".tools" / "packaging" / "bin" / "python"
        if not python.exists():
            _missing("what describes releases is not installed: run `make dist-image`")
        text = image.contents["usr/share/doc/pullguard/image.cdx.json"]
        done = subprocess.run([python, "-c", program], input=text, capture_output=True, timeout=_TIMEOUT, check=False)
        assert (done.returncode, done.stderr.decode()) == (0, "")

    def test_it_has_every_package_every_library_and_every_module(
        self, image: Image, bill: Mapping[str, Any], root: Path
    ) -> None:
        found: dict[str, set[tuple[str, str]]] = {}
        for each in bill["components"]:
            found.setdefault(each["purl"].partition("/")[0], set()).add((each["name"], each.get("version", "")))
        fields = [
            dict(re.findall(r"^(Package|Version): (.*)$", data.decode(), re.MULTILINE))
            for path, data in image.contents.items()
            if path.startswith("var/lib/dpkg/status.d/")
        ]
        assert found.pop("pkg:deb") == {(each["Package"], each["Version"]) for each in fields}
        assert sorted(each["Package"] for each in fields) == sorted(debian.names())
        assert len(found.pop("pkg:pypi")) == sum(path.endswith(".dist-info/METADATA") for path in image.contents)
        go = shutil.which("go")
        if go is None:
            _missing("Go is not on PATH")
        modules = set()
        for path in ("usr/bin/kubectl", f"{_FOLDER}/pullguard/bin/pullguard-engine"):
            done = subprocess.run(
                [go, "version", "-m", str(root / path)], capture_output=True, text=True, timeout=_TIMEOUT, check=True
            )
            first, *lines = done.stdout.splitlines()
            modules.add(("stdlib", first.rpartition("go")[2]))
            listed: list[tuple[str, str]] = []
            for line in lines:
                kind, *rest = line.strip().split("\t")
                if kind in {"mod", "dep"}:
                    listed.append((rest[0], rest[1]))
                elif kind == "=>":
                    listed[-1] = (rest[0], rest[1])
            modules.update((name, "" if version == "(devel)" else version) for name, version in listed)
        assert {
            (name, version.removeprefix("v") if name == "stdlib" else version)
            for name, version in found.pop("pkg:golang")
        } == modules
        assert found == {}


class TestRunning:
    def _outside(self, checkout: Path, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "pullguard", *command],
            cwd=checkout / "tests" / "data",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )

    def test_it_says_its_version(self, inside: Run, image: Image) -> None:
        done = inside("pullguard", "--version")
        version = image.config["config"]["Labels"]["org.opencontainers.image.version"]
        assert (done.returncode, done.stdout, done.stderr) == (0, f"pullguard {version}\n", "")

    @pytest.mark.parametrize(
        "command",
        [
            ("check", "--library", "builtin", "--output", "json", "corpus"),
            ("check", "--library", "builtin", "no-such-file.yaml"),
            ("outage", "--output", "json", "outage/cluster.yaml"),
            ("outage", "--output", "html", "outage/cluster.yaml"),
        ],
        ids=" ".join,
    )
    def test_it_says_what_this_checkout_says(self, inside: Run, checkout: Path, command: tuple[str, ...]) -> None:
        done, expected = inside("pullguard", *command), self._outside(checkout, *command)
        assert (done.returncode, done.stdout, done.stderr) == (
            expected.returncode,
            expected.stdout,
            expected.stderr,
        )

    def test_its_parts_belong_together(self, inside: Run, image: Image) -> None:
        done = inside("pullguard", "version", "--json")
        parts = json.loads(done.stdout)
        assert (done.returncode, done.stderr) == (0, "")
        version = image.config["config"]["Labels"]["org.opencontainers.image.version"]
        assert parts["pullguard"] == parts["engine"]["version"] == version

    def test_it_proves_that_a_repair_is_the_smallest(self, inside: Run) -> None:
        done = inside("pullguard", "outage", "--output=json", "/work/outage/cluster.yaml")
        assert {each["proven"] for each in json.loads(done.stdout)["cascades"].values()} == {True}

    def test_its_kubectl_is_the_pinned_one(self, inside: Run, checkout: Path) -> None:
        done = inside("kubectl", "version", "--client", "--output=json")
        pinned = re.search(r"k8s\.io/kubernetes (v\S+)", (checkout / "tools/kubernetes/go.mod").read_text("utf-8"))
        assert pinned is not None
        assert json.loads(done.stdout)["clientVersion"]["gitVersion"] == pinned[1]

    def test_kubectl_finds_the_plugin(self, inside: Run) -> None:
        done = inside("kubectl", "pullguard", "--version")
        assert (done.returncode, done.stdout[:10]) == (0, "pullguard ")

    def test_its_python_has_every_library_that_it_needs(self, inside: Run) -> None:
        program = """
import ctypes, pathlib, ssl

for path in sorted(pathlib.Path("/usr").rglob("*.so*")):
    if path.is_file() and "ld-linux" not in path.name:
        ctypes.CDLL(str(path))
assert len(ssl.create_default_context().get_ca_certs()) > 100
"""
        done = inside("python3", "-c", program)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_it_can_write_nothing(self, inside: Run) -> None:
        done = inside("python3", "-c", "open('/tmp/file', 'w')")
        assert "Read-only file system" in done.stderr

    def test_to_push_it_needs_to_know_what_and_where_to(self, inside: Run) -> None:
        done = inside("pullguard-push")
        usage = "pullguard-push: usage: pullguard-push URL audit|outage [OPTION...]\n"
        assert (done.returncode, done.stdout, done.stderr) == (2, "", usage)


def test_a_registry_takes_it_as_it_is(image: Image, checkout: Path, tmp_path: Path) -> None:
    crane = checkout / ".tools" / "bin" / "crane"
    if not crane.exists():
        _missing("crane is not built: run `make .tools/bin/crane`")
    layout = tmp_path / "layout"
    with tarfile.open(image.archive) as archive:
        archive.extractall(layout, filter="data")
    with registry(crane, tmp_path) as address:
        name = f"{address}/somebody/pullguard:0.1.0"

        def run(*arguments: str) -> str:
            done = subprocess.run(
                [crane, *arguments],
                capture_output=True,
                text=True,
                timeout=_TIMEOUT,
                check=False,
                env={"HOME": str(tmp_path)},
            )
            assert done.returncode == 0, done.stderr
            return done.stdout.strip()

        run("push", str(layout), name)
        # It reads every layer again, and holds it to what the manifest and the configuration say of it.
        run("validate", f"--remote={name}")
        assert run("digest", name) == image.digest
        assert json.loads(run("config", name)) == image.config


def test_the_same_parts_make_the_same_bytes(image: Image, checkout: Path, tmp_path: Path) -> None:
    labels = image.config["config"]["Labels"]
    (wheel,) = (checkout / "dist").glob(f"pullguard-*linux*_{platform.machine()}.whl")
    created = datetime.fromisoformat(labels["org.opencontainers.image.created"].replace("Z", "+00:00"))
    done = subprocess.run(
        [
            *(checkout / ".tools" / "packaging" / "bin" / "python", "-m", "image"),
            *(f"--wheel={wheel}", f"--kubectl={checkout / '.tools' / 'bin' / 'kubectl'}", f"--output={tmp_path}"),
            f"--owner={labels['org.opencontainers.image.source'].split('/')[-2]}",
            f"--revision={labels['org.opencontainers.image.revision']}",
        ],
        cwd=checkout,
        env={
            **os.environ,
            "PYTHONPATH": "packaging",
            "SOURCE_DATE_EPOCH": str(int(created.timestamp())),
            # What may differ from one machine to another.
            "TZ": "Pacific/Auckland",
            "PYTHONHASHSEED": "7",
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{image.digest}, " in done.stdout
    assert (tmp_path / image.archive.name).read_bytes() == image.archive.read_bytes()
