"""What reports of forecasts say alike."""

from pullguard.forecasting.model import Use

_LISTS = {"containers": "container", "initContainers": "init container", "volumes": "image volume"}


def use(found: Use) -> str:
    """Return a container as people know it."""
    name = f" {found.name}" if found.name else ""
    return f"{_LISTS[found.list]}{name}"
