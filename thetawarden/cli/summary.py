"""The live one-screen summary of `thetawarden run` on a terminal."""

from __future__ import annotations

import contextlib
import io
import re
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.rule import Rule
from rich.text import Text
from typing_extensions import override

from thetawarden.cli.glance import ACTORS, fitted, sections_of
from thetawarden.cli.tables import actors_table, status_text
from thetawarden.infra.control.app import Operator
from thetawarden.messages.control import ActorView, Inspection, Status

LINES_KEPT = 200
LINES_SHOWN_MIN = 3
RULES = 3
REFRESH_S = 0.5
_STYLES = {"warning": "yellow", "error": "red", "critical": "bold red"}
_LINE = re.compile(
    r"\d{4}-\d\d-\d\dT(?P<at>[\d:]{8})\.\d+Z\s+\[(?P<level>\w+)\s*\]\s+(?P<event>\S+)\s+"
    r"(?:\[[\w.]+\]\s*)?(?P<rest>.*)"
)


class _LastLines(io.StringIO):
    """A stream that keeps the last lines written to it; looks like a terminal to the log."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)

    @override
    def write(self, text: str, /) -> int:
        self.lines.extend(line for line in text.splitlines() if line)
        return len(text)

    @override
    def isatty(self) -> bool:
        return True


class Summary:
    """Status, actors and the latest log lines, redrawn twice a second on a screen of its own."""

    def __init__(self) -> None:
        self.log_stream = _LastLines()
        self._console = Console()
        self._last: Status | None = None

    def show_until(self, ended: threading.Event, operator: Operator, for_s: float | None) -> None:
        """Show the desk until it ends or the time is up; a lost terminal ends it too."""
        until = None if for_s is None else time.monotonic() + for_s
        with (
            contextlib.suppress(OSError),  # the terminal is gone, and with it whoever watched
            Live(console=self._console, screen=True, auto_refresh=False) as live,
        ):
            while not ended.is_set():
                live.update(self._draw(operator), refresh=True)
                left_s = REFRESH_S if until is None else until - time.monotonic()
                if left_s <= 0 or ended.wait(min(REFRESH_S, left_s)):
                    return

    def say_goodbye(self) -> None:
        """Leave the last look on the ordinary screen."""
        with contextlib.suppress(OSError):
            if self._last is not None:
                self._console.print("Thetawarden has stopped; this was the last look:")
                self._console.print(status_text(self._last), highlight=False)

    def _draw(self, operator: Operator) -> RenderableType:
        self._last = operator.status()
        return draw(
            self._last,
            operator.inspect(None),
            list(self.log_stream.lines),
            height=self._console.size.height,
            states={name: _state(operator, name) for name in ACTORS},
        )


def _state(operator: Operator, name: str) -> Any:
    """An actor's state as scripts see it; None while it does not answer."""
    state = operator.inspect(name).actor_state
    return None if state is msgspec.UNSET else state


def draw(
    status: Status,
    seen: Inspection,
    lines: list[str],
    *,
    height: int,
    states: dict[str, Any] | None = None,
) -> RenderableType:
    """All of it, no higher than the screen: what the desk does goes before how its actors are.

    Of actors that are well a line is enough once there is something else to see.
    """
    top = status_text(status)
    top.no_wrap, top.overflow = True, "ellipsis"
    fixed = RULES + len(top.split("\n")) + 1
    sections = sections_of(states or {})
    ailing = sum(actor.state != "running" for actor in seen.actors)
    spare = height - fixed - LINES_SHOWN_MIN
    shown = fitted(sections, spare - ailing - 1)
    used = sum(len(one.lines) + 1 for one in shown)
    actors, left_out = _most_urgent(seen.actors, (ailing + 1 if shown else spare))
    used += fixed + len(actors) + bool(left_out)
    latest = [_shortened(line) for line in lines[-max(LINES_SHOWN_MIN, height - used) :]]
    return Group(
        Rule("Thetawarden · Ctrl-C stops it gracefully", align="left"),
        top,
        *(part for one in shown for part in (Rule(one.title, align="left"), _block(one.lines))),
        Rule("actors", align="left"),
        actors_table(actors),
        *([Text(f"and {left_out} more, running", style="dim")] if left_out else []),
        Rule("latest", align="left"),
        _block(latest),
    )


def _block(lines: Sequence[Text]) -> Text:
    """Lines as they are, each cut off at the edge of the screen."""
    block = Text("\n").join(lines)
    block.no_wrap, block.overflow = True, "ellipsis"
    return block


def _most_urgent(actors: Sequence[ActorView], room: int) -> tuple[list[ActorView], int]:
    """As many actors as there is room for, whatever ails first; and how many are left out."""
    if len(actors) <= room:
        return list(actors), 0
    ailing = [actor for actor in actors if actor.state != "running"]
    well = [actor for actor in actors if actor.state == "running"]
    shown = (ailing + well)[: max(1, len(ailing), room - 1)]
    return shown, len(actors) - len(shown)


def _shortened(line: str) -> Text:
    """A log line without what everybody watching knows: the date and who logs."""
    text = Text.from_ansi(line)
    found = _LINE.fullmatch(text.plain)
    if found is None:
        return text
    level = found["level"]
    words = f"{found['at']} {level} {found['event']} {found['rest']}"
    return Text(words, style=_STYLES.get(level, ""))
