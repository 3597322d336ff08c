"""The Rego modules of ConstraintTemplates, as OPA loads them beside rego/gatekeeper."""

import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pullguard.core.gatekeeper import ConstraintTemplate

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_REF = rf'{_NAME}(?:\.{_NAME}|\["(?:[^"\\\n]|\\.)*"\])*'
_PACKAGE = re.compile(rf"\A(?P<before>(?:\s+|#[^\n]*)*package\s+)(?P<ref>{_REF})")
_PART = re.compile(rf'{_NAME}|\["(?P<text>(?:[^"\\\n]|\\.)*)"\]')


@dataclass(frozen=True, slots=True)
class Module:
    """A Rego module under the name that OPA gets for it.

    Attributes:
        path: The same for equal modules of different templates, and different for different ones.
        text: The Rego.
    """

    path: str
    text: str


def template_modules(template: ConstraintTemplate) -> tuple[Module, ...]:
    """Return the modules of a template: its libs, verbatim, and then its entry module as ``policies[name]``.

    Only the package clause of the entry module differs from the template's text, and no line moves. A module
    without a package clause stays as it is: OPA says what is wrong with it. A template without Rego has no
    modules. A lib that a template holds twice is returned once.
    """
    source = template.source
    if source is None:
        return ()
    return (
        *(Module(_lib_path(lib), lib) for lib in dict.fromkeys(source.libs)),
        Module(f"policies/{template.name}.rego", entry_module(template.name, source.rego)),
    )


def entry_module(name: str, rego: str) -> str:
    """Return the entry module of the template ``name`` with ``policies[name]`` for its package."""
    return _PACKAGE.sub(lambda found: f"{found['before']}policies[{json.dumps(name)}]", rego, count=1)


def package_path(rego: str) -> tuple[str, ...]:
    """Return the parts of a module's package, without ``data``; nothing where it has no package clause."""
    found = _PACKAGE.match(rego)
    if found is None:
        return ()
    return tuple(
        part[0] if part["text"] is None else str(json.loads(f'"{part["text"]}"'))
        for part in _PART.finditer(found["ref"])
    )


def compatible_groups(templates: Iterable[ConstraintTemplate]) -> list[list[ConstraintTemplate]]:
    """Group templates with Rego so that the modules of each group can be loaded together.

    All templates of a group have the same Rego version and different names, and have the same text for the same lib
    package. Templates keep their order; each goes into the first group that it fits.
    """
    groups: list[_Group] = []
    for template in templates:
        if template.source is None:
            continue
        libs = _libs(template.source.libs)
        for group in groups:
            if group.fits(template, template.source.version, libs):
                break
        else:
            group = _Group(template.source.version, [], {})
            groups.append(group)
        group.templates.append(template)
        group.libs.update(libs)
    return [group.templates for group in groups]


def _lib_path(text: str) -> str:
    """Return a name that shows the package and differs for different texts."""
    package = "/".join(re.sub(r"\W", "_", part) for part in package_path(text))
    return f"{package or 'lib'}-{len(text):x}-{zlib.crc32(text.encode()):08x}.rego"


_Libs = Mapping[tuple[str, ...], frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Group:
    version: str
    templates: list[ConstraintTemplate]
    libs: dict[tuple[str, ...], frozenset[str]]

    def fits(self, template: ConstraintTemplate, version: str, libs: _Libs) -> bool:
        if self.version != version or any(template.name == other.name for other in self.templates):
            return False
        return not any(_clash(package, texts, self.libs) for package, texts in libs.items())


def _libs(texts: Sequence[str]) -> _Libs:
    packages: dict[tuple[str, ...], frozenset[str]] = {}
    for text in texts:
        package = package_path(text)
        packages[package] = packages.get(package, frozenset()) | {text}
    return packages


def _clash(package: tuple[str, ...], texts: frozenset[str], loaded: _Libs) -> bool:
    """Tell whether a package differs from what is loaded, or stands above or below another loaded one."""
    if package in loaded:
        return loaded[package] != texts
    return any(other[: len(package)] == package[: len(other)] for other in loaded)
