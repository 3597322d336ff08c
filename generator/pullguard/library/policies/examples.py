"""The cases of a Suite that show people what a policy is about; pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from pullguard.core.gatekeeper import dig
from pullguard.engine.documents import load_document
from pullguard.engine.protocol import Engine
from pullguard.library.policies.model import Example, SourceFile

#: How many cases of a kind are shown: those that come first.
_SHOWN = 2


def examples(engine: Engine, suite: SourceFile, shown: str, samples: Sequence[SourceFile]) -> tuple[Example, ...]:
    """Return the first cases that fail and the first that pass, of the first test that has cases.

    A test after the first is about something special, and an AdmissionReview is hard to read. What is wrong with a
    Suite is for those who run it to say: a case that cannot be understood is left out.

    Args:
        engine: What reads YAML.
        suite: The Suite.
        shown: Its name for messages.
        samples: The files that it can name.

    Raises:
        PullguardError: The Suite is not YAML.
    """
    folder = suite.path.rpartition("/")[0]
    texts = {sample.path.removeprefix(f"{folder}/"): sample.text for sample in samples}
    document = load_document(engine, suite.text, shown, dialect="gator").value
    for test in _list(document, "tests"):
        found = list(_of_test(test, texts))
        if found:
            failing = [example for example in found if not example.passes]
            passing = [example for example in found if example.passes]
            return (*failing[:_SHOWN], *passing[:_SHOWN])
    return ()


def _of_test(test: Any, texts: dict[str, str]) -> Iterator[Example]:
    if dig(test, "invalid") or dig(test, "skip"):
        return
    for case in _list(test, "cases"):
        path = str(dig(case, "object"))
        counts = [str(dig(assertion, "violations")) for assertion in _list(case, "assertions")]
        text = texts.get(path, "")
        if text and counts and "\nkind: AdmissionReview" not in f"\n{text}" and not dig(case, "skip"):
            yield Example(
                name=str(dig(case, "name")),
                passes=set(counts) <= {"no", "0"},
                path=path,
                text=text,
                inventory=tuple(str(file) for file in _list(case, "inventory")),
            )


def _list(value: Any, key: str) -> list[Any]:
    found = dig(value, key)
    return found if isinstance(found, list) else []
