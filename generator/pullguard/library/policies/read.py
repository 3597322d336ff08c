"""rego/ -> policies."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import rule_from
from pullguard.core.schema_errors import joined
from pullguard.engine.protocol import Engine
from pullguard.library.policies import cel, guide, imports, includes
from pullguard.library.policies.examples import examples
from pullguard.library.policies.model import LEVELS, Guide, MatchKinds, Policy, SourceFile, Sources, SyncKinds
from pullguard.library.policies.rego import Tree

#: Constraints are named after the policy and the way of protecting, in at most 63 characters.
_LONGEST_NAME = 40
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_SAMPLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.(yaml|yml|json)")
_DEFAULT_OPERATIONS = ("CREATE", "UPDATE")

T = TypeVar("T")


def read(rego: Path, engine: Engine) -> Sources:
    """Return the policies below rego/policies, and the adapter for conftest with what it imports.

    Args:
        rego: The folder rego/.
        engine: What reads them.

    Raises:
        PullguardError: There is no policy, or one of them is not what a policy has to be; says all that is wrong.
    """
    tree = Tree(rego, engine)
    names = _folders(rego / "policies")
    if not names:
        raise PullguardError(
            "holds no policies", file=tree.shown("policies"), remedy="a policy is a folder with <name>.rego"
        )
    policies: list[Policy] = []
    errors: list[PullguardError] = []
    for name in names:
        try:
            policies.append(_policy(tree, name))
        except PullguardError as error:  # noqa: PERF203 - every policy has its say
            errors.append(error)
    if errors:
        raise joined(errors)
    return Sources(tuple(policies), _conftest(tree))


def check_name(name: str, file: str | None = None) -> None:
    """Fail unless a policy can have a name.

    Args:
        name: The name.
        file: What has it, as it is shown to users.

    Raises:
        PullguardError: It cannot.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise PullguardError(
            f"{name} cannot be a policy's name",
            file=file,
            remedy=f"write words in lower case joined by underscores, at most {_LONGEST_NAME} characters",
        )


def _folders(directory: Path) -> list[str]:
    if not directory.is_dir():
        return []
    return sorted(path.name for path in directory.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))


def _policy(tree: Tree, name: str) -> Policy:
    folder = f"policies/{name}"
    check_name(name, tree.shown(folder))
    path = f"{folder}/{name}.rego"
    if not (tree.directory / path).is_file():
        raise PullguardError(
            f"{name}.rego is missing", file=tree.shown(folder), remedy="a policy's module is named after its folder"
        )
    module = imports.fitting(tree, path, ("policies", name))
    if "violation" not in module.sets:
        raise PullguardError(
            "there is no rule `violation`",
            file=module.file,
            remedy='write `violation contains {"msg": ..., "details": ...} if { ... }`',
        )
    libs = imports.libs(tree, module)
    metadata = includes.metadata_of(tree, module)
    custom = metadata.custom
    for twin in ("admission.yaml", "mutation.yaml", "elsewhere.yaml"):
        if "scope" in custom["match"] and (tree.directory / folder / twin).is_file():
            raise PullguardError(
                "a policy with `scope: Cluster` cannot be an admission policy",
                file=tree.shown(f"{folder}/{twin}"),
                remedy="remove the file: admission policies are for objects in protected namespaces",
            )
    suite, samples = _suite(tree, folder), _samples(tree, folder)
    return Policy(
        name=name,
        title=metadata.title,
        description=metadata.description,
        kind=custom["kind"],
        version=custom["version"],
        rules={reason: rule_from(rule) for reason, rule in custom["rules"].items()},
        kinds=tuple(MatchKinds(tuple(entry["apiGroups"]), tuple(entry["kinds"])) for entry in custom["match"]["kinds"]),
        kinds_from_parameter=custom["match"].get("kindsFromParameter"),
        levels=tuple(custom.get("enforcement", LEVELS)),
        cluster_scoped="scope" in custom["match"],
        namespaces_parameter=custom["match"].get("namespacesToParameter"),
        sync=tuple(
            tuple(SyncKinds(*(tuple(kinds[key]) for key in ("groups", "versions", "kinds"))) for kinds in requirement)
            for requirement in custom.get("requiresSyncData", ())
        ),
        operations=tuple(custom.get("operations", _DEFAULT_OPERATIONS)),
        parameters=custom["parameters"],
        pod_spec_paths=metadata.pod_spec_paths,
        known_kinds=metadata.known_kinds,
        module=module.source,
        libs=libs,
        suite=suite,
        samples=samples,
        examples=examples(tree.engine, suite, tree.shown(suite.path), samples),
        guide=_guide(tree, folder),
        admission=_cel(tree, folder, "admission.yaml", cel.admission, custom),
        mutation=_cel(tree, folder, "mutation.yaml", cel.mutation, custom),
        elsewhere=_cel(tree, folder, "elsewhere.yaml", cel.elsewhere, custom),
        aliases=tuple(custom.get("aliases", ())),
    )


