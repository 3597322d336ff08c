"""The objects of a live cluster, judged page by page."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pullguard.cluster.kubectl import Kubectl, PageFile, RefusedList
from pullguard.core.inputs.problems import InputError
from pullguard.engine.files import FileEnd, JudgedObject, found_from
from pullguard.engine.protocol import Engine

# The highest number of pages that are on disk because the engine has not answered them yet.
_MOST_OPEN = 2


def judged_pages(
    cluster: Kubectl, engine: Engine, paths: Sequence[str], labels: Mapping[str, Any]
) -> Iterator[RefusedList | tuple[PageFile, JudgedObject | InputError | FileEnd]]:
    """Yield what the engine says of the objects of some lists, with their pages, a few pages at a time.

    A list may start over: what was yielded of it does not count once a page comes with a greater `begun`.

    Args:
        cluster: The cluster.
        engine: The engine that judges; it must not be in use for anything else.
        paths: The paths of the lists in the API.
        labels: The labels of Namespaces by their names.

    Raises:
        PullguardError: The cluster cannot be read, or the engine fails.
    """
    # The pages by the id of their request to the engine: those without an answer, and all of them.
    waiting: dict[int, PageFile] = {}
    asked: dict[int, PageFile] = {}

    def until(last: int) -> Iterator[tuple[PageFile, JudgedObject | InputError | FileEnd]]:
        for record in engine.records(last):
            page = asked.get(record["id"])
            if page is None:
                continue
            found = engine.parsed(record, lambda entry: found_from(entry, ""))
            yield page, found
            if isinstance(found, FileEnd):
                del waiting[record["id"]]
                page.file.unlink()

    for page in cluster.page_files(paths):
        if isinstance(page, RefusedList):
            yield page
            continue
        request = engine.ask("file", os.fsencode(page.file), name=f"{page.path}.json", namespace="")
        waiting[request] = asked[request] = page
        engine.flush()
        while len(waiting) > _MOST_OPEN:
            yield from until(min(waiting))
    yield from until(engine.ask("namespaces", json.dumps(labels).encode()))
