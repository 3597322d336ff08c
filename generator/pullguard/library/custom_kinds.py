"""Custom resources that hold pod specs, containers or images: the paths that say where; pure."""


def divided(path: str) -> tuple[list[str], list[str]]:
    """Return the steps of a path up to the last one that stands for several, and the steps behind it."""
    steps = path.split(".")
    count = max((index for index, step in enumerate(steps, start=1) if step == "*" or step.endswith("[]")), default=0)
    return steps[:count], steps[count:]
