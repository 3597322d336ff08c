"""What the command `new-policy` does: a policy that generates, tests and lints green, to be edited."""

from pathlib import Path

from pullguard import __version__
from pullguard.core import resources
from pullguard.core.errors import PullguardError
from pullguard.library.policies import check_name

_SKELETON = Path(__file__).parent / "skeleton"
_EXAMPLE = "example_policy"
# Where every id of a rule is noted, which the linter compares with METADATA; and how its list ends.
_IDS = Path(".regal", "rules", "custom", "ids", "ids.rego")
_END = "\n}\n"
# The rule of the skeleton.
_ID = f'\n\t"example-policy-unwanted": {{"rule": "example_policy.unwanted", "since": "{__version__}"}},'


def new_policy(name: str, *, checkout: Path | None = None) -> tuple[Path, ...]:
    """Write the folder of a policy into rego/policies of a checkout, and note the id of its rule.

    Args:
        name: The policy's name: words in lower case joined by underscores.
        checkout: A checkout of pullguard. None: the one that pullguard runs from.

    Returns:
        The files that were written, sorted, and last the list of ids.

    Raises:
        PullguardError: pullguard does not run from a checkout, no policy can have this name, or its folder exists
            already or cannot be written.
    """
    checkout = checkout or resources.checkout()
    check_name(name)
    folder = checkout / "rego" / "policies" / name
    ids = checkout / _IDS
    texts = {folder / _named(str(path.relative_to(_SKELETON)), name): path for path in _SKELETON.rglob("*.*")}
    try:
        known = ids.read_text("utf-8")
        if not known.endswith(_END):
            raise PullguardError("does not end with the list of ids", file=str(ids), remedy="move it to the end")
        (folder / "samples").mkdir(parents=True)
        for target, source in texts.items():
            target.write_text(_named(source.read_text("utf-8"), name), "utf-8")
        ids.write_text(f"{known.removesuffix(_END)}{_named(_ID, name)}{_END}", "utf-8")
    except FileExistsError as error:
        raise PullguardError("is there already", file=str(folder), remedy="choose another name") from error
    except OSError as error:
        raise PullguardError(f"cannot be written ({error.strerror})", file=str(error.filename or folder)) from error
    return *sorted(texts), ids


def _named(text: str, name: str) -> str:
    """Return a text of the skeleton with the names of a policy in place of the example's."""
    for example, own in zip(_forms(_EXAMPLE), _forms(name), strict=True):
        text = text.replace(example, own)
    return text


def _forms(name: str) -> tuple[str, ...]:
    """Return a name as those of packages, objects, kinds and titles are written."""
    words = name.split("_")
    return name, "-".join(words), "".join(word.capitalize() for word in words), " ".join(words).capitalize()
