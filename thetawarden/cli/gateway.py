"""`thetawarden gateway`: the practice gateway alone, and its faults."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click

from thetawarden.cli.place import as_json, print_json, print_json_line
from thetawarden.domain.instants import new_york_date
from thetawarden.infra.clock import WallClock
from thetawarden.infra.collector import spare_what_lives

DEFAULT_PORT = 4002
FLAT_OUT = "max"


def _speed(_context: click.Context, _option: click.Parameter, text: str) -> float | None:
    if text == FLAT_OUT:
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1e6:
        raise click.BadParameter(f"found {text!r}; allowed: a number from 0 to 1e6, or max")
    return speed


@click.group(invoke_without_command=True)
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback unless allowed.")
@click.option("--allow-remote", is_flag=True, help="Listen beyond loopback; it has no password.")
@click.option("--speed", callback=_speed, default="1", show_default=True, help="1 is real time.")
@click.option("--seed", type=click.IntRange(min=0), help="Default 1, or what --state began with.")
@click.option("--scenario", help="A name (default normal), or a CSV of closes.")
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), help="First session; default today.")
@click.option(
    "--begin", type=click.DateTime(["%H:%M"]), help="A new market: at this time, not the bell."
)
@click.option("--accounts", type=click.IntRange(1, 16), help="How many; default 1.")
@click.option("--cash", type=click.IntRange(1_000, 10**9), help="USD in each; default 1000000.")
@click.option("--margin", type=click.Choice(["reg_t", "portfolio"]), help="Default reg_t.")
@click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), help="Survives restarts."
)
@click.option("--faults", type=click.Path(path_type=Path, dir_okay=False), help="A plan of faults.")
@click.option("--while-stdin-open", is_flag=True, hidden=True)
@click.pass_context
def gateway(ctx: click.Context, /, **choices: Any) -> None:
    """Run the practice gateway: a simulated market that speaks the TWS protocol.

    Prints one JSON line when it listens, then serves until Ctrl-C.
    """
    if ctx.invoked_subcommand is None:
        _serve(**choices)


def _serve(
    *,
    port: int,
    host: str,
    allow_remote: bool,
    speed: float | None,
    seed: int | None,
    scenario: str | None,
    start: dt.datetime | None,
    begin: dt.datetime | None,
    accounts: int | None,
    cash: int | None,
    margin: str | None,
    state: Path | None,
    faults: Path | None,
    while_stdin_open: bool,
) -> None:
    from thetawarden.config.schema import LogsConfig  # noqa: PLC0415  # only the server needs these
    from thetawarden.infra.logs import start_logs  # noqa: PLC0415
    from thetawarden.practice.faults.schedule import load  # noqa: PLC0415
    from thetawarden.practice.launch import Asked, build_exchange, settle_choices  # noqa: PLC0415
    from thetawarden.practice.server import run_gateway  # noqa: PLC0415

    asked = Asked(
        day=None if start is None else start.date(),
        begin=None if begin is None else begin.time(),
        seed=seed,
        scenario=scenario,
        accounts=accounts,
        cash=cash,
        margin=margin,
    )
    today = new_york_date(WallClock().now_ns())
    if while_stdin_open:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    with start_logs(LogsConfig(file=False), stream=sys.stderr, folder=None):
        run_gateway(
            exchange=build_exchange(settle_choices(asked, today=today, state=state)),
            speed=speed,
            host=host,
            port=port,
            allow_remote=allow_remote,
            state_folder=state,
            plan=() if faults is None else load(faults),
            ready=_print_ready,
        )


def _end_with_stdin() -> None:
    """End in good order once whoever started us is gone, killed or not."""
    while os.read(sys.stdin.fileno(), 4096):  # holds no lock that the interpreter's end would need
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _print_ready(status: dict[str, Any]) -> None:
    spare_what_lives()  # before anybody comes
    print_json_line(status)
    sys.stdout.flush()


@gateway.command()
@as_json
def faults(*, as_json: bool) -> None:
    """List every fault that can be played, one line each."""
    from thetawarden.practice.faults.catalogue import FAULTS  # noqa: PLC0415  # only here

    listed = sorted(FAULTS.values(), key=lambda each: (each.code, each.name))
    if as_json:
        print_json(
            [
                {"code": each.code, "name": each.name, "line": each.line, "args": each.knobs()}
                for each in listed
            ]
        )
        return
    for each in listed:
        knobs = " ".join(f"{name}={value}" for name, value in each.knobs().items())
        click.echo(f"{each.code:4} {each.name:26} {each.line}{f' [{knobs}]' if knobs else ''}")


@gateway.command()
@click.argument("name")
@click.option("--arg", "arguments", multiple=True, metavar="KEY=VALUE", help="As the list says.")
@click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True)
@as_json
def fault(*, name: str, arguments: tuple[str, ...], port: int, as_json: bool) -> None:
    """Play one fault now on a running practice gateway."""
    from thetawarden.practice.admin import Command, ask  # noqa: PLC0415

    given: dict[str, str | int | float | bool] = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not (key and equals):
            raise click.UsageError(f"--arg found {argument!r}; allowed: key=value")
        given[key] = value
    answer = asyncio.run(ask(Command(do="fault", name=name, args=given), port=port))
    if as_json:
        print_json(answer)
    else:
        click.echo(f"played {name} on port {port}")
