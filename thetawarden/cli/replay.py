"""`thetawarden replay`."""

from __future__ import annotations

import datetime as dt
from itertools import chain

import click
import msgspec

from thetawarden.cli.place import Place, as_json, on_place, print_json, print_json_line
from thetawarden.domain.instants import iso
from thetawarden.errors import EXIT_DONE, EXIT_UNEXPECTED
from thetawarden.infra.journal.reader import open_log
from thetawarden.ports import Delivery
from thetawarden.sim.replay import (
    Difference,
    Replayed,
    Verdict,
    actors_before,
    pick_days,
    verify_replay,
)
from thetawarden.supervisor import actor_names, desk_tree


@click.command()
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="One day; default: all.")
@click.option("--actor", help="One actor; default: all.")
@click.option("--until", type=int, help="Stop after the delivery of this message.")
@click.option("--verify", is_flag=True, help="Compare every answer; exits 1 at a difference.")
@click.option("--step", is_flag=True, help="Show each delivery with what it changed.")
@as_json
@on_place
def replay(
    *,
    place: Place,
    day: dt.datetime | None,
    actor: str | None,
    until: int | None,
    verify: bool,
    step: bool,
    as_json: bool,
) -> int:
    """Rebuild actors from the message log, or prove that today's code answers the same."""
    config = place.load().config
    tree = desk_tree(config)
    if actor is not None and actor not in actor_names(tree):
        names = ", ".join(actor_names(tree))
        raise click.UsageError(f"no actor is named {actor!r}; there are: {names}")
    wanted = None if day is None else day.date()
    with open_log(place.store() / "log") as days:
        if verify:
            return _report(
                verify_replay(tree, days, day=wanted, progress=_progress), as_json=as_json
            )
        picked = pick_days(days, wanted)
        if not picked:
            raise click.UsageError("the message log is empty; run the desk first")
        actors = actors_before(tree, days, picked[0], only=actor)
        steps = chain.from_iterable(each.steps(actor=actor) for each in picked)
        for each in steps:
            replayed = actors.get(each.delivery.actor)
            if replayed is not None:
                before = replayed.state() if step else None
                replayed.take(each)
                if step:
                    _print_step(each.n, each.delivery, before, replayed, as_json=as_json)
            if until is not None and each.delivery.envelope.seq >= until:
                break
    states = {name: each.state() for name, each in actors.items()}
    if not (step and as_json):
        print_json(states if actor is None else states[actor])
    return EXIT_DONE


def _progress(count: int) -> None:
    click.echo(f"\r{count:,} deliveries replayed", nl=False, err=True)


def _report(verdict: Verdict, *, as_json: bool) -> int:
    difference = verdict.first_difference
    if as_json:
        print_json(verdict)
    elif difference is None:
        click.echo(f"{verdict.verified:,} deliveries replayed, every answer the same")
    else:
        _print_difference(verdict, difference)
    return EXIT_DONE if difference is None else EXIT_UNEXPECTED


def _print_difference(verdict: Verdict, found: Difference) -> None:
    click.echo(
        f"after {verdict.verified:,} equal deliveries: {found.actor} handling {found.kind}"
        f" {found.seq} (delivery {found.n}): {found.what}"
    )
    click.echo(f"state before: {msgspec.json.encode(found.state_before).decode()}")
    for label, answers in (("recorded", found.expected), ("today", found.got)):
        for answer in answers or ["nothing"]:
            click.echo(f"{label:>9}: {answer}")


def _print_step(
    n: int, delivery: Delivery, before: object, replayed: Replayed, *, as_json: bool
) -> None:
    after = replayed.state()
    changed = {
        key: {"before": before.get(key), "after": value}
        for key, value in after.items()
        if isinstance(before, dict) and before.get(key) != value
    }
    envelope = delivery.envelope
    kind = type(envelope.body).__name__
    if as_json:
        print_json_line(
            {
                "n": n,
                "seq": envelope.seq,
                "actor": delivery.actor,
                "at": iso(delivery.at_ns),
                "kind": kind,
                "outcome": delivery.outcome.name.lower(),
                "changed": changed,
            }
        )
        return
    click.echo(f"{n:>8} {iso(delivery.at_ns)} {delivery.actor} {kind} {envelope.seq}")
    for key, change in changed.items():
        then, now = (msgspec.json.encode(change[side]).decode() for side in ("before", "after"))
        click.echo(f"{'':9}{key}: {then} -> {now}")
