"""`thetawarden replay`."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain, takewhile, zip_longest
from typing import Any

import click
import msgspec

from thetawarden.actors.tree import Tree
from thetawarden.cli.log import SEQ_MAX, log_folder
from thetawarden.cli.place import Place, as_json, on_place, print_json, watched
from thetawarden.cli.stepper import on_terminal, print_back, print_moment, step_by_hand
from thetawarden.cli.why import tree_of, views_of
from thetawarden.config.loader import fingerprint
from thetawarden.config.schema import Config
from thetawarden.errors import EXIT_DONE, EXIT_UNEXPECTED
from thetawarden.infra.journal.causes import causes_of
from thetawarden.infra.journal.reader import DayLog, StoredSnapshot, open_log
from thetawarden.infra.journal.steps import Step
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.lifecycle import DeskStarted
from thetawarden.messages.registry import role_of
from thetawarden.sim import side_by_side
from thetawarden.sim.cast import Cast, Processes, Replayed, actors_before, told
from thetawarden.sim.differences import Difference
from thetawarden.sim.replay import Verdict, pick_days
from thetawarden.sim.shares import Past
from thetawarden.sim.walk import Walk, moments
from thetawarden.supervisor import Mark, actor_names, actor_roles, desk_tree

SHOWN_MAX = 2000
# numbers only, never a person's word
_HANDLED = "SELECT max(n) FROM deliveries WHERE seq = {0:d}"
_ACTORS = "SELECT DISTINCT actor FROM deliveries"
_BEFORE = "SELECT max(n) FROM deliveries WHERE seq < {0:d}"


@click.command()
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="One day; default: all.")
@click.option("--actor", help="One actor; default: all.")
@click.option(
    "--until", type=click.IntRange(1, SEQ_MAX), help="Stop once this message was handled."
)
@click.option("--verify", is_flag=True, help="Compare every answer; exits 1 at a difference.")
@click.option(
    "--step",
    is_flag=True,
    help="Show each delivery with what it changed; with --actor on a terminal, forwards and back.",
)
@click.option("--back", is_flag=True, help="With --step and --actor: from the last to the first.")
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
    back: bool,
    as_json: bool,
) -> int:
    """Rebuild actors from the message log, or prove that today's code answers the same."""
    config = place.load().config
    tree = desk_tree(config, account=config.broker.account)
    if actor is not None and tree.spec_of(actor) is None:
        names = ", ".join((*actor_names(tree), *(f"{role}/NAME" for role in actor_roles(tree))))
        raise click.UsageError(f"no actor is named {actor!r}; there are: {names}")
    if verify and (actor is not None or until is not None or step or back):
        raise click.UsageError(
            "--verify goes over every actor; allowed beside it: --day and --json"
        )
    if back and (actor is None or not step):
        raise click.UsageError("--back goes through one actor's messages: add --actor and --step")
    wanted = None if day is None else day.date()
    if verify:
        return _verify(place, config, wanted, as_json=as_json)
    with _past(place, config) as past:
        days, tree, processes = past.days, past.tree, past.processes
        picked = pick_days(days, wanted)
        last_n = None if until is None else _last_delivery(picked, until)
        only = None if actor is None else frozenset({actor})
        actors = actors_before(tree, days, picked[0], only=only, processes=processes)
        if actor is not None and actor not in actors.states():
            _require_handled(actor, days, picked, last_n=last_n, until=until)
        begin = None if actor is None else actors.get(actor)
        if begin is not None and step and (back or (on_terminal() and not as_json)):
            walk = _walk_of(begin, picked, last_n)
            if last_n is not None or back:
                walk.go_to_end()
            if on_terminal() and not as_json:
                step_by_hand(walk, end=_end(until))
            else:
                print_back(walk, as_json=as_json)
            return EXIT_DONE
        _go_through(actors, picked, last_n, show=step, as_json=as_json)
    states = actors.states()
    if not (step and as_json):
        print_json(states if actor is None else states.get(actor))
    return EXIT_DONE


@contextmanager
def _past(place: Place, config: Config) -> Iterator[Past]:
    with open_log(log_folder(place)) as days:
        yield _past_of(config, days)


def _past_of(
    config: Config, days: tuple[DayLog, ...], starts: list[Envelope[Message]] | None = None
) -> Past:
    processes = Processes(days, lambda started: _tree(config, started), starts)
    return Past(
        days=days,
        tree=processes.tree_at(SEQ_MAX) if processes.started else _tree(config, None),
        processes=processes if processes.started else None,
        marks=frozenset(one.config_fingerprint for one in processes.started),
    )


def _verify(place: Place, config: Config, day: dt.date | None, *, as_json: bool) -> int:
    open_days = partial(open_log, log_folder(place))
    past_of = partial(_past_of, config)
    begun_s = time.perf_counter()
    verdict = side_by_side.verify(
        open_days, past_of, day=day, jobs=os.cpu_count() or 1, progress=_progress
    )
    took_s = time.perf_counter() - begun_s
    with open_days() as days:
        differs = verdict.first_difference is not None
        other = differs and not past_of(days).marks <= {fingerprint(config)}
        return _report(verdict, days, took_s=took_s, other_config=other, as_json=as_json)


