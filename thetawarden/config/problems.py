"""How a fault in a configuration is said: one line a fault, where, what, allowed, what to do.

Knows no file format. Whatever stood in a file is untrusted text: it is cut short and its control
characters are escaped, so that a hostile value can neither forge a line nor steer a terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.errors import EXIT_USAGE, ThetawardenError

if TYPE_CHECKING:
    from collections.abc import Iterable

TEXT_LENGTH_MAX = 80
PROBLEMS_SHOWN_MAX = 50


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One fault. `where` is file:line:column, a variable or a flag; `path` the dotted key."""

    where: str
    path: str
    found: str
    allowed: str
    remedy: str

    def line(self) -> str:
        """The fault as a person reads it."""
        place = ": ".join(part for part in (self.where, self.path) if part)
        return f"{place}: found {self.found}; allowed: {self.allowed}; {self.remedy}"


class ConfigError(ThetawardenError):
    """A configuration, a secrets file or a data folder is not usable. The person mends it."""

    exit_code = EXIT_USAGE

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        lines = list(dict.fromkeys(problem.line() for problem in self.problems))
        hidden = len(lines) - PROBLEMS_SHOWN_MAX
        if hidden > 0:
            lines[PROBLEMS_SHOWN_MAX:] = [f"... and {hidden} more; mend these first"]
        super().__init__("\n".join(lines))


def one_line(text: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Untrusted text made harmless: cut, and with everything unprintable escaped."""
    cut = text if len(text) <= length_max else text[: length_max - 1] + "…"
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in cut
    )
