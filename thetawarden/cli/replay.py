"""`thetawarden replay`."""

from __future__ import annotations

import datetime as dt
from itertools import chain

import click
import msgspec

from thetawarden.cli.log import SEQ_MAX, log_folder, watched
from thetawarden.cli.place import Place, as_json, on_place, print_json, print_json_line
from thetawarden.domain.instants import iso
from thetawarden.errors import EXIT_DONE, EXIT_UNEXPECTED
from thetawarden.infra.journal.reader import DayLog, Wanted, open_log
from thetawarden.messages.lifecycle import DeskStarted
from thetawarden.ports import Delivery
from thetawarden.sim.replay import (
    Difference,
    Replayed,
    Verdict,
    actors_before,
    pick_days,
    verify_replay,
)
from thetawarden.supervisor import actor_names, actor_roles, desk_tree

# numbers only, never a person's word
STATE_SHOWN_MAX = 2000
_HANDLED = "SELECT max(n) FROM deliveries WHERE seq = {0:d}"
_BEFORE = "SELECT max(n) FROM deliveries WHERE seq < {0:d}"


@click.command()
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="One day; default: all.")
@click.option("--actor", help="One actor; default: all.")
@click.option(
    "--until", type=click.IntRange(1, SEQ_MAX), help="Stop once this message was handled."
)
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
    tree = desk_tree(config, account=config.broker.account)
    if actor is not None and tree.spec_of(actor) is None:
        names = ", ".join((*actor_names(tree), *(f"{role}/NAME" for role in actor_roles(tree))))
        raise click.UsageError(f"no actor is named {actor!r}; there are: {names}")
    if verify and (actor is not None or until is not None or step):
        raise click.UsageError(
            "--verify goes over every actor; allowed beside it: --day and --json"
        )
    wanted = None if day is None else day.date()
    with open_log(log_folder(place)) as days:
        tree = desk_tree(config, speed=_speed(days), account=config.broker.account)
        if verify:
            return _report(
                verify_replay(tree, days, day=wanted, progress=_progress), as_json=as_json
            )
        picked = pick_days(days, wanted)
        last_n = None if until is None else _last_delivery(picked, until)
        actors = actors_before(tree, days, picked[0], only=actor)
        steps = chain.from_iterable(each.steps(actor=actor) for each in picked)
        for each in steps:
            if last_n is not None and each.n > last_n:
                break
            replayed = actors.get(each.delivery.actor)
            if replayed is not None:
                before = replayed.state() if step else None
                replayed.take(each)
                if step:
                    _print_step(each.n, each.delivery, before, replayed, as_json=as_json)
    states = actors.states()
    if actor is not None and actor not in states:
        raise click.UsageError(f"{actor} is not in the log; `inspect` lists who is running")
    if not (step and as_json):
        print_json(states if actor is None else states.get(actor))
    return EXIT_DONE


def _speed(days: tuple[DayLog, ...]) -> float:
    """How fast market time ran when the latest desk of these days was built."""
    for day in reversed(days):
        for envelope in day.latest(Wanted(kind=DeskStarted.__name__)):
            if isinstance(envelope.body, DeskStarted):
                return envelope.body.speed
    return 1.0


def _last_delivery(days: tuple[DayLog, ...], seq: int) -> int:
    """The number of the last delivery up to and with this message's, in delivery order."""
    tops = [day.tops() for day in days]
    if not days[0].first_seq <= seq <= tops[-1][0]:
        found = f"--until found {seq}; allowed: {days[0].first_seq} to {tops[-1][0]}"
        raise click.UsageError(found)
    handled: list[int] = [n for day in days for (n,) in day.raw(_HANDLED.format(seq)) if n]
    earlier: list[int] = [n for day in days for (n,) in day.raw(_BEFORE.format(seq)) if n]
    return max(handled or earlier or [0])


def _progress(count: int) -> None:
    if not watched():
        return
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
    state = msgspec.json.encode(found.state_before).decode()
    cut = "" if len(state) <= STATE_SHOWN_MAX else f" ... ({len(state):,} characters, see --json)"
    click.echo(f"state before: {state[:STATE_SHOWN_MAX]}{cut}")
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