def _go_through(
    actors: Cast, picked: tuple[DayLog, ...], last_n: int | None, *, show: bool, as_json: bool
) -> None:
    """Let every actor wanted handle its messages again, in order."""
    for item in chain.from_iterable(told(day, actors=actors.only) for day in picked):
        if last_n is not None and item.n > last_n:
            break
        replayed = actors.get(item.delivery.actor if isinstance(item, Step) else item.actor)
        if replayed is None:
            continue
        if show:
            for moment in moments(replayed, (item,)):
                print_moment(moment, as_json=as_json)
        else:
            replayed.go_on(item)


def _walk_of(begin: Replayed, picked: tuple[DayLog, ...], last_n: int | None) -> Walk:
    """An actor's way through these days, up to and with a delivery if one is given."""
    name = begin.spec.name

    def read(after_n: int) -> Iterator[Step | StoredSnapshot]:
        items = chain.from_iterable(told(day, after_n=after_n, actors=(name,)) for day in picked)
        return takewhile(lambda item: last_n is None or item.n <= last_n, items)

    return Walk(begin, read)


def _end(until: int | None) -> str:
    """What is said where a walk ends."""
    if until is None:
        return "that was the last message"
    return f"that was the last message up to --until {until}; leave --until out to go on"


def _require_handled(
    actor: str,
    days: tuple[DayLog, ...],
    picked: tuple[DayLog, ...],
    *,
    last_n: int | None,
    until: int | None,
) -> None:
    """Refuse an instance that has handled nothing: its state would be made up."""
    first = next((one for day in picked for one in day.first_handled(actor)), None)
    if first is not None and (last_n is None or first[0] <= last_n):
        return
    if first is not None:
        raise click.UsageError(
            f"{actor} is not in the log up to message {until}; allowed: --until {first[1]} or later"
        )
    found = {name for day in days for (name,) in day.raw(_ACTORS)}
    alike = sorted(name for name in found if role_of(name) == role_of(actor))
    there = ", ".join(alike) or f"no {role_of(actor)}/NAME at all"
    raise click.UsageError(
        f"{actor} is not in the log of {picked[0].day} to {picked[-1].day}; in the log there are:"
        f" {there}. Name another one, or leave --actor out to see every state"
    )


def _tree(config: Config, started: DeskStarted | None) -> Tree:
    """The desk as a process of the log made it, as far as the log tells."""
    account = config.broker.account
    if started is None:
        return desk_tree(config, account=account)
    mark = Mark(fingerprint=started.config_fingerprint, software=started.software)
    return desk_tree(config, speed=started.speed, account=account, mark=mark)


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


def _report(
    verdict: Verdict,
    days: tuple[DayLog, ...],
    *,
    took_s: float,
    other_config: bool,
    as_json: bool,
) -> int:
    difference = verdict.first_difference
    if difference is None:
        if as_json:
            print_json(_figures(verdict))
        else:
            rate = f"in {took_s:.1f} s ({verdict.verified / took_s:,.0f} a second)"
            click.echo(f"{verdict.verified:,} deliveries replayed {rate}, every answer the same")
            if verdict.passed_over:
                why = "written by an older version, today's code cannot read them"
                click.echo(
                    f"passed over, as a desk does that starts: {verdict.passed_over} states; {why}"
                )
        return EXIT_DONE
    causes = views_of(causes_of(days, difference.seq))
    if as_json:
        found = {
            "other_config": other_config,
            **msgspec.structs.asdict(difference),
            "causes": causes,
        }
        print_json({**_figures(verdict), "first_difference": found})
    else:
        _print_difference(verdict, difference)
        click.echo("because of:")
        for line in tree_of(causes):
            click.echo(f"  {line}")
        if other_config:
            click.echo("recorded under another configuration or flags, which may be the reason")
    return EXIT_UNEXPECTED


def _figures(verdict: Verdict) -> dict[str, Any]:
    names = ("deliveries", "verified", "first_difference")
    return {name: getattr(verdict, name) for name in names}


def _print_difference(verdict: Verdict, found: Difference) -> None:
    click.echo(
        f"after {verdict.verified:,} equal deliveries: {found.actor} handling {found.kind}"
        f" {found.seq} (delivery {found.n}): {found.what}"
    )
    click.echo(f"message: {_shortened(found.message)}")
    click.echo(f"state before: {_shortened(found.state_before)}")
    pairs = zip_longest(found.expected or ["nothing"], found.got, fillvalue="nothing")
    for recorded, today in pairs:
        at = next(
            (at for at, pair in enumerate(zip(recorded, today, strict=False)) if len({*pair}) > 1),
            0,
        )
        for label, answer in (("recorded", recorded), ("today", today)):
            click.echo(f"{label:>9}: {around(answer, at)}")


def around(text: str, at: int) -> str:
    """The text, or of a long one what is around the place at which it differs."""
    if len(text) <= SHOWN_MAX:
        return text
    begin = max(0, at - SHOWN_MAX // 4)
    head = "... " if begin else ""
    return f"{head}{text[begin : begin + SHOWN_MAX]} ... ({len(text):,} characters, see --json)"


def _shortened(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    if len(text) <= SHOWN_MAX:
        return text
    return f"{text[:SHOWN_MAX]} ... ({len(text):,} characters, see --json)"
