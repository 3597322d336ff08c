"""A policy of rego/policies, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pullguard.core.gatekeeper import Rule
from pullguard.core.lookups import LOOKED_UP

#: Enforcement levels as users write them, mildest first; a policy offers the first one, two or all of them.
LEVELS = ("audit", "warn", "deny")


#: Where objects hold their pod specs: the keys on the way, by the group and the kind of the object.
PodSpecPaths = Mapping[str, Mapping[str, Sequence[str]]]

#: Where custom resources use images, by group and kind: paths, containers and images, and the source of that.
KnownKinds = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of rego/, verbatim.

    Attributes:
        path: Relative to rego/, with slashes.
        text: The whole text; its UTF-8 form is the file, byte for byte.
    """

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class MatchKinds:
    """Objects that a policy judges: every one of the kinds in every one of the groups.

    Attributes:
        api_groups: API groups, "" for the core group.
        kinds: Kinds.
    """

    api_groups: tuple[str, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SyncKinds:
    """Kinds of which a policy needs the objects in data.inventory: any one of the combinations will do.

    Attributes:
        groups: API groups, "" for the core group.
        versions: Versions, such as v1.
        kinds: Kinds.
    """

    groups: tuple[str, ...]
    versions: tuple[str, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A case of the Suite, for people to read.

    Attributes:
        name: The case's name.
        passes: Whether the object has no violation.
        path: The object's file, relative to the policy's folder.
        text: The object's file.
        inventory: The files that stand for what the cluster holds besides, relative to the policy's folder.
    """

    name: str
    passes: bool
    path: str
    text: str
    inventory: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A check of another tool that demands what a policy forbids.

    Attributes:
        tool: Its name.
        check: What the tool calls the check.
        demands: What it wants, in a sentence.
        suppression: How to silence it in protected namespaces only, in a sentence.
        example: The same as a text to copy, with NAMESPACE in place of a protected namespace; "" if there is none.
    """

    tool: str
    check: str
    demands: str
    suppression: str
    example: str


@dataclass(frozen=True, slots=True)
class Guide:
    """What docs.yaml says for people.

    Attributes:
        exceptions: Ways to except something from the policy, a sentence each.
        contradictions: Checks of other tools that contradict it.
    """

    exceptions: tuple[str, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()


@dataclass(frozen=True, slots=True)
class CelVariable:
    """A variable of an admission policy.

    Attributes:
        name: Such as podSpecs; expressions call it variables.podSpecs.
        expression: CEL, which can use the variables before it.
    """

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class CelRules:
    """What a policy says in CEL.

    Attributes:
        variables: Those of the libs that it imports and its own, in order; each has a name of its own.
        rules: The validations of a ValidatingAdmissionPolicy, or the mutations of a MutatingAdmissionPolicy.
    """

    variables: tuple[CelVariable, ...]
    rules: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class AssignField:
    """A field of pods that an Assign of Gatekeeper sets.

    Attributes:
        location: The field, as Gatekeeper writes paths.
        must_exist: What has to be there already for the field to be set; "" if nothing has to.
    """

    location: str
    must_exist: str


@dataclass(frozen=True, slots=True)
class Assigns:
    """What Assign mutators of Gatekeeper do for a policy.

    Attributes:
        value: What they set.
        fields: By a name for each.
        limits: What they do not do, or do too much, a sentence each.
    """

    value: str
    fields: Mapping[str, AssignField]
    limits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mutation:
    """What changes pods so that they keep to a policy.

    Attributes:
        parameter: A list parameter of the policy.
        value: What that parameter has to hold for pods to be changed at all.
        cel: The mutations of the MutatingAdmissionPolicy.
        assigns: The same for Gatekeeper, as far as it can.
    """

    parameter: str
    value: str
    cel: CelRules
    assigns: Assigns


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What changes pods outside of protected namespaces, for those who want it.

    Attributes:
        name: The name of the MutatingAdmissionPolicy.
        description: What it does, and why.
        sets: The pull policy that it sets.
        operations: Admission operations that it reacts to.
        cel: The mutations.
    """

    name: str
    description: str
    sets: str
    operations: tuple[str, ...]
    cel: CelRules


@dataclass(frozen=True, slots=True)
class Policy:
    """One folder of rego/policies.

    Attributes:
        name: The folder's name.
        title: One line for people.
        description: What the policy demands, and why.
        kind: The kind of its constraints.
        version: Semantic version.
        rules: By the reason in a violation's details.
        kinds: What its constraints match.
        kinds_from_parameter: The list parameter whose entries (with group and kind) are matched as well, if it has one.
        levels: The enforcement levels that it offers, mildest first.
        cluster_scoped: Whether the objects that it judges have no namespace, so that none can be matched.
        namespaces_parameter: The parameter that is filled with the protected namespaces, if it has one.
        sync: What it needs in data.inventory: of each requirement, any one of the kinds.
        operations: Admission operations that it judges.
        parameters: The structural schema of its parameters; valid, with valid defaults.
        module: The module with `violation`.
        libs: What the module imports, transitively, in the order of the paths.
        suite: The gator Suite.
        samples: The files below samples/, in the order of the paths.
        examples: Cases of the Suite that show what it is about.
        guide: What docs.yaml says, if there is one.
        admission: What admission.yaml says, if there is one: the policy in CEL.
        mutation: What mutation.yaml says, if there is one.
        elsewhere: What elsewhere.yaml says, if there is one.
        pod_spec_paths: Of the built-in kinds that it judges; empty if it is not about pod specs.
        known_kinds: Custom resources that it judges unless a parameter says otherwise, by group and kind, each as an
            entry of that parameter says it.
        aliases: The names that it had before.
    """

    name: str
    title: str
    description: str
    kind: str
    version: str
    rules: Mapping[str, Rule]
    kinds: tuple[MatchKinds, ...]
    kinds_from_parameter: str | None
    levels: tuple[str, ...]
    cluster_scoped: bool
    namespaces_parameter: str | None
    sync: tuple[tuple[SyncKinds, ...], ...]
    operations: tuple[str, ...]
    parameters: Mapping[str, Any]
    module: SourceFile
    libs: tuple[SourceFile, ...]
    suite: SourceFile
    samples: tuple[SourceFile, ...]
    examples: tuple[Example, ...]
    guide: Guide
    admission: CelRules | None = None
    mutation: Mutation | None = None
    elsewhere: Elsewhere | None = None
    pod_spec_paths: PodSpecPaths = field(default_factory=dict)
    known_kinds: KnownKinds = field(default_factory=dict)
    aliases: tuple[str, ...] = ()

    @property
    def stated_parameters(self) -> dict[str, Any]:
        """The schema of the parameters that users state: all but the one that the generator fills."""
        filled = self.namespaces_parameter
        result = dict(self.parameters)
        if filled is not None:
            own = self.parameters["properties"]
            result["properties"] = {name: node for name, node in own.items() if name != filled}
            result["required"] = [name for name in self.parameters.get("required", ()) if name != filled]
        return result

    def level(self, wanted: str) -> str:
        """Return the strictest level that the policy offers and that is not stricter than the one that is wanted."""
        return self.levels[min(LEVELS.index(wanted), len(self.levels) - 1)]

    @property
    def needs_cluster(self) -> bool:
        """Whether it judges by objects that only a cluster has, and not by LOOKED_UP alone."""
        return any(kind not in LOOKED_UP for requirement in self.sync for entry in requirement for kind in entry.kinds)


@dataclass(frozen=True, slots=True)
class Sources:
    """What rego/ holds for the generator.

    Attributes:
        policies: In the order of the names.
        conftest: The adapter for conftest with everything that it imports, in the order of the paths; empty if there
            is none.
    """

    policies: tuple[Policy, ...]
    conftest: tuple[SourceFile, ...]
