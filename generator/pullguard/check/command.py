"""`pullguard check` as a function."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from pullguard.core.errors import PullguardError
from pullguard.engine.protocol import Engine

if TYPE_CHECKING:
    from pullguard.core.findings import Report
    from pullguard.core.inputs.build_options import BuildOptions
    from pullguard.core.inputs.limits import Limits
    from pullguard.core.inputs.selection import Selection


def check(
    paths: Sequence[str],
    *,
    library: str | None = None,
    engine: str = "opa",
    everywhere: bool = False,
    namespace: str = "",
    stdin: BinaryIO | None = None,
    progress: bool = False,
    selection: "Selection | None" = None,
    limits: "Limits | None" = None,
    namespace_labels: str | None = None,
    builds: "BuildOptions | None" = None,
    baseline: str | None = None,
    write_baseline: bool = False,
) -> "Report":
    """Judge manifests by a library; leave out what objects exempt, and what a baseline knows.

    Args:
        paths: Files and folders; "-" is stdin.
        library: The folder of the library. None: ./library if there is one, else the one in pullguard.
        engine: What judges: "opa" or "conftest".
        everywhere: Judge objects in all namespaces, whatever the constraints say of namespaces.
        namespace: The namespace of objects that state none. "" is not known: all constraints select them.
        stdin: What "-" reads.
        progress: Show a progress bar on a terminal when it takes longer than a second.
        selection: Which of the files in folders are read; None: all.
        limits: What is beyond them is an error; None: those of the engine.
        namespace_labels: A file with the labels of Namespaces; see `pullguard.judging.namespace_labels`.
        builds: How kustomizations and charts are built; None: as by default.
        baseline: The file of the baseline; None if there is none.
        write_baseline: Whether to write it: all findings are known then.

    Returns:
        The report. What cannot be read or judged among the manifests is an error in it.

    Raises:
        PullguardError: The library, a program or the baseline cannot be used.
    """
    if write_baseline and baseline is None:
        raise PullguardError("--write-baseline writes the file of --baseline", remedy="name it: --baseline FILE")
    with Engine() as running:
        running.start()  # it loads while Python imports the rest
        from pullguard.judging.prepare import prepared  # noqa: PLC0415 - as above

        rules = prepared(running, library, by=engine, everywhere=everywhere, limits=limits, survey=True)
        from pullguard.core.inputs.build_options import BuildOptions  # noqa: PLC0415 - as above
        from pullguard.core.inputs.selection import ALL  # noqa: PLC0415 - as above
        from pullguard.judging.judge import judge  # noqa: PLC0415 - as above

        report = judge(
            running,
            rules,
            paths,
            by=engine,
            namespace=namespace,
            stdin=stdin,
            progress=progress,
            selection=selection or ALL,
            namespace_labels=namespace_labels,
            builds=builds or BuildOptions(),
        )
    if any(found.annotation is not None for found in report.findings):
        from pullguard.judging.exemptions import exempted  # noqa: PLC0415 - seldom needed

        report = exempted(report)
    if baseline is not None:
        from pullguard.check.baseline import with_baseline  # noqa: PLC0415 - seldom needed

        report = with_baseline(report, baseline, paths, write=write_baseline)
    return report
