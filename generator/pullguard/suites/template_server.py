"""An OPA server that holds the modules of one template at a time."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import ConstraintTemplate
from pullguard.engine.modules import entry_module, package_path
from pullguard.suites import rego_source
from pullguard.suites.opa_server import OpaServer, RegoError

if TYPE_CHECKING:
    from typing_extensions import Self

_MODULES = ("system/authz/authz.rego", "gatekeeper/driver/driver.rego", "gatekeeper/suite/suite.rego")
_ENTRY = "template"  # also Gatekeeper's name, which its messages about runtime errors have
_CONFLICTS = (
    (
        re.compile(r"function \S+ produced conflicting values for the same inputs.*", re.DOTALL),
        "functions must not produce multiple outputs for same inputs",
    ),
    (
        re.compile(r"rule \S+ produced conflicting values.*", re.DOTALL),
        "complete rules must not produce multiple outputs",
    ),
)
_UNDEFINED_FUNCTION = "undefined function"
_EXTERNAL_DATA = f"{_UNDEFINED_FUNCTION} external_data"


class TemplateFaultError(Exception):
    """Gatekeeper refuses the Rego of a template.

    Args:
        message: What is wrong with it.
        beyond_opa: Nothing is wrong with it, but it needs more than OPA.
    """

    def __init__(self, message: str, *, beyond_opa: bool = False) -> None:
        super().__init__(message)
        self.beyond_opa = beyond_opa


class TemplateServer:
    """A context manager like OpaServer, for templates of one Rego version.

    Libs of different templates have the same package names, so the templates are loaded in turns; what two templates
    have in common stays loaded.

    Args:
        opa: The command that is OPA's own.
        version: "v0" or "v1".
        rego: The folder with pullguard's Rego.
    """

    def __init__(self, opa: Sequence[str], version: str, rego: Path) -> None:
        self._opa = opa
        self._version = version
        self._rego = [rego / path for path in _MODULES]
        self._server = OpaServer(opa, version=version, rego=self._rego)
        #: The names that modules have on the server, by their texts.
        self._names: dict[str, str] = {}
        self._libs: set[str] = set()
        self._order: tuple[str, ...] = ()
        self._has_entry = False
        self._files: TemporaryDirectory[str] | None = None

    def __enter__(self) -> "Self":
        """Start the server."""
        self._server.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the server."""
        self._server.__exit__(kind, error, trace)
        if self._files is not None:
            self._files.cleanup()

    def load(self, template: ConstraintTemplate) -> None:
        """Load a template's modules in the place of the ones before, and check them as Gatekeeper does.

        Raises:
            TemplateFaultError: Gatekeeper does not take them.
            PullguardError: The server has ended or does not answer.
        """
        source = template.source
        if source is None:
            raise TemplateFaultError("it has no Rego")
        for text in source.libs:
            # A module of another package could stand in for one of ours.
            package = package_path(text)
            if not package:
                raise TemplateFaultError("a lib has no package clause")
            if package[0] != "lib" or len(package) == 1:
                raise TemplateFaultError(f"the package of a lib is {'.'.join(package)}, but must be below lib")
        reading = rego_source.read(self._opa, self._version, source.rego, source.libs)
        if reading.fault is not None:
            raise TemplateFaultError(reading.fault)
        entry = rego_source.with_type_check(self._version, entry_module(template.name, reading.rego))
        try:
            self._load_libs(dict.fromkeys(reading.libs))
            self._server.put(_ENTRY, entry)
            self._has_entry = True
        except RegoError as error:
            message = rego_source.type_fault(error.faults) or self._in_gatekeepers_words(error)
            raise TemplateFaultError(message, beyond_opa=_EXTERNAL_DATA in message) from error

    def answers(self, template: ConstraintTemplate, document: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
        """Return what data.gatekeeper.suite.answers says of cases of the template that is loaded.

        Args:
            template: The template.
            document: Its input, without the policy.

        Raises:
            RegoError: Evaluating one of the cases has failed.
            PullguardError: The server has ended or does not answer.
        """
        answers: list[list[dict[str, Any]]] = self._server.query(
            "gatekeeper.suite.answers", {**document, "policy": template.name}
        )
        return answers

    def runtime_error(self, error: RegoError) -> str:
        """Return the text that Gatekeeper has for an error of evaluation: that of its own version of OPA."""
        text = self._in_gatekeepers_words(error)
        for pattern, words in _CONFLICTS:
            text = pattern.sub(words, text)
        return text

    def _in_gatekeepers_words(self, error: RegoError) -> str:
        text = str(error)
        for index, lib in enumerate(self._order):
            text = text.replace(f"{self._names.get(lib, lib)}:", f'libs["lib_{index}"]:')
        return text

    def _load_libs(self, libs: Mapping[str, None]) -> None:
        self._order = tuple(libs)
        stale, missing = self._libs - set(libs), [text for text in libs if text not in self._libs]
        if stale and self._has_entry:
            self._server.delete(_ENTRY)
            self._has_entry = False
        if self._each(stale, self._forget) or self._each(missing, self._add):
            # They need each other, and OPA loads several modules at once only when it starts.
            self._start_with(libs)

    def _each(self, texts: Iterable[str], change: Callable[[str], bool]) -> list[str]:
        """Change modules in an order that their imports allow; return those that cannot be changed."""
        pending = list(texts)
        while pending:
            left = [text for text in pending if not change(text)]
            if len(left) == len(pending):
                return left
            pending = left
        return []

    def _add(self, text: str) -> bool:
        """Load a lib and return True; return False if it needs one that is not loaded."""
        name = self._names.setdefault(text, f"lib-{len(self._names)}")
        try:
            self._server.put(name, text)
        except RegoError as error:
            if all(_UNDEFINED_FUNCTION in fault.message for fault in error.faults):
                return False
            raise
        self._libs.add(text)
        return True

    def _forget(self, text: str) -> bool:
        """Unload a lib and return True; return False if another one needs it."""
        try:
            self._server.delete(self._names[text])
        except RegoError:
            return False
        self._libs.remove(text)
        return True

    def _start_with(self, libs: Iterable[str]) -> None:
        """Start again with these libs in files; with none, if OPA does not take them."""
        self.__exit__(None, None, None)
        self._files = TemporaryDirectory(prefix="pullguard-")
        folder = Path(self._files.name)
        self._names, self._libs, self._has_entry = {}, set(libs), False
        for index, text in enumerate(libs):
            path = folder / f"lib-{index}.rego"
            path.write_text(text, encoding="utf-8", newline="")
            # OPA names the modules of files without the first slash.
            self._names[text] = str(path).lstrip("/")
        self._server = OpaServer(self._opa, version=self._version, rego=[*self._rego, folder])
        self._server.__enter__()
        try:
            self._server.wait()
        except PullguardError as error:
            self.__exit__(None, None, None)
            self._names, self._libs, self._files = {}, set(), None
            self._server = OpaServer(self._opa, version=self._version, rego=self._rego)
            self._server.__enter__()
            raise TemplateFaultError(error.message.replace(f"{folder}/", "")) from error
