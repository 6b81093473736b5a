"""`thetawarden version`."""

from __future__ import annotations

import platform

import click

from thetawarden import __version__
from thetawarden.cli.place import as_json, print_json


@click.command()
@as_json
def version(*, as_json: bool) -> None:
    """Show the version of this program and of the Python that runs it."""
    if as_json:
        print_json({"version": __version__, "python": platform.python_version()})
    else:
        click.echo(f"thetawarden {__version__} (Python {platform.python_version()})")