def _suite(tree: Tree, folder: str) -> SourceFile:
    path = f"{folder}/suite.yaml"
    if not (tree.directory / path).is_file():
        raise PullguardError(
            "suite.yaml is missing",
            file=tree.shown(folder),
            remedy="write a gator Suite: a policy states what it expects",
        )
    return tree.file(path)


def _samples(tree: Tree, folder: str) -> tuple[SourceFile, ...]:
    """Return the samples, without hidden files: editors leave those behind."""
    samples = tree.directory / folder / "samples"
    paths = [
        path.relative_to(tree.directory)
        for path in sorted(samples.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(samples).parts)
    ]
    for path in paths:
        if not _SAMPLE_NAME.fullmatch(path.name):
            raise PullguardError(
                "is not a sample's name",
                file=tree.shown(path.as_posix()),
                remedy="name samples *.yaml or *.json, with letters, digits, dots, hyphens and underscores",
            )
    return tuple(tree.file(path.as_posix()) for path in paths)


def _guide(tree: Tree, folder: str) -> Guide:
    """Return what docs.yaml says; nothing if there is none."""
    path = f"{folder}/docs.yaml"
    if not (tree.directory / path).is_file():
        return Guide()
    return guide.parse(tree.engine, tree.file(path).text, tree.shown(path))


def _cel(
    tree: Tree, folder: str, name: str, parse: Callable[[str, str, cel.Libs, Mapping[str, Any]], T], custom: Any
) -> T | None:
    """Return what a file in CEL beside a policy says; None if there is none."""
    path = f"{folder}/{name}"
    if not (tree.directory / path).is_file():
        return None
    libs = cel.Libs(
        admission=lambda lib: _cel_lib(tree, lib),
        value=lambda reference: includes.value_of(tree, reference),
        engine=tree.engine,
    )
    return parse(tree.file(path).text, tree.shown(path), libs, custom["parameters"].get("properties", {}))


def _cel_lib(tree: Tree, name: str) -> tuple[str, str] | None:
    """Return the text of a lib's admission.yaml, and the file's name for messages; None if there is none."""
    path = f"lib/{name}/admission.yaml"
    if not _NAME.fullmatch(name) or not (tree.directory / path).is_file():
        return None
    return tree.file(path).text, tree.shown(path)


def _conftest(tree: Tree) -> tuple[SourceFile, ...]:
    """Return the modules of rego/conftest and what they import of rego/lib and rego/gatekeeper."""
    roots = sorted(
        path.relative_to(tree.directory).as_posix()
        for path in (tree.directory / "conftest").rglob("*.rego")
        if not path.name.endswith("_test.rego")
    )
    if not roots:
        return ()
    found: dict[str, SourceFile] = {}
    pending = list(roots)
    while pending:
        path = pending.pop()
        if path in found:
            continue
        module = tree.module(path)
        found[path] = module.source
        for reference in module.references:
            if reference.parts[:2] in {("data", "lib"), ("data", "gatekeeper")}:
                pending.extend(imports.modules_of(tree, module, reference))
    return tuple(found[path] for path in sorted(found))
