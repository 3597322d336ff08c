"""What the engine has to know before anything is judged; it loads policies while Python imports the rest."""

from typing import TYPE_CHECKING

from pullguard.library import ruleset

if TYPE_CHECKING:
    from pullguard.core.inputs.limits import Limits
    from pullguard.engine.protocol import Engine

#: What judges, by name.
JUDGES = ("opa", "conftest")


def prepared(
    engine: "Engine",
    library: str | None = None,
    *,
    by: str = "opa",
    everywhere: bool = False,
    limits: "Limits | None" = None,
) -> ruleset.Ruleset:
    """Return what manifests are judged by, and have the engine load it.

    Args:
        engine: What reads them, and judges them if nothing else does; it must be new.
        library: The folder of the library, or "builtin". None: ./library if pullguard wrote it, else the builtin one.
        by: One of JUDGES.
        everywhere: Judge objects in all namespaces, whatever the constraints say of namespaces.
        limits: What is beyond them is an error; None: those of the engine.

    Raises:
        PullguardError: The library or the engine cannot be used.
    """
    rules = ruleset.choose(engine, library, everywhere=everywhere, precompiled=by == "opa")
    engine.setup([group.for_engine() for group in rules.groups] if by == "opa" else [], limits=limits, remember=True)
    engine.flush()
    return rules
