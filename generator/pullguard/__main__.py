"""The command `pullguard`, also as `python -m pullguard`."""

import gc
import os
import signal
import sys

# Until there is something to clean up, an interrupt ends the process at once: Python would show where it was.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> int:
    """Run the command line of the process; return the exit code."""
    try:
        from pullguard import cli, ending  # noqa: PLC0415 - what fails here must not end like findings

        ending.reserve_streams()
        code = cli.main()
    except Exception as error:  # noqa: BLE001 - beyond the last resort in `ending`: too little memory even for that
        os.write(2, f"pullguard: cannot go on ({type(error).__name__}); it may need more memory\n".encode())
        return 2
    # All that is left ends with the process; looking through it once more for garbage takes a tenth of a small run.
    gc.freeze()
    return code


def complete_for_kubectl() -> int:
    """Print how the command line of `kubectl pullguard` goes on; return the exit code."""
    from pullguard import cli  # noqa: PLC0415 - as above
    from pullguard.completion.kubectl import completions  # noqa: PLC0415 - as above

    sys.stdout.write(completions(cli.parser(), sys.argv[1:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
