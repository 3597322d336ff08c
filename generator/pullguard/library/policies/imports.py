"""Which modules of rego/ a module needs."""

from collections.abc import Iterable
from pathlib import PurePosixPath

from pullguard.core.errors import PullguardError
from pullguard.library.policies.model import SourceFile
from pullguard.library.policies.rego import Reference, RegoModule, Tree


def fitting(tree: Tree, path: str, package: tuple[str, ...]) -> RegoModule:
    """Return a module that is alone in its folder, but for tests, and has the package that its path says."""
    folder = PurePosixPath(path).parent
    for other in sorted((tree.directory / folder).glob("*.rego")):
        if other.name != PurePosixPath(path).name and not other.name.endswith("_test.rego"):
            raise PullguardError(
                f"only {PurePosixPath(path).name} and tests (*_test.rego) can stand in {folder.name}/",
                file=tree.shown(f"{folder}/{other.name}"),
                remedy="move it into a folder of its own below rego/lib",
            )
    module = tree.module(path)
    if module.package != package:
        raise PullguardError(
            f"the package is {'.'.join(module.package)}, not {'.'.join(package)}",
            file=module.file,
            line=module.package_line,
            remedy="a package is named after its folder",
        )
    return module


def libs(tree: Tree, entry: RegoModule) -> tuple[SourceFile, ...]:
    """Return the libs that a module of a policy, or of a lib, imports, transitively."""
    found: dict[str, RegoModule] = {}
    pending = [entry]
    while pending:
        module = pending.pop()
        for reference in module.references:
            _require_gatekeeper_takes(module, reference)
            if reference.parts[:2] != ("data", "lib"):
                continue
            for path in modules_of(tree, module, reference):
                if path not in found:
                    found[path] = fitting(tree, path, PurePosixPath(path).parent.parts)
                    pending.append(found[path])
    return tuple(found[path].source for path in sorted(found))


def _require_gatekeeper_takes(module: RegoModule, reference: Reference) -> None:
    """Refuse what Gatekeeper refuses in the Rego of a template."""
    parts = reference.parts
    name = ".".join(parts) or "this"
    if reference.is_import:
        if parts == ("rego", "v1"):
            raise PullguardError(
                "Gatekeeper rejects `import rego.v1`",
                file=module.file,
                line=reference.line,
                remedy="remove it: policies are Rego v1 already",
            )
        taken = parts[:1] == ("future",) or (parts[:2] == ("data", "lib") and len(parts) > 2)  # noqa: PLR2004 - a package below data.lib
        remedy = "import packages below data.lib only"
    else:
        taken = parts[:2] == ("data", "inventory") or (parts[:2] == ("data", "lib") and len(parts) > 2)  # noqa: PLR2004 - as above
        remedy = "refer to data.inventory, and to packages below data.lib by their names"
    if not taken:
        verb = "import" if reference.is_import else "reference"
        raise PullguardError(
            f"Gatekeeper rejects the {verb} of {name}", file=module.file, line=reference.line, remedy=remedy
        )


def modules_of(tree: Tree, module: RegoModule, reference: Reference) -> list[str]:
    """Return the paths of the modules that a reference to data reaches: its package, or all packages below it."""
    names = reference.parts[1:]
    for length in range(len(names), 0, -1):
        path = module_path(names[:length])
        if (tree.directory / path).is_file():
            return [path]
    below = tree.directory.joinpath(*names)
    paths = sorted(file.relative_to(tree.directory).as_posix() for file in below.rglob("*.rego"))
    paths = [path for path in paths if path == module_path(PurePosixPath(path).parent.parts)]
    if not paths:
        wanted = module_path(names if reference.is_import else names[:2])
        raise PullguardError(
            f"there is no {'.'.join(reference.parts)}",
            file=module.file,
            line=reference.line,
            remedy=f"write {tree.shown(wanted)}, or name a package that is there",
        )
    return paths


def module_path(package: Iterable[str]) -> str:
    """Return the path of the module that holds a package, below rego/."""
    names = tuple(package)
    return "/".join((*names, f"{names[-1]}.rego"))
