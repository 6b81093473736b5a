"""`thetawarden actor restart|pause|resume NAME`."""

from __future__ import annotations

import click

from thetawarden.cli.place import Place, as_json, on_place, print_json
from thetawarden.messages.control import Done

reason = click.option("--reason", default="", help="Why; kept in the message log.")


@click.group()
def actor() -> None:
    """Restart, pause or resume one actor by hand; each is recorded."""


@actor.command()
@click.argument("name")
@reason
@as_json
@on_place
def restart(*, place: Place, name: str, reason: str, as_json: bool) -> None:
    """Stop an actor and start it again with the state it had."""
    _report(place.desk().restart(name, reason), as_json=as_json)


@actor.command()
@click.argument("name")
@reason
@as_json
@on_place
def pause(*, place: Place, name: str, reason: str, as_json: bool) -> None:
    """Let an actor take control messages only; everything else waits."""
    _report(place.desk().pause(name, reason), as_json=as_json)


@actor.command()
@click.argument("name")
@reason
@as_json
@on_place
def resume(*, place: Place, name: str, reason: str, as_json: bool) -> None:
    """Let a paused actor go on."""
    _report(place.desk().unpause(name, reason), as_json=as_json)


def _report(done: Done, *, as_json: bool) -> None:
    if as_json:
        print_json(done)
    else:
        click.echo(done.what)
