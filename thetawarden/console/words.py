"""What the console writes: a desk, an actor and a message, each in the fewest words.

Pure: values in, text out. Nothing here is longer than it is asked to be.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from thetawarden.config.problems import one_line
from thetawarden.messages.base import Message
from thetawarden.messages.control import ActorView, Status

STATE_STYLES = {"running": "", "paused": "yellow", "restarting": "yellow"}
AILING_STYLE = "bold red"
VALUE_CHARS_MAX = 60
NS_PER_S = 1_000_000_000


def bar_words(status: Status) -> str:
    """The desk in one line of a narrow screen."""
    worth = "worth ?" if status.nlv_usd is None else f"{status.nlv_usd:,.0f} USD"
    book = "book agrees" if status.reconciled else "book NOT reconciled"
    speed = "" if status.speed == 1 else f" x{status.speed:g}"
    time = status.market_time[11:19]
    return f"{status.mode}{speed} · link {status.link.state} · {book} · {time}Z · {worth}"


def alarm_words(status: Status) -> str:
    """What a person must know first: the halt, else what ails, else what stands against entries."""
    if status.halt is not None:
        halt = status.halt
        return f"HALTED (epoch {halt.epoch}) by {one_line(halt.by)}: {one_line(halt.reason, 300)}"
    worries = [*status.ailments, *(f"no entries: {why}" for why in status.entries_frozen)]
    if not worries:
        return "trading runs; nothing ails"
    more = f" (and {len(worries) - 1} more)" if len(worries) > 1 else ""
    return one_line(worries[0], 300) + more


def actor_cells(actor: ActorView, *, indent: str = "") -> tuple[str, ...]:
    """An actor's row."""
    lanes = actor.lanes
    return (
        indent + actor.name,
        actor.state,
        str(actor.incarnation),
        str(actor.restarts),
        f"{lanes.control}/{lanes.orders}/{lanes.timer}/{lanes.market}",
        f"{actor.handled:,}",
        f"{actor.rate_per_s:g}",
        f"{actor.handler_us_p99:,.0f}",
    )


def body_words(body: msgspec.Struct, chars_max: int) -> str:
    """A message's fields in so many characters; large ones only by their size."""
    parts: list[str] = []
    used = 0
    shown = body.shown() if isinstance(body, Message) else msgspec.structs.asdict(body)
    for name, value in shown.items():
        if used >= chars_max:
            break
        part = f"{name}={value_words(value)}"
        parts.append(part)
        used += len(part) + 1
    return " ".join(parts)[:chars_max]


def value_words(value: Any, chars_max: int = VALUE_CHARS_MAX) -> str:
    """One value in a few characters."""
    if isinstance(value, msgspec.Struct):
        return f"({body_words(value, chars_max)})"
    if isinstance(value, enum.Enum):
        return str(value)
    if isinstance(value, str):
        return one_line(value, chars_max)
    if isinstance(value, bytes | bytearray):
        return f"{len(value)} bytes"
    if isinstance(value, dict | list | tuple):
        return _many_words(value, chars_max)
    if isinstance(value, int | float | Decimal | dt.date | dt.time) or value is None:
        return str(value)
    return one_line(str(value), chars_max)


def _many_words(value: dict[Any, Any] | list[Any] | tuple[Any, ...], chars_max: int) -> str:
    if isinstance(value, dict):
        return "{}" if not value else f"{{{len(value)}}}"
    if not value:
        return "[]"
    if len(value) > 3:
        return f"[{len(value)}]"
    return f"[{', '.join(value_words(each, chars_max // len(value)) for each in value)}]"


def clock_words(at_ns: int) -> str:
    """A time of day in UTC with its milliseconds."""
    seconds, rest = divmod(at_ns, NS_PER_S)
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return f"{moment:%H:%M:%S}.{rest // 1_000_000:03}"


def branches(value: Any) -> Iterator[tuple[str, Any]]:
    """What is inside a value of plain data, by name; nothing for a leaf."""
    if isinstance(value, dict):
        yield from ((str(key), inner) for key, inner in value.items())
    elif isinstance(value, list | tuple):
        yield from ((str(number), inner) for number, inner in enumerate(value))
