"""Commands and options; no logic.

What a command needs is imported when it runs: no command waits for what only another one needs.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from pullguard import __version__, ending
from pullguard.core.formats.text import page, printable, write_lines

if TYPE_CHECKING:
    import argparse

    from pullguard.check.output_files import OutputFile
    from pullguard.core.inputs.build_options import BuildOptions
    from pullguard.outage.model import OutageReport

_LIBRARY_HELP = "a library, or builtin, the one in pullguard; default: ./library if pullguard wrote it, else builtin"
_EXIT_CODES = """\
exit codes:
  0  clean
  1  findings, failures or differences
  2  something could not be read or run"""
_FIX_EXIT_CODES = """\
exit codes:
  0  nothing is left to fix
  1  findings are left; with --diff also: something would change
  2  something could not be read, written or run"""

_IMAGES_EXIT_CODES = """\
exit codes:
  0  all was read
  2  something could not be read, rendered or run, so the list may lack images"""

_VERSION_EXIT_CODES = """\
exit codes:
  0  all parts are there
  2  one could not be read or run"""

_OUTAGE_EXIT_CODES = """\
exit codes:
  0  every protected workload comes back
  1  some do not, or it is not known
  2  something could not be read or run"""

_DRILL_EXIT_CODES = """\
exit codes:
  0  every pod starts: by the forecast (plan), or as was seen (run); clean: nothing is left
  1  some do not, or it is not known, or a forecast was wrong
  2  something could not be read, run, seen or removed"""

_DISCOVER_EXIT_CODES = """\
exit codes:
  0  nothing is new, or it was written
  1  there are namespaces or kinds that are not protected yet
  2  something could not be read, written or run"""

_PREFETCH_EXIT_CODES = """\
exit codes, whatever the format:
  0  nothing is to be pulled
  1  something is, or something is wrong that no pull solves
  2  something could not be read or run"""


def parser(only: str = "") -> "argparse.ArgumentParser":
    """Return the parser of the command line.

    Args:
        only: The one command that is wanted, as each of them takes time; what is not a command stands for all of them.
    """
    import argparse

    top = argparse.ArgumentParser(
        prog="pullguard",
        description="A Gatekeeper policy library, and its tool, for pods that must restart without an image registry.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"pullguard {__version__}")
    # Without a name, argparse finds it by formatting the usage, which takes time.
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True, prog="pullguard")
    adders = {
        "audit": _add_audit,
        "check": _add_check,
        "completion": _add_completion,
        "discover": _add_discover,
        "drill": _add_drill,
        "explain": _add_explain,
        "fix": _add_fix,
        "generate": _add_generate,
        "images": _add_images,
        "init": _add_init,
        "new-policy": _add_new_policy,
        "outage": _add_outage,
        "prefetch": _add_prefetch,
        "scope": _add_scope,
        "test": _add_test,
        "version": _add_version,
    }
    for add in [adders[only]] if only in adders else adders.values():
        add(commands)
    for command in commands.choices.values():
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        command.set_defaults(parser=command)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code.

    Args:
        arguments: Without the program's name; those of the process if None.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    return ending.guarded(lambda: _run(arguments))


def _run(arguments: Sequence[str]) -> int:
    ending.require_plain_names(arguments)
    ending.require_working_directory()
    options, unknown = parser("".join(arguments[:1])).parse_known_args(arguments)
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    code: int = options.run(options)
    return code


def _stdin() -> BinaryIO | None:
    """Return standard input, or None where it is closed."""
    return None if sys.stdin is None else sys.stdin.buffer


def _add_audit(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "audit",
        help="report what Gatekeeper's audit has found",
        description="Report what Gatekeeper's audit has found, folded into workloads.",
        epilog=_epilog(
            ("pullguard audit", "the live cluster"),
            ("pullguard audit -o html > audit.html", "as a page to look at"),
            ("pullguard audit --rescan", "judge every object again"),
            ("pullguard audit constraints.json audit.log", "dumps and logs together"),
        ),
    )
    command.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="dumps of constraints and objects, audit logs, exports, or - for stdin; without any, the live cluster",
    )
    command.add_argument("--live", action="store_true", help="read the live cluster along with the PATHs")
    command.add_argument("--rescan", action="store_true", help="judge every object of the live cluster again, with OPA")
    command.add_argument(
        "--since", metavar="REPORT", help="an earlier report in JSON: say what is new, what remains and what is fixed"
    )
    _add_cluster(command)
    _add_fail_on(command)
    command.add_argument(
        "-o",
        "--output",
        choices=("text", "json", "csv", "html", "junit", "markdown", "metrics", "policyreport", "sarif"),
        default="text",
        help="the format; default: %(default)s",
    )
    command.set_defaults(run=_audit)


def _audit(options: "argparse.Namespace") -> int:
    from pullguard.audit.command import audit
    from pullguard.audit.formats import REPORTERS, WITHOUT_ERRORS, write_errors

    report = audit(
        options.paths,
        live_too=options.live,
        scan=options.rescan,
        since=options.since,
        kubeconfig=options.kubeconfig,
        context=options.context,
        stdin=_stdin(),
    )
    REPORTERS[options.output](report, sys.stdout)
    if options.output in WITHOUT_ERRORS:
        write_errors(report, sys.stderr)
    return report.exit_code(options.fail_on)


def _add_check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from pullguard.check.formats import REPORTERS

    command = commands.add_parser(
        "check",
        help="check manifests by the library",
        description="Check manifests by the templates and constraints of a library.",
        epilog=_epilog(
            ("pullguard check .", "all manifests, charts and kustomizations here"),
            ("helm template CHART | pullguard check --namespace kube-system -", "the output of another program"),
            ("pullguard check --output-file sarif=pullguard.sarif deploy/", "text to the log, SARIF to a file"),
            ("pullguard check --baseline known.json --write-baseline deploy/", "from now on, only what is new fails"),
        ),
    )
    command.add_argument("paths", nargs="+", metavar="PATH", help="a file, a folder, a glob, or - for stdin")
    command.add_argument(
        "--baseline",
        metavar="FILE",
        help="findings in this file are known: they are counted, but do not fail the check",
    )
    command.add_argument(
        "--write-baseline", action="store_true", help="write the findings to the file of --baseline: all are known then"
    )
    _add_judging(command)
    _add_builds(command)
    command.add_argument(
        "--max-document",
        metavar="SIZE",
        default="256M",
        help="the largest document, such as 500K, 64M or 1G; default: %(default)s",
    )
    command.add_argument(
        "--max-depth",
        metavar="LEVELS",
        default="500",
        help="how deep mappings and lists may be nested, at most 900; default: %(default)s",
    )
    command.add_argument(
        "--max-aliased",
        metavar="SIZE",
        default="10M",
        help="how much text the aliases of a document may expand to; default: %(default)s",
    )
    _add_fail_on(command)
    command.add_argument(
        "-o", "--output", choices=tuple(REPORTERS), default="text", help="the format; default: %(default)s"
    )
    command.add_argument(
        "--output-file",
        metavar="[FORMAT=]FILE",
        action="append",
        default=[],
        help="write a report to a file as well; unless you name a format, the file's extension tells it; "
        "may be given more than once",
    )
    command.add_argument(
        "--strict",
        action="store_true",
        help="exit with 2 if something was not judged: its namespace, its kind, a template, a placeholder",
    )
    command.add_argument(
        "--engine", choices=("opa", "conftest"), default="opa", help="what judges; default: %(default)s"
    )
    command.set_defaults(run=_check)


def _check(options: "argparse.Namespace") -> int:
    from pullguard.check.command import check
    from pullguard.check.formats import REPORTERS
    from pullguard.core.inputs.limits import stated_limits
    from pullguard.core.inputs.selection import Selection

    files: Sequence[OutputFile] = ()
    if options.output_file:
        from pullguard.check.output_files import output_files

        files = output_files(options.output_file)
    report = check(
        options.paths,
        library=options.library,
        engine=options.engine,
        everywhere=options.everywhere,
        namespace=options.namespace,
        stdin=_stdin(),
        progress=sys.stderr.isatty(),
        selection=Selection(tuple(options.exclude), options.changed_since),
        limits=stated_limits(options.max_document, options.max_depth, options.max_aliased),
        namespace_labels=options.namespace_labels,
        builds=_builds(options),
        baseline=options.baseline,
        write_baseline=options.write_baseline,
    )
    # Files first: who reads standard output may go away before its end.
    if files:
        from pullguard.check.output_files import write_files

        report = write_files(report, files)
    REPORTERS[options.output](report, sys.stdout)
    return report.exit_code(options.fail_on, strict=options.strict)


def _add_completion(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "completion",
        help="print the completion script of a shell",
        description="Print the script that completes pullguard's command line in a shell.",
        epilog=_epilog(
            ('eval "$(pullguard completion bash)"', "in ~/.bashrc"),
            ("pullguard completion zsh > ~/.zfunc/_pullguard", "in a folder of zsh's fpath"),
            ("pullguard completion fish > ~/.config/fish/completions/pullguard.fish", "for fish"),
        ),
    )
    command.add_argument("shell", choices=("bash", "zsh", "fish", "tcsh"), metavar="SHELL", help="%(choices)s")
    command.set_defaults(run=_completion)


def _completion(options: "argparse.Namespace") -> int:
    from pullguard.completion.command import script

    print(script(parser(), options.shell))
    return 0


def _add_discover(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from pathlib import Path

    command = commands.add_parser(
        "discover",
        help="find the namespaces that should be protected, and the custom kinds to judge",
        description="Find the namespaces that others depend on, and the custom resources that use images: those that "
        "pullguard.yaml should name.",
        epilog=_epilog(
            ("pullguard discover", "the cluster that kubectl talks to"),
            ("pullguard discover --write dump.json", "add what is new to pullguard.yaml"),
            ("helm template CHART | pullguard discover --namespace NAME -", "what a chart would install"),
            exit_codes=_DISCOVER_EXIT_CODES,
        ),
    )
    command.add_argument(
        "paths", nargs="*", metavar="PATH", help="dumps and manifests, or - for stdin; without any, the live cluster"
    )
    command.add_argument("--config", metavar="FILE", type=Path, help="the configuration; default: pullguard.yaml")
    command.add_argument(
        "--write", action="store_true", help="add what is new to the configuration, which is made if it is not there"
    )
    command.add_argument(
        "--severity",
        choices=("high", "medium", "low"),
        default="medium",
        help="from which severity on a namespace should be protected; default: %(default)s",
    )
    command.add_argument(
        "--namespace", metavar="NS", default="", help="the namespace of objects in files that state none"
    )
    command.add_argument(
        "--registry-service",
        metavar="NAMESPACE/NAME=HOST",
        action="append",
        default=[],
        help="the images of HOST come from this Service of the cluster; may be given more than once",
    )
    _add_cluster(command)
    command.add_argument(
        "-o", "--output", choices=("text", "json"), default="text", help="the format; default: %(default)s"
    )
    command.set_defaults(run=_discover)


def _discover(options: "argparse.Namespace") -> int:
    from pullguard.discover.command import discover
    from pullguard.discover.formats import REPORTERS

    report = discover(
        options.paths,
        configuration=options.config,
        writes=options.write,
        severity=options.severity,
        namespace=options.namespace,
        registry_services=options.registry_service,
        kubeconfig=options.kubeconfig,
        context=options.context,
        stdin=_stdin(),
    )
    REPORTERS[options.output](report, sys.stdout)
    return report.exit_code


def _add_drill(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "drill",
        help="rehearse the loss of the registries on one node",
        description="Cut one node off from its registries for a short time, see which of its protected pods would "
        "start, by copies of them, and compare that with the forecast. The copies run nothing; the cut undoes itself.",
        epilog=_epilog(
            ("pullguard drill plan --node worker-1", "what a drill would do, and what is forecast; changes nothing"),
            (
                "pullguard drill run --yes --node worker-1 --namespace kube-system --image nicolaka/netshoot:v0.13",
                "do it, for the pods of one namespace",
            ),
            ("pullguard drill clean --namespace kube-system", "remove what is left of a drill before its timers do"),
            exit_codes=_DRILL_EXIT_CODES,
        ),
    )
    command.add_argument("action", choices=("plan", "run", "clean"), metavar="ACTION", help="%(choices)s")
    command.add_argument("--node", metavar="NAME", default="", help="the node that is cut off")
    command.add_argument(
        "--snapshot",
        metavar="PATH",
        action="append",
        default=[],
        help="for plan: a dump, or - for stdin, in the place of the live cluster; may be given more than once",
    )
    command.add_argument(
        "--namespace",
        metavar="NS",
        action="append",
        default=[],
        help="a protected namespace whose pods are copied; the agent runs in the first; may be given more than once; "
        "run and clean need it; default of plan: all that have pods on the node",
    )
    command.add_argument(
        "--image", metavar="IMAGE", default="", help="for run: the image of the agent: sh, nft, getent and sleep"
    )
    command.add_argument("--yes", action="store_true", help="for run: the node may be cut off")
    command.add_argument(
        "--seconds",
        metavar="SECONDS",
        type=int,
        default=120,
        help="how long the cut lasts at most, 20 to 600; default: %(default)s",
    )
    command.add_argument(
        "--registry",
        metavar="GLOB",
        action="append",
        default=[],
        help="a registry to cut off, such as quay.io or *.example.com; may be given more than once; "
        "default: all but those that are Services of the cluster",
    )
    command.add_argument(
        "--address",
        metavar="HOST[:PORT]",
        action="append",
        default=[],
        help="what else to cut off: mirrors and proxies that the node asks; may be given more than once",
    )
    command.add_argument(
        "--node-images",
        metavar="[NODE=]FILE",
        action="append",
        default=[],
        help="all images of a node, as `crictl images -o json` writes them; may be given more than once",
    )
    _add_cluster(command)
    command.add_argument(
        "-o", "--output", choices=("text", "json"), default="text", help="the format; default: %(default)s"
    )
    command.set_defaults(run=_drill)


def _drill(options: "argparse.Namespace") -> int:
    from pullguard.drill.command import clean, plan, run
    from pullguard.drill.formats import PLANS, REPORTERS

    cluster = {"kubeconfig": options.kubeconfig, "context": options.context}
    if options.action == "clean":
        left = clean(options.namespace, **cluster)
        if left:
            write_lines([f"{left} objects of drills are still there"], sys.stderr)
        return 2 if left else 0
    wanted = {
        "node": options.node,
        "namespaces": options.namespace,
        "seconds": options.seconds,
        "registries": options.registry,
        "addresses": options.address,
        "node_images": options.node_images,
        **cluster,
    }
    if options.action == "plan":
        planned = plan(options.snapshot, stdin=_stdin(), **wanted)
        PLANS[options.output](planned, sys.stdout)
        return planned.exit_code
    report = run(
        options.snapshot,
        image=options.image,
        sure=options.yes,
        say=lambda line: write_lines(page(line), sys.stderr),
        **wanted,
    )
    REPORTERS[options.output](report, sys.stdout)
    return report.exit_code


def _add_explain(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "explain",
        help="print the page of a policy",
        description="Print the page of a policy: what it demands and why, examples, parameters, exceptions.",
        epilog=_epilog(
            ("pullguard explain protected_pull_policy", "a policy"),
            ("pullguard explain pull-policy-always", "the policy of a rule, as a report names it"),
        ),
    )
    command.add_argument("name", metavar="POLICY", help="a policy, one of its rules, or the kind of its constraints")
    command.add_argument("--library", metavar="DIR", help=_LIBRARY_HELP)
    command.set_defaults(run=_explain)


def _explain(options: "argparse.Namespace") -> int:
    from pullguard.explain import explain

    write_lines(page(explain(options.name, library=options.library)), sys.stdout)
    return 0


def _add_fix(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "fix",
        help="set the right pull policies in manifests",
        description="Set the pull policies in manifests that check finds wrong, where the image is pinned. "
        "Everything else stays as it is, byte for byte; images that are not pinned are listed.",
        epilog=_epilog(
            ("pullguard fix --diff deploy/", "what would change"),
            ("pullguard fix deploy/", "change it"),
            ("kubectl get pods,nodes -A -o json | pullguard fix --pin - deploy/", "pin images to what runs"),
            ("pullguard fix --as kustomize overlay vendor/install.yaml", "patch what belongs to others"),
            (
                "helm template CHART | pullguard fix --namespace kube-system - | kubectl apply -f -",
                "fix rendered manifests",
            ),
            exit_codes=_FIX_EXIT_CODES,
        ),
    )
    command.add_argument(
        "paths", nargs="+", metavar="PATH", help="a file, a folder, a glob, or - for stdin, which is written to stdout"
    )
    command.add_argument("--diff", action="store_true", help="write nothing; print what would change")
    command.add_argument(
        "--as",
        dest="overlay",
        nargs=2,
        metavar=("kustomize", "DIR"),
        help="edit nothing; write an overlay of kustomize that patches the manifests into this folder",
    )
    command.add_argument(
        "--exit-zero",
        action="store_true",
        help="exit with 0 though findings are left; what cannot be read or run still is an error",
    )
    command.add_argument(
        "--pin",
        metavar="SNAPSHOT",
        action="append",
        default=[],
        help="pin images by what pods and nodes report: a file or folder with what "
        "`kubectl get pods,nodes -A -o json` wrote, or - for stdin; may be given more than once",
    )
    command.add_argument(
        "--pin-as",
        choices=["tag@digest", "digest"],
        help="how pinned images are written: with their tags, for people and tools, or without; default: tag@digest",
    )
    _add_judging(command)
    _add_builds(command)
    command.set_defaults(run=_fix)


def _fix(options: "argparse.Namespace") -> int:
    from pullguard.core.inputs.selection import Selection
    from pullguard.fix.command import fix
    from pullguard.fix.formats import diff, text

    if options.overlay:
        return _fix_by_overlay(options)
    report = fix(
        options.paths,
        library=options.library,
        everywhere=options.everywhere,
        namespace=options.namespace,
        selection=Selection(tuple(options.exclude), options.changed_since),
        namespace_labels=options.namespace_labels,
        builds=_builds(options),
        diff=options.diff,
        pin=options.pin,
        pin_as=options.pin_as,
        exit_zero=options.exit_zero,
        stdin=_stdin(),
    )
    if options.diff:
        diff.write(report, sys.stdout)
    if report.output is not None:
        sys.stdout.buffer.write(report.output)
    text.write(report, sys.stderr if options.diff or report.output is not None else sys.stdout)
    return report.exit_code


def _fix_by_overlay(options: "argparse.Namespace") -> int:
    from pullguard.core.inputs.selection import Selection
    from pullguard.fix.formats import text
    from pullguard.fix.overlay import overlay

    form, folder = options.overlay
    if form != "kustomize":
        options.parser.error(f"argument --as: invalid choice: '{form}' (choose from 'kustomize')")
    if options.diff:
        options.parser.error("argument --diff: not allowed with argument --as, which edits nothing")
    report = overlay(
        options.paths,
        folder,
        library=options.library,
        everywhere=options.everywhere,
        namespace=options.namespace,
        selection=Selection(tuple(options.exclude), options.changed_since),
        namespace_labels=options.namespace_labels,
        builds=_builds(options),
        pin=options.pin,
        pin_as=options.pin_as,
        exit_zero=options.exit_zero,
        stdin=_stdin(),
    )
    text.write(report, sys.stdout)
    return report.exit_code


def _add_generate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from pathlib import Path

    command = commands.add_parser(
        "generate",
        help="write the library from the policies and a configuration",
        description="Write the library from the policies and a configuration.",
        epilog=_epilog(
            ("pullguard generate", "what pullguard.yaml says, to library/"),
            ("pullguard generate --check", "in CI: fail if library/ is not what it should be"),
            ("pullguard generate --kinds-from crds/", "what to state of custom resources, by their definitions"),
        ),
    )
    command.add_argument("--config", metavar="FILE", type=Path, help="the configuration; default: pullguard.yaml")
    command.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("library"), help="the library's folder; default: %(default)s"
    )
    command.add_argument("--check", action="store_true", help="write nothing; count what is missing, changed or stale")
    command.add_argument("-v", "--verbose", action="store_true", help="list the files, not only their number")
    command.add_argument(
        "--kinds-from",
        nargs="*",
        metavar="CRDS",
        help="write no library: print entries for customKinds, by the CustomResourceDefinitions in these files and "
        "folders, or - for stdin; without any, those of the live cluster",
    )
    _add_cluster(command)
    command.set_defaults(run=_generate)


def _generate(options: "argparse.Namespace") -> int:
    if options.kinds_from is not None:
        return _kinds_from(options)
    from pullguard.generate.command import generate
    from pullguard.generate.formats.text import write

    result = generate(options.config, options.out, check=options.check)
    write(result, sys.stdout, verbose=options.verbose)
    return result.exit_code


def _kinds_from(options: "argparse.Namespace") -> int:
    from pullguard.generate.formats.kinds import write
    from pullguard.generate.kinds_from import kinds_from

    report = kinds_from(options.kinds_from, kubeconfig=options.kubeconfig, context=options.context, stdin=_stdin())
    write(report, sys.stdout, sys.stderr)
    return report.exit_code


def _add_images(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from pullguard.images.model import SURENESSES

    command = commands.add_parser(
        "images",
        help="list the images that manifests, charts, kustomizations or a cluster use",
        description="List the images that manifests, charts, kustomizations or a cluster use: each once, with where it "
        "comes from and how sure that is.",
        epilog=_epilog(
            ("pullguard images deploy/ charts/", "with the places that name them"),
            ("pullguard images -o list . | xargs -n 1 crane digest", "whether they can be pulled"),
            ("pullguard images -o hauler charts/web > hauler.yaml", "for `hauler store sync`"),
            exit_codes=_IMAGES_EXIT_CODES,
        ),
    )
    command.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="a file, a folder, a glob, a dump of a cluster, or - for stdin; without any, the live cluster",
    )
    command.add_argument(
        "--sure",
        choices=SURENESSES,
        default="likely",
        help="leave out images that are less sure than this; default: %(default)s",
    )
    command.add_argument(
        "--strict",
        action="store_true",
        help="exit with 2 if the list may lack images: a placeholder is in the place of one, a subchart is missing",
    )
    _add_exclude(command)
    command.add_argument("--namespace", metavar="NS", default="", help="the namespace of objects that state none")
    _add_builds(command)
    _add_cluster(command)
    command.add_argument(
        "-o",
        "--output",
        choices=("text", "json", "list", "hauler", "zarf", "oc-mirror"),
        default="text",
        help="the format; default: %(default)s",
    )
    command.set_defaults(run=_images)


def _images(options: "argparse.Namespace") -> int:
    from pullguard.core.inputs.selection import Selection
    from pullguard.images.command import images
    from pullguard.images.formats import BARE, REPORTERS
    from pullguard.images.formats.words import doubts

    report = images(
        options.paths,
        sure=options.sure,
        namespace=options.namespace,
        selection=Selection(tuple(options.exclude)),
        builds=_builds(options),
        kubeconfig=options.kubeconfig,
        context=options.context,
        stdin=_stdin(),
        progress=sys.stderr.isatty(),
    )
    REPORTERS[options.output](report, sys.stdout)
    if options.output in BARE:
        write_lines(map(printable, doubts(report)), sys.stderr)
    return report.exit_code(strict=options.strict)


def _add_init(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from pathlib import Path

    command = commands.add_parser(
        "init",
        help="write a commented configuration to start with",
        description="Write a commented configuration to start with, and its JSON Schema beside it for editors.",
        epilog=_epilog(("pullguard init && $EDITOR pullguard.yaml && pullguard generate", "a library of your own")),
    )
    command.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        type=Path,
        default=Path("pullguard.yaml"),
        help="the configuration; default: %(default)s",
    )
    command.set_defaults(run=_init)


def _init(options: "argparse.Namespace") -> int:
    from pullguard.init import init

    result = init(options.file)
    print(f"wrote {result.config} and {result.schema}; edit the first, then run `pullguard generate`")
    return 0


def _add_new_policy(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "new-policy",
        help="write a policy to start with, in a checkout of pullguard",
        description="Write the folder of a policy into rego/policies of the checkout that pullguard runs from: Rego "
        "with METADATA, its test, a Suite and samples; the id of its rule is noted in .regal. It generates, tests "
        "and lints as it is.",
        epilog=_epilog(("pullguard new-policy no_host_network && make generate lint", "then edit it")),
    )
    command.add_argument("name", metavar="NAME", help="words in lower case joined by underscores")
    command.set_defaults(run=_new_policy)


def _new_policy(options: "argparse.Namespace") -> int:
    from pullguard.new_policy.command import new_policy

    for path in new_policy(options.name):
        print(f"wrote: {path}")
    print("edit them, then run `make generate lint test`")
    return 0


def _add_outage(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "outage",
        help="forecast which pods cannot come back when a registry is gone",
        description="Forecast which pods cannot come back when a registry is gone, why, and what to do first.",
        epilog=_epilog(
            ("pullguard outage", "the cluster that kubectl talks to, without any registry"),
            (
                "pullguard outage --registry 'quay.io' --registry '*.example.com' dump.json",
                "some registries, from a dump",
            ),
            ("pullguard outage --event lose --zone eu-1a dump.json", "the nodes of a zone are lost"),
            ("pullguard outage --with deploy/ dump.json", "would it hold if this were applied?"),
            ("pullguard outage -o html dump.json > outage.html", "as a page to look at"),
            exit_codes=_OUTAGE_EXIT_CODES,
        ),
    )
    _add_situation(command)
    command.add_argument(
        "--event",
        choices=("restart", "replace", "reboot", "lose"),
        action="append",
        default=[],
        help="what happens then; may be given more than once; default: restart and replace",
    )
    command.add_argument(
        "--drill",
        metavar="FILE",
        dest="drills",
        action="append",
        default=[],
        help="for the page: what `drill run -o json` has shown; may be given more than once",
    )
    command.add_argument(
        "--write", metavar="DIR", help="write what the repair changes there, as manifests that --with takes"
    )
    command.add_argument("--explain", metavar="KIND/NAMESPACE/NAME", help="all that is known of one workload, as text")
    _add_cluster(command)
    command.add_argument(
        "-o",
        "--output",
        choices=("text", "json", "html", "markdown", "metrics"),
        default="text",
        help="the format; default: %(default)s",
    )
    command.set_defaults(run=_outage)


def _outage(options: "argparse.Namespace") -> int:
    from pullguard.outage.command import find, outage
    from pullguard.outage.formats import REPORTERS, WITHOUT_ERRORS, write_errors
    from pullguard.outage.formats.text import write_one

    report = outage(
        options.paths,
        registries=options.registry,
        registry_services=options.registry_service,
        events=options.event,
        nodes=options.node,
        zones=options.zone,
        overlays=options.overlays,
        node_images=options.node_images,
        drills=options.drills,
        kubeconfig=options.kubeconfig,
        context=options.context,
        stdin=_stdin(),
    )
    if options.explain is None:
        REPORTERS[options.output](report, sys.stdout)
        if options.output in WITHOUT_ERRORS:
            write_errors(report, sys.stderr)
    else:
        write_one(report, find(report, options.explain), sys.stdout)
    if options.write is not None:
        _write_repair(options, report)
    return report.exit_code


def _write_repair(options: "argparse.Namespace", report: "OutageReport") -> None:
    from pathlib import Path

    from pullguard.forecasting.situation import KINDS
    from pullguard.outage.written import write_repair

    missing = write_repair(
        report,
        Path(options.write),
        KINDS,
        [*options.paths, *options.overlays] if options.paths else (),
        kubeconfig=options.kubeconfig,
        context=options.context,
    )
    if missing:
        write_lines([f"not written, as they are not in the snapshot: {', '.join(missing)}"], sys.stderr)


def _add_situation(command: "argparse.ArgumentParser") -> None:
    """Add what a forecast starts from."""
    command.add_argument(
        "paths", nargs="*", metavar="PATH", help="dumps and manifests, or - for stdin; without any, the live cluster"
    )
    command.add_argument(
        "--registry",
        metavar="GLOB",
        action="append",
        default=[],
        help="a registry that is gone, such as quay.io or *.example.com; may be given more than once; "
        "default: all but those that are Services of the cluster",
    )
    command.add_argument(
        "--registry-service",
        metavar="NAMESPACE/NAME=HOST",
        action="append",
        default=[],
        help="the images of HOST come from this Service of the cluster; may be given more than once",
    )
    command.add_argument(
        "--node", metavar="NAME", action="append", default=[], help="only on this node; may be given more than once"
    )
    command.add_argument(
        "--zone", metavar="NAME", action="append", default=[], help="only on its nodes; may be given more than once"
    )
    command.add_argument(
        "--with",
        metavar="PATH",
        dest="overlays",
        action="append",
        default=[],
        help="manifests that are taken to be applied before; may be given more than once",
    )
    command.add_argument(
        "--node-images",
        metavar="[NODE=]FILE",
        action="append",
        default=[],
        help="all images of a node, as `crictl images -o json` writes them; may be given more than once",
    )


def _add_prefetch(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "prefetch",
        help="pull what nodes lack while there are registries",
        description="Find the images that protected workloads need on nodes that lack them, and write what pulls them.",
        epilog=_epilog(
            ("pullguard prefetch", "what the nodes of the cluster lack that kubectl talks to"),
            ("pullguard prefetch -o daemonset > prefetch.yaml", "DaemonSets that pull it"),
            ("pullguard prefetch -o script dump.json > prefetch.sh", "a script that pulls and pins it, from a dump"),
            exit_codes=_PREFETCH_EXIT_CODES,
        ),
    )
    _add_situation(command)
    _add_cluster(command)
    command.add_argument(
        "-o",
        "--output",
        choices=("text", "json", "daemonset", "script", "openkruise", "kube-fledged", "pinned-image-set"),
        default="text",
        help="the format; default: %(default)s",
    )
    command.add_argument(
        "--namespace", metavar="NAME", help="where to put what needs no pull secrets; default: kube-system"
    )
    command.add_argument(
        "--pull-as",
        choices=("auto", "containers", "volumes"),
        default="auto",
        help="how the pods of a DaemonSet use the images; default: as volumes on nodes that mount images, else as "
        "containers",
    )
    command.add_argument(
        "--helper-image",
        metavar="IMAGE",
        help="an image with a static busybox at /bin/busybox, for containers; default: busybox of Docker Hub",
    )
    command.add_argument(
        "--pause-image", metavar="IMAGE", help="an image that does nothing, for volumes; default: that of Kubernetes"
    )
    command.set_defaults(run=_prefetch)


def _prefetch(options: "argparse.Namespace") -> int:
    from pullguard.prefetch.command import prefetch
    from pullguard.prefetch.formats import REPORTERS, WITHOUT_ERRORS
    from pullguard.prefetch.formats.text import write_errors
    from pullguard.prefetch.model import settings

    how = settings(
        namespace=options.namespace,
        means=options.pull_as,
        helper_image=options.helper_image,
        pause_image=options.pause_image,
    )
    report = prefetch(
        options.paths,
        registries=options.registry,
        registry_services=options.registry_service,
        nodes=options.node,
        zones=options.zone,
        overlays=options.overlays,
        node_images=options.node_images,
        kubeconfig=options.kubeconfig,
        context=options.context,
        stdin=_stdin(),
    )
    REPORTERS[options.output](report, how, sys.stdout)
    if options.output in WITHOUT_ERRORS:
        write_errors(report, sys.stderr)
    return report.exit_code


def _add_scope(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "scope",
        help="say what really happens to pods in protected namespaces",
        description="Say what really happens to pods in protected namespaces, why, and whether deny is safe there.",
        epilog=_epilog(
            ("pullguard scope", "the cluster that kubectl talks to"),
            ("pullguard scope dumps/", "files that `kubectl get -o yaml` wrote"),
        ),
    )
    command.add_argument(
        "paths", nargs="*", metavar="PATH", help="dumps and manifests, or - for stdin; without any, the live cluster"
    )
    _add_cluster(command)
    command.add_argument(
        "-o", "--output", choices=("text", "json"), default="text", help="the format; default: %(default)s"
    )
    command.set_defaults(run=_scope)


def _scope(options: "argparse.Namespace") -> int:
    from pullguard.scope.command import scope
    from pullguard.scope.formats import REPORTERS

    report = scope(options.paths, kubeconfig=options.kubeconfig, context=options.context, stdin=_stdin())
    REPORTERS[options.output](report, sys.stdout)
    return report.exit_code


def _add_test(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "test",
        help="run the gator Suites of a library",
        description="Run the gator Suites of pullguard's or any other Gatekeeper library.",
        epilog=_epilog(
            ("pullguard test library/", "all Suites of a library"),
            ("pullguard test --run 'always//states' -o junit library/", "some cases, for a CI system"),
        ),
    )
    command.add_argument(
        "paths", nargs="*", metavar="PATH", default=["library"], help="Suites, or folders with them; default: library"
    )
    command.add_argument(
        "--run",
        metavar="REGEX",
        dest="filter",
        help="only tests and cases whose names match; TEST//CASE selects by both, as in gator",
    )
    command.add_argument(
        "-o", "--output", choices=("text", "json", "junit"), default="text", help="the format; default: %(default)s"
    )
    command.add_argument("--engine", choices=("opa", "gator"), default="opa", help="what judges; default: %(default)s")
    command.set_defaults(run=_test)


def _test(options: "argparse.Namespace") -> int:
    from pullguard.suites.command import run
    from pullguard.suites.formats import REPORTERS

    report = run(options.paths, engine=options.engine, run=options.filter, progress=sys.stderr.isatty())
    REPORTERS[options.output](report, sys.stdout)
    return report.exit_code


def _add_version(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "version",
        help="print the versions of pullguard and of its parts",
        description="Print the versions of pullguard, of its engine and the libraries in it, and of the policies.",
        epilog=_epilog(
            ("pullguard version", "for people, and for reports of faults"),
            ("pullguard version --json", "for programs, with every Go module of the engine"),
            exit_codes=_VERSION_EXIT_CODES,
        ),
    )
    command.add_argument("--library", metavar="DIR", help=_LIBRARY_HELP)
    command.add_argument(
        "-o", "--output", choices=("text", "json"), default="text", help="the format; default: %(default)s"
    )
    command.add_argument("--json", action="store_const", const="json", dest="output", help="the same as --output json")
    command.set_defaults(run=_version)


def _version(options: "argparse.Namespace") -> int:
    from pullguard.version.command import version
    from pullguard.version.formats import REPORTERS

    report = version(library=options.library)
    REPORTERS[options.output](report, sys.stdout)
    return report.exit_code()


def _epilog(*examples: tuple[str, str], exit_codes: str = _EXIT_CODES) -> str:
    """Return what stands below the help of a command: examples with what they do, and the exit codes."""
    lines = [f"  {text}\n      {meaning}" for text, meaning in examples]
    return "\n".join(["examples:", *lines, "", exit_codes])


def _add_judging(command: "argparse.ArgumentParser") -> None:
    command.add_argument("--library", metavar="DIR", help=_LIBRARY_HELP)
    command.add_argument("--everywhere", action="store_true", help="judge every namespace as if it were protected")
    _add_exclude(command)
    command.add_argument(
        "--changed-since",
        metavar="REF",
        default="",
        help="only files that git says have changed since this commit, or are new",
    )
    command.add_argument(
        "--namespace",
        metavar="NS",
        default="",
        help="the namespace of objects that state none; without it every constraint selects them",
    )
    command.add_argument(
        "--namespace-labels",
        metavar="FILE",
        help="the labels of Namespaces that are not in the input: a mapping of names to labels, or a dump",
    )


def _add_exclude(command: "argparse.ArgumentParser") -> None:
    command.add_argument(
        "--exclude",
        metavar="GLOB",
        action="append",
        default=[],
        help="leave out files below the folders, by a pattern as in .gitignore; may be given more than once",
    )


def _add_builds(command: "argparse.ArgumentParser") -> None:
    command.add_argument(
        "--kustomize",
        choices=("roots", "each", "off"),
        default="roots",
        help="which kustomizations in folders are built: those that no other uses, each, or none; default: %(default)s",
    )
    for option, metavar, text in (
        ("--values", "FILE", "values for charts, as for `helm template`"),
        ("--set", "KEY=VALUE", "a value for charts, as for `helm template`"),
        ("--api-versions", "VERSION", "an API version that charts find in the cluster"),
    ):
        command.add_argument(
            option, metavar=metavar, action="append", default=[], help=f"{text}; may be given more than once"
        )
    command.add_argument(
        "--kube-version",
        metavar="VERSION",
        default="",
        help="the version of Kubernetes that charts find; default: 1.37",
    )
    command.add_argument(
        "--release-name", metavar="NAME", default="", help="the name of the release of charts; default: release-name"
    )


def _builds(options: "argparse.Namespace") -> "BuildOptions":
    from pullguard.core.inputs.build_options import BuildOptions, ChartOptions

    return BuildOptions(
        options.kustomize,
        ChartOptions(
            tuple(options.values),
            tuple(options.set),
            options.kube_version,
            tuple(options.api_versions),
            options.release_name,
        ),
    )


def _add_cluster(command: "argparse.ArgumentParser") -> None:
    command.add_argument("--kubeconfig", metavar="FILE", help="the cluster of this kubeconfig; default: kubectl's own")
    command.add_argument("--context", metavar="NAME", help="the cluster of this context; default: the current one")


def _add_fail_on(command: "argparse.ArgumentParser") -> None:
    command.add_argument(
        "--fail-on",
        choices=("dryrun", "warn", "deny"),
        default="dryrun",
        help="exit with 1 only for findings with this enforcement action or a stricter one; default: %(default)s",
    )
