"""A policy in CEL, evaluated by Kubernetes' own code, next to the same policy in Rego, evaluated by OPA."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from admission_chain import AdmissionChain, namespace
from pullguard.library.config import ALL, AdmissionConfig, Config, PolicyConfig, ProtectedNamespaces
from pullguard.library.policies import Policy
from pullguard.library.render import admission
from pullguard.library.render.objects import complete_parameters

LISTS = ("containers", "initContainers", "ephemeralContainers", "volumes")

EVERYWHERE = ProtectedNamespaces(("*",), None)


@dataclass(frozen=True)
class Workbench:
    """The programs and the policies.

    Attributes:
        opa: The command line of OPA.
        program: The tools/admission binary.
        rego: A folder with the Rego of the library, below lib and policies.
        policies: The policies by name.
        folder: A folder for files that live as long as this object.
    """

    opa: tuple[str, ...]
    program: Path
    rego: Path
    policies: Mapping[str, Policy]
    folder: Path

    def config(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        protected: ProtectedNamespaces = EVERYWHERE,
        scope: str = ALL,
        level: str = "deny",
    ) -> Config:
        """Return a configuration with one policy."""
        own = PolicyConfig(enabled=True, enforcement=level, parameters=parameters or {})
        return Config(protected, {name: own}, AdmissionConfig(scope))

    def validating(self, name: str, config: Config) -> list[dict[str, Any]]:
        """Return the objects that `generate` renders so that the API server enforces a policy."""
        return admission.validating(self.policies[name], config)

    def chain(
        self, objects: Sequence[Mapping[str, Any]], oldest: str = "", *, always_pull: bool = False
    ) -> closing[AdmissionChain]:
        """Return the API server's admission with objects in force, if the oldest API server accepts them.

        Args:
            objects: Admission policies, their bindings, and Namespaces.
            oldest: The oldest version of Kubernetes whose API server must accept the expressions.
            always_pull: Whether the admission plugin AlwaysPullImages is turned on.
        """
        return closing(AdmissionChain(self.program, objects, self.folder, oldest, always_pull=always_pull))

    def say_in_rego(self, name: str, config: Config, requests: Sequence[Any]) -> list[str]:
        """Return Rego's violations for each request as the one line that CEL would write; "" for none."""
        query = (
            "[found | parameters := input.parameters; some review in input.reviews; found := [violation | "
            f"some violation in data.policies.{name}.violation with input as "
            '{"review": review, "parameters": parameters}]]'
        )
        parameters = complete_parameters(self.policies[name], config)
        done = subprocess.run(
            [
                *(*self.opa, "eval", "--format", "json", "--fail", "--stdin-input"),
                *("--data", self.rego / "lib", "--data", self.rego / "policies", query),
            ],
            input=json.dumps({"reviews": requests, "parameters": parameters}),
            capture_output=True,
            text=True,
            timeout=600,
            check=True,
        )
        return [_line(found) for found in json.loads(done.stdout)["result"][0]["expressions"][0]["value"]]

    @contextmanager
    def twins(self, name: str, config: Config, *namespaces: str) -> Iterator["Twins"]:
        """Yield a policy in both languages."""
        objects = [*self.validating(name, config), *(namespace(one) for one in namespaces or ("kube-system",))]
        with self.chain(objects) as chain:
            yield Twins(self, name, config, chain)


@dataclass(frozen=True)
class Twins:
    """A policy in CEL and in Rego, with the same configuration."""

    workbench: Workbench
    name: str
    config: Config
    chain: AdmissionChain

    def in_cel(self, requests: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return CEL's message about each request, or "". The objects are used as they are."""
        return [told(self.chain.judge(request, typed=False)) for request in requests]

    def in_rego(self, requests: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return Rego's violations for each request that Gatekeeper would ask the policy about; "" for the others.

        CEL cannot print lists and maps, which only a custom resource can have in these places.
        """
        policy = self.workbench.policies[self.name]
        lines = self.workbench.say_in_rego(self.name, self.config, requests)
        lines = [line if _selects(policy, request) else "" for line, request in zip(lines, requests, strict=True)]
        return [re.sub(r'"(?:\[(?:"Always")?\]|\{(?:"Always":1)?\})"', '"(no text)"', line) for line in lines]


def told(verdict: Mapping[str, Any]) -> str:
    """Return the API server's message to the user, without the names of the policy and its binding."""
    assert "refused" not in verdict, verdict
    if verdict["allowed"]:
        return ""
    return str(verdict["message"].partition("denied request: ")[2])


def pod(containers: Sequence[Mapping[str, Any]], *, namespace: str = "kube-system", **spec: Any) -> dict[str, Any]:
    """Return a Pod."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "namespace": namespace},
        "spec": {"containers": list(containers), **spec},
    }


def _selects(policy: Policy, request: Mapping[str, Any]) -> bool:
    """Tell whether Gatekeeper asks a policy about a request. A parameter can add kinds."""
    stated = {(group, kind) for kinds in policy.kinds for group in kinds.api_groups for kind in kinds.kinds}
    kind = request["kind"]
    return (kind["group"], kind["kind"]) in stated or policy.kinds_from_parameter is not None


def _line(violations: Sequence[Mapping[str, Any]]) -> str:
    messages = [violation["msg"] for violation in sorted(violations, key=_place)]
    return " | ".join([*messages[:10], *(["and more"] if len(messages) > 10 else [])])


def _place(violation: Mapping[str, Any]) -> tuple[int, str, int]:
    found = re.fullmatch(r"(.*)\.(\w+)\[(\d+)\]", violation["details"].get("path", ""))
    if found is None or found[2] not in LISTS:
        return 0, "", 0  # it is about the whole object, or about fields that only custom resources have
    return LISTS.index(found[2]), found[1], int(found[3])
