"""`thetawarden service print`."""

from __future__ import annotations

import getpass
import shutil
import sys
from pathlib import Path

import click

from thetawarden.cli.place import Place, on_place


@click.group()
def service() -> None:
    """Run the desk as a service of systemd."""


@service.command("print")
@click.option("--mode", help="practice, paper or live; default: the configured one.")
@click.option("--user", help="Who runs it; default: you.")
@click.option("--for-me", is_flag=True, help="A unit for `systemctl --user`, without root.")
@click.option("--account", default="", help="Mode live: the account of real money, once more.")
@on_place
def print_unit(
    *, place: Place, mode: str | None, user: str | None, for_me: bool, account: str
) -> None:
    """Print a systemd unit for this data folder: watched, started anew, shut in.

    \b
      thetawarden service print | sudo tee /etc/systemd/system/thetawarden.service
      sudo systemctl enable --now thetawarden
    """  # noqa: D301  # the backslash is click's: leave the lines as they are
    from thetawarden.cli.run import require_account  # noqa: PLC0415
    from thetawarden.infra.systemd_unit import Service, render_unit  # noqa: PLC0415

    if for_me and user:
        raise click.UsageError("--for-me and --user found; one of them is allowed")
    flags = {} if mode is None else {"mode": mode}
    config = place.load(flags).config
    require_account(config, account)
    unit = Service(
        program=_program(),
        data=place.data,
        config=None if place.config_file is None else place.config_file.absolute(),
        mode=str(config.mode),
        user="" if for_me else user or getpass.getuser(),
        account=account,
    )
    click.echo(render_unit(unit), nl=False)


def _program() -> tuple[str, ...]:
    """How this program is started by its full path."""
    beside = Path(sys.executable).with_name("thetawarden")
    found = beside if beside.is_file() else shutil.which("thetawarden")
    return (str(found),) if found else (sys.executable, "-m", "thetawarden")
