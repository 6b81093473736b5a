"""What `replay --step` shows: one message after another, on a terminal also back again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click
import msgspec
from msgspec import UNSET

from thetawarden.cli.place import print_json, print_json_line
from thetawarden.domain.instants import iso
from thetawarden.sim.changes import Change, in_common
from thetawarden.sim.walk import Moment, Walk

KEYS = "Enter: next · b: back · c: whole change · s: state · NUMBER: to message · q: end"
PLACES_MAX = 40
NUMBERS_MAX = 3
LETTERS_MAX = 60
SAID_MAX = 300
_DIGITS_MAX = 19
_FIRST = "this is before the first message"


def on_terminal() -> bool:
    """Whether a person can be asked where to go."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def print_moment(moment: Moment, *, as_json: bool, rest: str = "--json") -> None:
    """Show one message, what the actor said to it, and what changed; `rest` shows all of that."""
    delivery = moment.delivery
    envelope = delivery.envelope
    kind = type(envelope.body).__name__
    if as_json:
        print_json_line(
            {
                "n": moment.n,
                "seq": envelope.seq,
                "actor": delivery.actor,
                "at": iso(delivery.at_ns),
                "kind": kind,
                "outcome": delivery.outcome.name.lower(),
                "changed": moment.changed(),
                "said": [
                    {"kind": type(one).__name__, "body": one.plainly()} for one in moment.said
                ],
            }
        )
        return
    click.echo(f"{moment.n:>8} {iso(delivery.at_ns)} {delivery.actor} {kind} {envelope.seq}")
    for line in lines_of(moment.changed(), rest):
        click.echo(f"{'':9}{line}")


def lines_of(changed: tuple[Change, ...], rest: str) -> Iterator[str]:
    """What has changed, a line a place, short enough for eyes; tells how much is left out."""
    for change in changed[:PLACES_MAX]:
        yield f"{_path(change)}: {_difference(change)}"
    if len(changed) > PLACES_MAX:
        yield f"... {len(changed) - PLACES_MAX:,} more places changed, {rest} shows them"


def print_back(walk: Walk, *, as_json: bool) -> None:
    """Show every message from here back to the first."""
    while (moment := walk.back()) is not None:
        print_moment(moment, as_json=as_json)


def step_by_hand(walk: Walk, *, end: str) -> None:
    """Go where the person wants, until they have seen enough; `end` says what the end is."""
    click.echo(KEYS)
    _tell(walk.latest, _FIRST)
    while True:
        click.echo("> ", nl=False)
        line = sys.stdin.readline()
        if not line or line.strip() == "q":
            return
        _obey(walk, line.strip(), end)


def _obey(walk: Walk, wish: str, end: str) -> None:
    match wish:
        case "" | "n":
            _tell(walk.forward(), end)
        case "b":
            taken_back = walk.back()
            if taken_back is not None:
                click.echo("before", nl=False)
            _tell(taken_back, _FIRST)
        case "c":
            print_json(() if walk.latest is None else walk.latest.changed())
        case "s":
            print_json(walk.state)
        case _ if wish.isdecimal() and len(wish) <= _DIGITS_MAX:
            if not walk.go_to_message(int(wish)):
                click.echo(f"message {int(wish)} is none of those handled; the last before it:")
            _tell(walk.latest, _FIRST)
        case _:
            click.echo(KEYS)


def _tell(moment: Moment | None, otherwise: str) -> None:
    if moment is None:
        click.echo(otherwise)
        return
    print_moment(moment, as_json=False, rest="c")
    for one in moment.said:
        click.echo(f"{'':9}said {type(one).__name__} {_text(one.plainly(), SAID_MAX)}")


def _path(change: Change) -> str:
    """Where it is: names after dots, all else in brackets."""
    parts = (
        f".{one}" if isinstance(one, str) and one.isidentifier() else f"[{_json(one)}]"
        for one in change.path
    )
    return "".join(parts).removeprefix(".")


def _difference(change: Change) -> str:
    before, after = change.before, change.after
    if change.at is not UNSET:
        return _numbers(change, change.at)
    if isinstance(before, bytes) and isinstance(after, bytes):
        return _bytes(before, after)
    if before is UNSET:
        return f"new {_text(after)}"
    if after is UNSET:
        return f"gone {_text(before)}"
    if isinstance(before, str) and isinstance(after, str):
        before, after = _from_difference(before, after)
    return f"{_text(before)} -> {_text(after)}"


def _from_difference(before: str, after: str) -> tuple[str, str]:
    """Both texts; long ones from shortly before where they part, lest they look the same."""
    begin = in_common(before, after) - LETTERS_MAX // 3
    if begin <= 0 or max(len(before), len(after)) <= LETTERS_MAX:
        return before, after
    return f"...{before[begin:]}", f"...{after[begin:]}"


def _numbers(change: Change, at: list[Any]) -> str:
    """How many numbers of a column differ, and the first of them."""
    shown = [
        f"{_json(place if isinstance(place, list) else [place])} {_json(before)} -> {_json(after)}"
        for place, before, after in zip(at, change.before, change.after, strict=True)
    ][:NUMBERS_MAX]
    more = [f"{len(at) - NUMBERS_MAX:,} more"] if len(at) > NUMBERS_MAX else []
    return f"{len(at):,} of {change.among:,} changed: {', '.join((*shown, *more))}"


def _bytes(before: bytes, after: bytes) -> str:
    if len(before) != len(after):
        return f"{len(before):,} bytes -> {len(after):,} bytes"
    differing = sum(one != other for one, other in zip(before, after, strict=True))
    return f"{len(after):,} bytes, {differing:,} changed"


def _text(value: Any, letters_max: int = LETTERS_MAX) -> str:
    """The value, or of a long one its beginning and how long it is."""
    text = _json(value)
    if len(text) <= letters_max:
        return text
    return f"{text[:letters_max]}... ({len(text):,} characters)"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
