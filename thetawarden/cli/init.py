"""`thetawarden init`: a commented configuration file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from thetawarden.cli.place import Place, on_place
from thetawarden.config.problems import ConfigError
from thetawarden.errors import RefusedError

if TYPE_CHECKING:
    from thetawarden.config.schema import Config

_KEYS = {
    "mode": "mode",
    "host": "broker.host",
    "port": "broker.port",
    "client_id": "broker.client_id",
    "account": "broker.account",
}


class FileThereError(RefusedError):
    """There is a configuration already. The person keeps it, or says --force."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} exists; it is kept. Look at it with `thetawarden config show`, or say --force"
            " to put it aside and write a new one"
        )


@click.command()
@click.option("--mode", help="practice, paper or live.")
@click.option("--host", help="Where the IB Gateway or TWS is.")
@click.option("--port", help="4002 paper gateway, 7497 paper TWS, 4001 and 7496 real money.")
@click.option("--client-id", help="Our number among the gateway's clients.")
@click.option("--account", help="The only account that is traded, e.g. DU1234567.")
@click.option("--i-mean-live", is_flag=True, help="Mode live: real money is meant.")
@click.option("--force", is_flag=True, help="Put an existing file aside as FILE.old.")
@click.option("--print", "print_only", is_flag=True, help="Print the file, write nothing.")
@click.option("--defaults", is_flag=True, help="Ask nothing, also on a terminal.")
@on_place
def init(
    *,
    place: Place,
    i_mean_live: bool,
    force: bool,
    print_only: bool,
    defaults: bool,
    **given: str | None,
) -> None:
    """Write a configuration file with every key, its meaning, its bounds and its value.

    Asks for what was not given, on a terminal only; elsewhere what was not given is the default.
    """
    from thetawarden.config.places import config_file  # noqa: PLC0415
    from thetawarden.config.reference import render_file  # noqa: PLC0415

    path = place.config_file or config_file(place.data)
    if path.exists() and not force and not print_only:
        raise FileThereError(path)
    flags = {_KEYS[name]: text for name, text in given.items() if text is not None}
    if i_mean_live:
        flags["broker.i_mean_live"] = "true"
    asks = not defaults and sys.stdin is not None and sys.stdin.isatty() and not print_only
    text = render_file(_ask(flags) if asks else _judge(flags))
    if print_only:
        click.echo(text, nl=False)
        return
    _write(place, path, text)
    click.echo(f"written: {path}\nnext: thetawarden doctor, then thetawarden run")


def _judge(flags: dict[str, str]) -> Config:
    """The configuration these values make with all else at its default; raises ConfigError."""
    from thetawarden.config.loader import load_config  # noqa: PLC0415

    nowhere = Path(os.devnull).with_name("no configuration")
    return load_config(named_file=None, default_file=nowhere, environment={}, flags=flags).config


def _ask(flags: dict[str, str]) -> Config:
    """Ask for what was not given, and again for what cannot be."""
    click.echo("Enter takes what stands in brackets. Ctrl-C leaves with nothing written.\n")
    mode = _asked(
        flags, "mode", "practice: its own market. paper, live: your IB Gateway or TWS. Mode"
    )
    if mode != "practice":
        gateway = "4001" if mode == "live" else "4002"
        _asked(flags, "broker.host", "Where the gateway is")
        _asked(flags, "broker.port", "Its port", default=gateway)
        _asked(flags, "broker.client_id", "Our number among its clients")
        _asked(flags, "broker.account", "The only account to trade (empty: the only one there is)")
    if mode == "live" and "broker.i_mean_live" not in flags:
        meant = click.confirm("Real money will be traded. Is that meant?", default=False)
        flags["broker.i_mean_live"] = "true" if meant else "false"
    return _judge(flags)


def _asked(flags: dict[str, str], path: str, words: str, *, default: str | None = None) -> str:
    """One value, given or asked for until it is sound by itself."""
    from thetawarden.config.fields import describe, leaves  # noqa: PLC0415
    from thetawarden.config.reference import written  # noqa: PLC0415
    from thetawarden.config.schema import Config  # noqa: PLC0415

    if path in flags:
        return flags[path]
    standard = written(leaves(describe(Config()))[path].default).strip('"')
    while True:
        answer = str(click.prompt(words, default=default or standard)).strip()
        try:
            _judge({path: answer} if path != "mode" or answer == "practice" else {})
        except ConfigError as error:
            click.echo(str(error), err=True)
            continue
        if path == "mode" and answer not in {"practice", "paper", "live"}:
            click.echo(f"found {answer!r}; allowed: practice, paper, live", err=True)
            continue
        flags[path] = answer
        return answer


def _write(place: Place, path: Path, text: str) -> None:
    """Put the file in place whole, readable by us alone; one that stands is put aside."""
    from thetawarden.config.places import prepare_folder  # noqa: PLC0415

    if path.parent == place.data:
        prepare_folder(place.data)
    new = path.with_name(f"{path.name}.new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        if path.exists():
            path.replace(path.with_name(f"{path.name}.old"))
        new.replace(path)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written ({error.strerror})") from None
