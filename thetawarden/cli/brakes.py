"""`thetawarden halt`, `resume`, `flatten` and `stop`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from thetawarden.cli.place import Place, as_json, on_place, print_json
from thetawarden.errors import UnreachableError
from thetawarden.messages.control import Done, ResumeRequest

REASON_LENGTH_MAX = 500  # a halt is never refused for saying too much
reason = click.option("--reason", required=True, help="Why; kept in the message log.")


@click.command()
@reason
@click.option("--cautious", is_flag=True, help="Open nothing, but latch nothing either.")
@click.option("--exits-too", is_flag=True, help="Hold back even what reduces risk.")
@as_json
@on_place
def halt(*, place: Place, reason: str, cautious: bool, exits_too: bool, as_json: bool) -> None:
    """Stop taking risk now. Holds over restarts; only a person lifts it."""
    if cautious and exits_too:
        raise click.UsageError("--cautious and --exits-too exclude each other; choose one")
    words = reason[:REASON_LENGTH_MAX]
    try:
        done = place.desk().halt(words, cautious=cautious, exits_too=exits_too)
    except UnreachableError:
        if cautious:
            raise
        flag = raise_flag_alone(place, words)
        click.echo(f"halt flag raised at {flag}: a desk on this store is halted", err=True)
        raise
    _report(done, as_json=as_json)


@click.command()
@reason
@click.option("--epoch", type=int, help="The halt you mean; default: the one in force.")
@click.option("--cautious", is_flag=True, help="Lift the caution you said with halt --cautious.")
@click.option("--review-drawdown", is_flag=True, help="You have looked into the drawdown.")
@click.option("--override-readiness", is_flag=True, help="Live: trade below the readiness score.")
@click.option("--limits", default="", metavar="HEX", help="Accept looser limits, as shown.")
@click.option("--unlock", default="", metavar="STRATEGY", help="Let it enter again.")
@as_json
@on_place
def resume(*, place: Place, reason: str, as_json: bool, **asked: Any) -> None:
    """Lift the halt in force; refused (exit 3) when --epoch names another one."""
    _report(place.desk().lift(ResumeRequest(reason=reason, **asked)), as_json=as_json)


@click.command()
@reason
@click.option("--underlying", default="", metavar="SYMBOL", help="Only what is written on this.")
@as_json
@on_place
def flatten(*, place: Place, reason: str, underlying: str, as_json: bool) -> None:
    """Halt, cancel all that is on its way, and close all that the desk holds.

    Returns once that is ordered; `orders` and `positions` show how far it is. Trading stays halted
    until it is resumed.
    """
    done = place.desk().flatten(reason[:REASON_LENGTH_MAX], underlying.upper())
    _report(done, as_json=as_json)


@click.command()
@click.option("--reason", default="asked to stop", help="Why.")
@as_json
@on_place
def stop(*, place: Place, reason: str, as_json: bool) -> None:
    """End the running desk gracefully; returns once it has begun to."""
    _report(place.desk().stop(reason), as_json=as_json)


def raise_flag_alone(place: Place, reason: str) -> Path:
    """No desk answers: leave the flag, so that the next one, or one that hangs, is halted."""
    from thetawarden.config.places import prepare_folder  # noqa: PLC0415  # only when needed
    from thetawarden.domain.halt import HaltRecord  # noqa: PLC0415
    from thetawarden.infra.clock import WallClock  # noqa: PLC0415
    from thetawarden.infra.halt_flag import HaltFlagFile  # noqa: PLC0415

    prepare_folder(place.data)
    flag = HaltFlagFile(prepare_folder(place.store()) / "halt")
    if flag.read() is None:
        now = WallClock().now_ns()
        flag.raise_flag(HaltRecord(epoch=0, reason=reason, by="command line", at_ns=now))
    return flag.path


def _report(done: Done, *, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    epoch = "" if done.halt is None else f" (epoch {done.halt.epoch})"
    click.echo(done.what + epoch)
