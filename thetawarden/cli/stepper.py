"""What `replay --step` shows: one message after another, on a terminal also back again."""

from __future__ import annotations

import sys
from typing import Any

import click
import msgspec

from thetawarden.cli.place import print_json, print_json_line
from thetawarden.domain.instants import iso
from thetawarden.sim.walk import Moment, Walk

KEYS = "Enter: next message · b: back · s: whole state · NUMBER: to this message · q: end"


def on_terminal() -> bool:
    """Whether a person can be asked where to go."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def print_moment(moment: Moment, *, as_json: bool) -> None:
    """Show one message, what the actor said to it, and what changed."""
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
    for key, change in moment.changed().items():
        click.echo(f"{'':9}{key}: {_text(change['before'])} -> {_text(change['after'])}")


def print_back(walk: Walk, *, as_json: bool) -> None:
    """Show every message from here back to the first."""
    while (moment := walk.back()) is not None:
        print_moment(moment, as_json=as_json)


def step_by_hand(walk: Walk) -> None:
    """Go where the person wants, until they have seen enough."""
    click.echo(KEYS)
    while True:
        click.echo("> ", nl=False)
        line = sys.stdin.readline()
        if not line or line.strip() == "q":
            return
        _obey(walk, line.strip())


def _obey(walk: Walk, wish: str) -> None:
    match wish:
        case "" | "n":
            _tell(walk.forward(), "that was the last message")
        case "b":
            taken_back = walk.back()
            if taken_back is not None:
                click.echo("before", nl=False)
            _tell(taken_back, "this is before the first message")
        case "s":
            print_json(walk.state)
        case _ if wish.isdigit():
            walk.go_to_message(int(wish))
            _tell(walk.latest, "this is before the first message")
        case _:
            click.echo(KEYS)


def _tell(moment: Moment | None, otherwise: str) -> None:
    if moment is None:
        click.echo(otherwise)
        return
    print_moment(moment, as_json=False)
    for one in moment.said:
        click.echo(f"{'':9}said {type(one).__name__} {_text(one.plainly())}")


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
