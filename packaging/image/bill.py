"""The bill of materials of an image, in CycloneDX: Debian's packages, Python distributions and Go modules."""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from image.debian import SUITE, CannotBuildError, Package

# What Go's linker puts around the list of modules in a program.
_BUILD_INFO = re.compile(
    rb"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6(.*?)\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2",
    re.DOTALL,
)
#: A licence as pip's metadata has it may be a whole text.
_LONGEST_LICENCE = 100


def bill(
    *,
    name: str,
    version: str,
    packages: Sequence[Package],
    distributions: Sequence[tuple[str, str, str]],
    programs: Mapping[str, bytes],
    created: datetime,
) -> str:
    """Return the bill in JSON, of which the same parts make the same bytes.

    Args:
        name: The name of the image.
        version: Its version.
        packages: Debian's packages.
        distributions: The name, version and licence of each Python distribution.
        programs: Go's programs, by name.
        created: When the image was made.

    Raises:
        CannotBuildError: A program has no list of modules.
    """
    components = {each.bom_ref.value: each for each in _components(packages, distributions, programs)}
    whole = Component(name=name, version=version, type=ComponentType.CONTAINER, bom_ref="image")
    serial = uuid.uuid5(uuid.NAMESPACE_URL, "\n".join([name, version, *sorted(map(str, components))]))
    made = Bom(
        components=components.values(),
        serial_number=serial,
        metadata=BomMetaData(component=whole, timestamp=created),
    )
    made.register_dependency(whole, components.values())
    text: str = JsonV1Dot6(made).output_as_string(indent=1)
    return f"{text}\n"


def go_modules(program: bytes) -> list[tuple[str, str]]:
    """Return the path and the version of each Go module that a program consists of; Go itself is "stdlib".

    Raises:
        CannotBuildError: The program has no list of modules.
    """
    found = _BUILD_INFO.search(program)
    if found is None:
        raise CannotBuildError("a program does not say which Go modules it consists of: build it with modules")
    modules: list[tuple[str, str]] = []
    for line in found[1].decode().splitlines():
        kind, *fields = line.split("\t")
        if kind in {"mod", "dep"}:
            modules.append((fields[0], fields[1]))
        elif kind == "=>":  # it replaces the one before
            modules[-1] = (fields[0], fields[1])
    version = re.search(rb"\bgo(1\.\d+(?:\.\d+)?)\b", program)
    return [*modules, *([("stdlib", f"v{version[1].decode()}")] if version else [])]


def _components(
    packages: Sequence[Package], distributions: Sequence[tuple[str, str, str]], programs: Mapping[str, bytes]
) -> Iterator[Component]:
    for package in packages:
        qualifiers = {"arch": package.architecture, "distro": SUITE}
        url = PackageURL("deb", "debian", package.name, package.version, qualifiers)
        yield _component(package.name, package.version, url)
    for name, version, licence in distributions:
        yield _component(name, version, PackageURL("pypi", None, name.lower(), version), licence)
    for data in programs.values():
        for path, version in go_modules(data):
            namespace, _, last = path.rpartition("/")
            known = "" if version == "(devel)" else version
            yield _component(path, known, PackageURL("golang", namespace or None, last, known or None))


def _component(name: str, version: str, url: PackageURL, licence: str = "") -> Component:
    licences = [LicenseFactory().make_from_string(licence)] if 0 < len(licence) < _LONGEST_LICENCE else []
    return Component(
        name=name,
        version=version or None,
        purl=url,
        bom_ref=url.to_string(),
        type=ComponentType.LIBRARY,
        licenses=licences,
    )
