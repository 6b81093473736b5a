"""What may go wrong in a way a person can mend: one root, one exit code a class.

Every message is one line: what, found, allowed, what to do. Expected refusals inside the desk are
enums, not exceptions; these are for the edges.
"""

from __future__ import annotations

from typing import ClassVar

EXIT_DONE = 0
EXIT_UNEXPECTED = 1
EXIT_USAGE = 2
EXIT_REFUSED = 3
EXIT_HALTED = 4
EXIT_UNREACHABLE = 5
EXIT_GAVE_UP = 70


class ThetawardenError(Exception):
    """The root of all our errors; its text is shown to people as it is."""

    exit_code: ClassVar[int] = EXIT_UNEXPECTED


class RefusedError(ThetawardenError):
    """The desk would not: second instance, interlock, wrong halt epoch. The person decides."""

    exit_code = EXIT_REFUSED


class UnreachableError(ThetawardenError):
    """No desk or gateway answers. The person starts one, or looks where it went."""

    exit_code = EXIT_UNREACHABLE
