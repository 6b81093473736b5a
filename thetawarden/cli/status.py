"""`thetawarden status`."""

from __future__ import annotations

import click

from thetawarden.cli.place import Place, as_json, on_place, print_json
from thetawarden.errors import EXIT_DONE, EXIT_HALTED


@click.command()
@as_json
@on_place
def status(*, place: Place, as_json: bool) -> int:
    """Show the desk in one look; exits 4 when it is halted, 5 when none answers."""
    seen = place.desk().status()
    if as_json:
        print_json(seen)
    else:
        from thetawarden.cli.tables import print_table, status_text  # noqa: PLC0415  # rich is slow

        print_table(status_text(seen))
    return EXIT_DONE if seen.halt is None else EXIT_HALTED
