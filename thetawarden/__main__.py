"""`thetawarden`, also as `python -m thetawarden`."""

import contextlib
import os
import sys
import threading


def main() -> None:
    """Run the command line and exit with its code."""
    from thetawarden.cli import run_command_line  # noqa: PLC0415  # so that importing this is free

    _leave(run_command_line(sys.argv[1:]))


def _leave(code: int) -> None:
    """Exit; past the interpreter's own end where a thread was left behind.

    All that must be closed is closed by now. A thread that still runs foreign code while the
    interpreter is taken down under it can crash the process, and the exit code is lost.
    """
    if threading.active_count() == 1:
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, or nobody reads
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
