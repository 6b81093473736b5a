"""The live one-screen summary of `thetawarden run` on a terminal."""

from __future__ import annotations

import io
import threading
from collections import deque

from rich.console import Console, Group
from rich.live import Live
from rich.rule import Rule
from rich.text import Text
from typing_extensions import override

from thetawarden.cli.tables import actors_table, status_text
from thetawarden.infra.control.app import Operator

LINES_SHOWN = 8
REFRESH_S = 0.5


class _LastLines(io.StringIO):
    """A stream that keeps the last lines written to it; looks like a terminal to the log."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=LINES_SHOWN)

    @override
    def write(self, text: str, /) -> int:
        self.lines.extend(line for line in text.splitlines() if line)
        return len(text)

    @override
    def isatty(self) -> bool:
        return True


class Summary:
    """Status, actors and the latest log lines, redrawn twice a second."""

    def __init__(self) -> None:
        self.log_stream = _LastLines()

    def show_until(self, ended: threading.Event, operator: Operator, for_s: float | None) -> None:
        """Show the desk until it ends or the time is up."""
        left_s = for_s
        with Live(self._draw(operator), console=Console(), auto_refresh=False) as live:
            while left_s is None or left_s > 0:
                wait_s = REFRESH_S if left_s is None else min(REFRESH_S, left_s)
                if ended.wait(wait_s):
                    return
                left_s = None if left_s is None else left_s - wait_s
                live.update(self._draw(operator), refresh=True)

    def _draw(self, operator: Operator) -> Group:
        lines = Text.from_ansi("\n".join(self.log_stream.lines))
        return Group(
            Rule("Thetawarden · Ctrl-C stops it gracefully", align="left"),
            status_text(operator.status()),
            Rule("actors", align="left"),
            actors_table(operator.inspect(None).actors),
            Rule("latest", align="left"),
            lines,
        )
