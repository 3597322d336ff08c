"""What pullguard-engine consists of: the licenses of the Go modules in it, and its bill of materials.

    engine_parts.py licenses --out FILE PLATFORM...         the texts, of all modules of the engines of some platforms
    engine_parts.py bill --out FILE --engine PROGRAM --tool CYCLONEDX-GOMOD --version VERSION PLATFORM

A platform is <goos>-<goarch>. Both need Go, and the modules in its cache, where building the engines puts them. A
module without a license, or with one that is not in the table below, is an error: somebody has to read it.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOOLS = Path(__file__).resolve().parent.parent / "tools"

# Go's own library has no module, and is a part of every program.
STANDARD_LIBRARY = "std"

# What a text is, by words that only it has; the first that fits counts. Their SPDX identifiers allow everybody to pass
# the program on, if the text goes with it; MPL-2.0 does for files that are unchanged, as they are here.
_ALLOWED = (
    ("Apache-2.0", r"Apache License,? Version 2\.0"),
    ("MPL-2.0", r"Mozilla Public License,? version 2\.0"),
    ("MIT", r"Permission is hereby granted, free of charge, to any person obtaining a copy"),
    (
        "ISC",
        r"Permission to use, copy, modify, and(?:/or)? distribute this software for any purpose with or without fee",
    ),
    (
        "BSD-3-Clause",
        r"Redistribution and use in source and binary forms.*(?:Neither the name|names? of .* not be used)",
    ),
    ("BSD-2-Clause", r"Redistribution and use in source and binary forms"),
    # Of documents, which are in the module and not in the program.
    ("CC-BY-SA-4.0", r"Attribution-ShareAlike 4\.0 International"),
)
#: What the table calls a document's license, which says nothing of the program.
_OF_DOCUMENTS = frozenset({"CC-BY-SA-4.0"})
_NOT_ALLOWED = re.compile(r"GNU (?:LESSER |AFFERO |LIBRARY )?GENERAL PUBLIC LICENSE\s+Version", re.IGNORECASE)
_LICENSE = re.compile(r"(?:un)?licen[cs]e|copying", re.IGNORECASE)
_NOTICE = re.compile(r"notice|patents", re.IGNORECASE)
_RULE = "=" * 100


class PartsError(Exception):
    """What is wrong with the parts, and what to do about it."""


@dataclass(frozen=True, slots=True, order=True)
class Module:
    """A Go module in an engine.

    Attributes:
        path: Its name.
        version: Its version.
        folder: Where its source is.
        folders: The folders of its packages that are in the engine, relative to its own; sorted.
    """

    path: str
    version: str
    folder: Path
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A file with a license, or with what has to go with it.

    Attributes:
        name: Its path in its module.
        text: What it says.
        license: Its SPDX identifier; None for notices.
    """

    name: str
    text: str
    license: str | None


def modules(platform: str) -> list[Module]:
    """Return the modules of the engine of a platform, and Go's standard library, sorted.

    Raises:
        PartsError: Go is not there, or does not say.
    """
    system, _, processor = platform.partition("-")
    template = "{{with .Module}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}\t{{.Dir}}"
    listed = _go("list", "-deps", "-f", template, "./engine", GOOS=system, GOARCH=processor, CGO_ENABLED="0")
    found: dict[tuple[str, str, Path], set[str]] = {}
    for line in listed.splitlines():
        path, _, rest = line.partition("\t")
        if path and not path.startswith("pullguard.invalid/"):
            version, folder, package = rest.split("\t")
            found.setdefault((path, version, Path(folder)), set()).add(str(Path(package).relative_to(folder)))
    own = Module(STANDARD_LIBRARY, _go("env", "GOVERSION").strip(), Path(_go("env", "GOROOT").strip()), (".",))
    return sorted([own, *(Module(*key, tuple(sorted(folders))) for key, folders in found.items())])


def texts(module: Module) -> list[Text]:
    """Return the licenses and notices of a module: those at its top, and those on the way to packages in the engine.

    Raises:
        PartsError: It has none, or one that nobody has read yet.
    """
    folders = {Path(folder) for folder in module.folders}
    folders |= {parent for folder in folders for parent in folder.parents}
    found = list(_texts(module, sorted(folders)))
    if not any(each.license and each.license not in _OF_DOCUMENTS for each in found):
        raise PartsError(
            f"{module.path} {module.version} has no license: see {module.folder}, or do without the module"
        )
    return found


def identifiers(found: Iterable[Text]) -> list[str]:
    """Return the SPDX identifiers of what applies to a program, sorted."""
    return sorted({each.license for each in found if each.license} - _OF_DOCUMENTS)


def _texts(module: Module, folders: Sequence[Path]) -> Iterator[Text]:
    for folder in folders:
        for file in sorted((module.folder / folder).iterdir()):
            is_license = _LICENSE.match(file.name) is not None
            if not file.is_file() or file.suffix == ".go" or not (is_license or _NOTICE.match(file.name)):
                continue
            text = file.read_text(encoding="utf-8", errors="replace")
            name = str(folder / file.name)
            yield Text(name, text, _license(f"{module.path} {module.version}: {name}", text) if is_license else None)


