"""Metrics in Prometheus' text format."""

from collections.abc import Iterable, Iterator, Mapping

from pullguard.core.formats.text import inert, printable


def gauge(name: str, text: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> Iterator[str]:
    """Yield the lines of a gauge: its help, its type, and each sample with its labels."""
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples:
        inside = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
        yield f"{name}{f'{{{inside}}}' if inside else ''} {value}"


def _escaped(text: str) -> str:
    shown = "\n".join(inert(printable(line)) for line in text.split("\n"))
    return shown.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
