"""Tables and one-look summaries for eyes."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Literal

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from thetawarden.config.problems import one_line
from thetawarden.messages.control import ActorView, HaltView, Status

if TYPE_CHECKING:
    from thetawarden.domain.preflight import Finding

EVENTS_SHOWN = 3
PIPE_COLUMNS = 160
GAP = 2
"""Columns between two columns."""
_VERDICTS = {"ok": "green", "warn": "yellow", "fail": "bold red"}
_COLOURS = {"running": "green", "paused": "yellow", "restarting": "yellow", "halted": "bold red"}


def print_table(table: Table | Text) -> None:
    """Print to standard output, as wide as the terminal is, or a pipe may be.

    Lines of text are left to the terminal to break: a command in one can be copied whole.
    """
    soft = isinstance(table, Text)
    Console(highlight=False, width=width_there()).print(table, soft_wrap=soft)


def width_there() -> int:
    """The columns of the terminal; of a pipe, which has none, what COLUMNS says or enough."""
    console = Console()
    if console.is_terminal or "COLUMNS" in os.environ:
        return console.width
    return PIPE_COLUMNS


def plain_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    whole: Collection[str] = (),
    spare: Sequence[str] = (),
    width: int | None = None,
) -> Table:
    """A table of anything: columns that are never broken, and those that go when it is narrow.

    What is copied from a table, as an order's name is, must stand in one line.
    """
    cells = [tuple(str(cell) for cell in row) for row in rows]
    shown = _fitting(columns, cells, spare, width_there() if width is None else width)
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for place in shown:
        column = columns[place]
        table.add_column(column, overflow="fold", no_wrap=column in whole)
    for row in cells:
        table.add_row(*(Text(row[place]) for place in shown))
    return table


def _fitting(
    columns: Sequence[str], rows: Sequence[Sequence[str]], spare: Sequence[str], width: int
) -> list[int]:
    """The places of the columns that are shown: the spare ones go, the first first."""
    widest = [
        max(map(cell_len, (name, *cells))) for name, *cells in zip(columns, *rows, strict=True)
    ]
    shown = list(range(len(columns)))
    for name in spare:
        if sum(widest[place] + GAP for place in shown) - GAP <= width:
            break
        shown.remove(columns.index(name))
    return shown


def findings_table(findings: Sequence[Finding]) -> Table:
    """What a check of everything found, and what to do about it."""
    table = Table(box=None, pad_edge=False)
    for column in ("check", "", "found", "what to do"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        verdict = Text(finding.verdict, style=_VERDICTS[finding.verdict])
        table.add_row(finding.check, verdict, Text(finding.found), Text(finding.remedy))
    return table


def actors_table(actors: Sequence[ActorView]) -> Table:
    """Every actor's health."""
    table = Table(box=None, pad_edge=False)
    for column in (
        "actor",
        "state",
        "inc",
        "restarts",
        "c/o/t/m",
        "handled",
        "msg/s",
        "p99",
    ):
        side: Literal["left", "right"] = "left" if column in {"actor", "state"} else "right"
        table.add_column(column, justify=side, no_wrap=True)
    for actor in actors:
        lanes = actor.lanes
        table.add_row(
            actor.name,
            Text(actor.state, style=_COLOURS.get(actor.state, "red")),
            str(actor.incarnation),
            str(actor.restarts),
            f"{lanes.control}/{lanes.orders}/{lanes.timer}/{lanes.market}",
            f"{actor.handled:,}",
            f"{actor.rate_per_s:g}",
            f"{actor.handler_us_p99:,.0f} µs",
        )
    return table


def status_text(status: Status) -> Text:
    """The desk in a few lines."""
    text = Text()
    text.append("trading ")
    text.append(status.trading_state, style=_COLOURS.get(status.trading_state, "yellow"))
    if status.condition == "erring":
        text.append(" · alive but erring", style="yellow")
    text.append(f" · mode {status.mode} · link {status.link.state} · {status.market_time}\n")
    if status.halt is not None:
        text.append(f"{halt_words(status.halt)}\n", style="bold red")
    if status.gateway is not None:
        text.append(f"practice gateway at {status.gateway}, {status.speed:g} times real time\n")
    text.append(_books_line(status))
    counts = status.actors
    text.append(f"actors: {counts.running} running, {counts.restarting} restarting, ")
    text.append(f"{counts.failed} failed\n")
    for reason in status.entries_frozen:
        text.append(f"no entries: {one_line(reason, 500)}\n", style="yellow")
    for ailment in status.ailments:
        text.append(f"ailing: {one_line(ailment, 200)}\n", style="yellow")
    for words in status.erring:
        text.append(f"erring: {one_line(words, 200)}\n", style="yellow")
    for event in status.next_events[:EVENTS_SHOWN]:
        text.append(f"next: {event.name} at {event.at}\n")
    text.append(f"process {status.pid}, up since {status.started_at}")
    return text


def _books_line(status: Status) -> str:
    """What is held and worth; a question mark for what nobody knows."""
    worth = "?" if status.nlv_usd is None else f"{status.nlv_usd:,.2f} USD"
    held = "?" if status.positions is None else str(status.positions)
    orders = "?" if status.working_orders is None else str(status.working_orders)
    agrees = "agrees with the broker's" if status.reconciled else "is NOT reconciled"
    return f"worth {worth} · {held} positions · {orders} working orders · the book {agrees}\n"


def halt_words(halt: HaltView) -> str:
    """A halt in one line."""
    by, reason = one_line(halt.by), one_line(halt.reason, 500)
    return f"halted (epoch {halt.epoch}) by {by} at {halt.at}: {reason}"