def _license(shown: str, text: str) -> str:
    words = " ".join(text.split())
    if _NOT_ALLOWED.search(words) and not re.search(_ALLOWED[1][1], words):  # MPL-2.0 names them as alternatives
        raise PartsError(f"{shown} does not let everybody pass the engine on: do without the module")
    for identifier, pattern in _ALLOWED:
        if re.search(pattern, words, re.IGNORECASE):
            return identifier
    raise PartsError(
        f"{shown} is a license that is not known: read it, and add it to the table in {Path(__file__).name}"
    )


def licenses(platforms: Sequence[str]) -> str:
    """Return the texts of all modules of the engines of some platforms: each text once, with what it is for.

    Raises:
        PartsError: As of `texts`.
    """
    users: dict[str, list[str]] = {}
    lines = []
    for module in sorted({(each.path, each.version): each for each in _all_modules(platforms)}.values()):
        found = texts(module)
        lines.append(f"{module.path} {module.version}: {' AND '.join(identifiers(found))}")
        for each in found:
            text = "\n".join(line.rstrip() for line in each.text.splitlines()).strip()
            users.setdefault(text, []).append(f"{module.path} {module.version}: {each.name}")
    parts = ["pullguard-engine contains these Go modules. Their licenses follow, each text once.", "\n".join(lines)]
    for text, of in users.items():
        parts += [_RULE + "\n" + "\n".join(of), text]
    return "\n\n".join(parts) + "\n"


def _all_modules(platforms: Sequence[str]) -> Iterator[Module]:
    """Yield the modules of some platforms; what is in several has the folders of all of them."""
    folders: dict[tuple[str, str, Path], set[str]] = {}
    for platform in platforms:
        for module in modules(platform):
            folders.setdefault((module.path, module.version, module.folder), set()).update(module.folders)
    yield from (Module(*key, tuple(sorted(found))) for key, found in folders.items())


def bill(platform: str, *, engine: Path, tool: Path, version: str) -> str:
    """Return the bill of materials of an engine, in CycloneDX: what its own list of modules says, with their licenses.

    Args:
        platform: What the engine was built for.
        engine: The program.
        tool: cyclonedx-gomod.
        version: The version of pullguard.

    Raises:
        PartsError: As of `texts`; or the engine holds other modules than Go would build it from.
    """
    # Its detection of licenses takes BSD's for others.
    options = ["-json", "-noserial", "-notimestamp", "-std", "-version", f"v{version}"]
    environment = {**os.environ, "GOPROXY": "off", "GOFLAGS": "-mod=mod"}
    done = subprocess.run([tool, "bin", *options, engine], env=environment, capture_output=True, check=False)
    if done.returncode:
        raise PartsError(f"{tool.name}: {done.stderr.decode(errors='replace').strip()}")
    made = json.loads(done.stdout)
    known: Mapping[str, Module] = {module.path: module for module in modules(platform)}
    named = {component["name"]: component["version"] for component in made["components"]}
    if named != {path: module.version for path, module in known.items()}:
        differing = sorted(set(named.items()) ^ {(path, module.version) for path, module in known.items()})
        raise PartsError(f"{engine} was built from other modules than tools/go.mod names: {differing}; build it again")
    made["metadata"]["component"] |= {"name": "pullguard-engine", "licenses": [{"license": {"id": "Apache-2.0"}}]}
    for component in made["components"]:
        component["licenses"] = _stated(identifiers(texts(known[component["name"]])))
    return json.dumps(made, indent=1) + "\n"


def _stated(found: Sequence[str]) -> list[Any]:
    return [{"license": {"id": found[0]}}] if len(found) == 1 else [{"expression": " AND ".join(found)}]


def _go(*arguments: str, **variables: str) -> str:
    try:
        done = subprocess.run(
            ["go", *arguments],  # noqa: S607 - the one that built the engine
            cwd=TOOLS,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise PartsError("go is not there; install it") from error
    if done.returncode:
        raise PartsError(f"go {arguments[0]}: {done.stderr.strip()}")
    return done.stdout


def main() -> int:
    """Write what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(description="What pullguard-engine consists of.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("licenses", "bill"):
        command = commands.add_parser(name)
        command.add_argument("--out", type=Path, required=True)
        command.add_argument("platforms", nargs="+" if name == "licenses" else 1, metavar="PLATFORM")
        if name == "bill":
            command.add_argument("--engine", type=Path, required=True)
            command.add_argument("--tool", type=Path, required=True)
            command.add_argument("--version", required=True)
    options = parser.parse_args()
    try:
        if options.command == "licenses":
            text = licenses(options.platforms)
        else:
            (platform,) = options.platforms
            text = bill(platform, engine=options.engine, tool=options.tool.resolve(), version=options.version)
    except PartsError as error:
        print(f"engine_parts.py: {error}", file=sys.stderr)
        return 2
    options.out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
