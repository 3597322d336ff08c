"""What the engine has to know before anything is judged; it loads policies while Python imports the rest."""

from typing import TYPE_CHECKING, Any

from pullguard.core.inputs.build_options import INSTALLERS
from pullguard.core.lookups import INVENTORY
from pullguard.engine.queries import modules
from pullguard.library import bundle
from pullguard.library.choice import choose

if TYPE_CHECKING:
    from pullguard.core.inputs.limits import Limits
    from pullguard.engine.protocol import Engine
    from pullguard.library.ruleset import Ruleset

#: What judges, by name.
JUDGES = ("opa", "conftest")


def prepared(
    engine: "Engine",
    library: str | None = None,
    *,
    by: str = "opa",
    everywhere: bool = False,
    limits: "Limits | None" = None,
    survey: bool = False,
) -> "Ruleset":
    """Return what manifests are judged by, and have the engine load it.

    Args:
        engine: What reads them, and judges them if nothing else does; it must be new.
        library: The folder of the library, or "builtin". None: ./library if pullguard wrote it, else the builtin one.
        by: One of JUDGES.
        everywhere: Judge objects in all namespaces, whatever the constraints say of namespaces.
        limits: What is beyond them is an error; None: those of the engine.
        survey: Whether to look at what is not judged as well.

    Raises:
        PullguardError: The library or the engine cannot be used.
    """
    choice = choose(library)
    # Read many times as fast, and used only if all that it was made of is what pullguard wrote.
    found = bundle.load(choice.folder) if by == "opa" else None
    if found is None:
        from pullguard.library.ruleset import from_templates  # noqa: PLC0415 - a bundle needs none

        rules = from_templates(engine, choice, library, everywhere=everywhere)
        _load(engine, [group.for_engine() for group in rules.groups], limits, survey=survey)
        return rules
    _load(engine, [found.for_engine(everywhere=everywhere)], limits, survey=survey)
    from pullguard.library.ruleset import from_bundle  # noqa: PLC0415 - the engine is not to wait for it

    return from_bundle(engine, choice, found, library)


def _load(engine: "Engine", groups: list[dict[str, Any]], limits: "Limits | None", *, survey: bool) -> None:
    what = _survey() if survey else None
    engine.setup(groups, limits=limits, remember=True, survey=what, installers=INSTALLERS, inventory=INVENTORY)
    engine.flush()


def _survey() -> dict[str, Any]:
    """Return how the engine finds what constraints could judge in objects that none selects."""
    return {
        "hints": "".join(modules({"unjudged": ["hints"]}).values()),
        "objects": {
            "regoVersion": "v1",
            "modules": modules({"unjudged": ["objects"], "lib": ["images", "kinds", "pods"]}),
        },
    }
