"""`thetawarden inspect`."""

from __future__ import annotations

import click

from thetawarden.cli.place import Place, SilentActorError, as_json, on_place, print_json


@click.command()
@click.argument("actor", required=False)
@as_json
@on_place
def inspect(*, place: Place, actor: str | None, as_json: bool) -> None:
    """Show all actors, or one ACTOR with its whole state."""
    seen = place.desk().inspect(actor)
    if as_json:
        print_json(seen)
    else:
        from thetawarden.cli.tables import actors_table, print_table  # noqa: PLC0415  # rich is slow

        print_table(actors_table(seen.actors))
    if actor is None:
        return
    if seen.actor_state is None:
        raise SilentActorError(actor)
    if not as_json:
        print_json(seen.actor_state)
