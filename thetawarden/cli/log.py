"""`thetawarden log show|tail|verify|export`: read the message log, desk running or not."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import time
from collections.abc import Iterable
from itertools import chain, islice
from pathlib import Path
from typing import Any

import click
import msgspec

from thetawarden.cli.durations import duration_option, duration_s
from thetawarden.cli.place import Place, as_json, on_place, print_json, print_json_line, watched
from thetawarden.config.problems import one_line
from thetawarden.config.schema import Mode
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs, iso
from thetawarden.errors import EXIT_DONE, EXIT_UNEXPECTED
from thetawarden.infra.clock import WallClock
from thetawarden.infra.journal.follow import Follower
from thetawarden.infra.journal.reader import DayLog, Wanted, open_log
from thetawarden.infra.journal.store import day_files
from thetawarden.infra.journal.verify import Verification, verify_log
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.registry import KINDS

TAIL_EVERY_S = 0.2
SEQ_MAX = 2**62
NS_MAX = 2**63 - 1
LIMIT_MAX = 10_000_000


@click.group()
def log() -> None:
    """Read the message log: everything said between actors, in order."""


_kind = click.option("--type", "kind", help="Only messages of this type, e.g. TradingHalted.")
_actor = click.option("--actor", help="Only messages said by this actor.")


@log.command()
@_kind
@_actor
@click.option("--since", help="Not older than this: 10m, 2h, or an ISO instant.")
@click.option(
    "--from-seq", type=click.IntRange(0, SEQ_MAX), default=0, help="Not before this message."
)
@click.option("--limit", type=click.IntRange(1, LIMIT_MAX), default=100, show_default=True)
@as_json
@on_place
def show(  # one parameter an option
    *,
    place: Place,
    kind: str | None,
    actor: str | None,
    since: str | None,
    from_seq: int,
    limit: int,
    as_json: bool,
) -> None:
    """Show messages, oldest first; without --since or --from-seq the last --limit of them."""
    _check_kind(kind)
    with open_log(log_folder(place)) as days:
        wanted = Wanted(
            kind=kind,
            sender=actor,
            after_seq=max(0, from_seq - 1),
            since_ns=None if since is None else _instant(since, _now(place, days)),
        )
        if since is None and not from_seq:
            found: list[Envelope[Message]] = []
            for day in reversed(days):
                found = [*islice(day.latest(wanted), limit - len(found))][::-1] + found
                if len(found) >= limit:
                    break
            _print(found, as_json=as_json)
        else:
            every = (envelope for day in days for envelope in day.messages(wanted))
            _print(islice(every, limit), as_json=as_json)


@log.command()
@_kind
@_actor
@click.option("--for", "for_s", callback=duration_option, metavar="DURATION")
@as_json
@on_place
def tail(
    *, place: Place, kind: str | None, actor: str | None, for_s: float | None, as_json: bool
) -> None:
    """Follow what is being said until Ctrl-C, or for a while."""
    _check_kind(kind)
    deadline = None if for_s is None else time.monotonic() + for_s
    with contextlib.closing(Follower(log_folder(place))) as log:
        last_seq = log.read(Wanted(kinds=())).last_seq
        with contextlib.suppress(KeyboardInterrupt):
            while deadline is None or time.monotonic() < deadline:
                batch = log.read(Wanted(kind=kind, sender=actor, after_seq=last_seq))
                _print(batch.messages, as_json=as_json)
                last_seq = batch.last_seq
                time.sleep(TAIL_EVERY_S)


@log.command()
@as_json
@on_place
def verify(*, place: Place, as_json: bool) -> int:
    """Check every row of every day; exits 1 when any is damaged or missing."""
    total = Verification()
    for path, total in verify_log(log_folder(place)):  # the last one is the sum
        if watched():
            click.echo(f"{path.name}: {total.messages:,} messages so far", err=True)
    if as_json:
        print_json(total)
    else:
        click.echo(
            f"{total.messages:,} messages, {total.deliveries:,} deliveries,"
            f" {total.snapshots:,} snapshots, {total.damaged:,} damaged"
        )
        for finding in total.findings:
            click.echo(finding)
    return EXIT_UNEXPECTED if total.damaged else EXIT_DONE


@log.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@on_place
def export(*, place: Place, file: Path) -> None:
    """Write all messages to a Parquet FILE, one row a message, bodies as JSON."""
    if file.exists():
        raise click.UsageError(f"{file} exists; it will not be overwritten: choose another name")
    from thetawarden.infra.lake.export import write_messages  # noqa: PLC0415  # polars is slow

    with open_log(log_folder(place)) as days:
        every = (envelope for day in days for envelope in day.messages(Wanted()))
        try:
            count = write_messages(every, file)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise click.UsageError(f"{file} cannot be written ({why}); name another") from None
    click.echo(f"{count:,} messages written to {file}")


def log_folder(place: Place) -> Path:
    """The message log of the mode and account in effect; a usage error when there is none."""
    folder = place.store() / "log"
    if not day_files(folder):
        raise click.UsageError(
            f"no message log in {one_line(str(folder), 400)}; run a desk there first,"
            " or name its data folder with --data-dir"
        )
    return folder


def _check_kind(kind: str | None) -> None:
    if kind is not None and kind not in KINDS:
        near = [name for name in KINDS if kind.lower() in name.lower()] or sorted(KINDS)
        raise click.UsageError(f"no message type {kind!r}; there are: {', '.join(near)}")


def _now(place: Place, days: tuple[DayLog, ...]) -> UnixNs:
    """What time it is where the log was written: a practice market has a time of its own."""
    if place.load().config.mode is Mode.PRACTICE:
        for envelope in chain.from_iterable(day.latest(Wanted()) for day in reversed(days)):
            return envelope.at_ns
    return WallClock().now_ns()


def _instant(text: str, now_ns: UnixNs) -> UnixNs:
    if re.fullmatch(r"[0-9.hms]+", text):
        return UnixNs(now_ns - round(duration_s(text) * NS_PER_SECOND))
    try:
        moment = dt.datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        since_ns = round(moment.timestamp() * NS_PER_SECOND)
    except (ValueError, OverflowError):
        since_ns = NS_MAX + 1
    if not 0 <= since_ns <= NS_MAX:
        words = f"--since found {text!r}; allowed: 10m, 2h, or an instant like 2026-02-03T15:00Z"
        raise click.UsageError(words)
    return UnixNs(since_ns)


def _print(envelopes: Iterable[Envelope[Message]], *, as_json: bool) -> None:
    for envelope in envelopes:
        if as_json:
            print_json_line(as_plain(envelope))
        else:
            cause = "" if envelope.cause_seq is None else f" ← {envelope.cause_seq}"
            body = msgspec.json.encode(envelope.body.plainly()).decode()
            kind = type(envelope.body).__name__
            at = iso(envelope.at_ns)
            click.echo(f"{envelope.seq:>8} {at} {envelope.sender} {kind} {body}{cause}")


def as_plain(envelope: Envelope[Message]) -> dict[str, Any]:
    """A message as one JSON object."""
    return {
        "seq": envelope.seq,
        "at": iso(envelope.at_ns),
        "sender": envelope.sender,
        "incarnation": envelope.incarnation,
        "cause_seq": envelope.cause_seq,
        "type": type(envelope.body).__name__,
        "body": envelope.body.plainly(),
    }
