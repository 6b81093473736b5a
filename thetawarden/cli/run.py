"""`thetawarden run`: the supervisor process."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from thetawarden.cli.afar import require_token, take_commands
from thetawarden.cli.beside import open_guarded
from thetawarden.cli.durations import duration_option
from thetawarden.cli.place import Place, on_place
from thetawarden.cli.signals import heed_signals
from thetawarden.config.places import prepare_folder, store_folder
from thetawarden.config.schema import Config, Mode
from thetawarden.errors import EXIT_DONE, EXIT_HALTED, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from thetawarden.cli.summary import Summary
    from thetawarden.config.loader import Loaded
    from thetawarden.config.secrets import Secret
    from thetawarden.infra.gateway_process import GatewayProcess
    from thetawarden.operating import Operator
    from thetawarden.process import DeskProcess


_KEYS = {
    "mode": "mode",
    "speed": "practice.speed",
    "seed": "practice.seed",
    "scenario": "practice.scenario",
    "start": "practice.start",
}


@click.command()
@click.option("--mode", help="practice, paper or live.")
@click.option(
    "--for",
    "for_s",
    callback=duration_option,
    metavar="DURATION",
    help="End gracefully after this much real time, e.g. 90s.",
)
@click.option("--speed", help="Practice: market seconds a real second (default 60).")
@click.option("--seed", help="Practice: which market; the same seed gives the same one.")
@click.option("--scenario", help="Practice: normal, selloff, ... or a CSV of daily closes.")
@click.option("--start", metavar="YYYY-MM-DD", help="Practice: the first session.")
@click.option(
    "--account", default="", help="Live: the account, spelled again as in the configuration."
)
@click.option("--fresh", is_flag=True, help="Practice only: set the old store aside, begin anew.")
@on_place
def run(*, place: Place, for_s: float | None, fresh: bool, account: str, **keys: str | None) -> int:
    """Run the desk until Ctrl-C, `thetawarden stop`, or --for has passed.

    Ctrl-C once stops it gracefully, twice at once. Exits 4 when it ends halted.
    """
    loaded = place.load({_KEYS[name]: text for name, text in keys.items() if text is not None})
    config = loaded.config
    require_account(config, account)
    secrets = place.secrets()
    require_token(config, secrets)
    prepare_folder(place.data)
    folder = store_folder(place.data, mode=config.mode, account=config.broker.account)
    if fresh:
        _set_aside(folder)
    market = _market_options(loaded)
    store = prepare_folder(folder)
    return _run(config, store, for_s, market=market, secrets=secrets, account=account, place=place)


def require_account(config: Config, account: str) -> None:
    """Real money is asked for twice: in the configuration and here."""
    if config.mode is not Mode.LIVE and account:
        raise click.UsageError(
            f"--account found in mode {config.mode}; it is for mode live alone: leave it out"
        )
    if config.mode is Mode.LIVE and account != config.broker.account:
        found = "no --account" if not account else "another account in --account"
        raise RefusedError(
            f"mode live: found {found}; allowed: the one of broker.account in the configuration,"
            " spelled again. Real money is asked for twice: give --account, or run --mode paper"
        )


def _market_options(loaded: Loaded) -> list[str]:
    """What the gateway is told: the speed, and whatever a person chose of the market itself."""
    practice = loaded.config.practice
    options = ["--speed", f"{practice.speed:g}"]
    if not practice.start:
        options += ["--begin", f"{practice.begin:%H:%M}"]
    chosen = {"seed": str(practice.seed), "scenario": practice.scenario, "start": practice.start}
    for name, text in chosen.items():
        if loaded.origins[f"practice.{name}"].source != "default" and text:
            options += [f"--{name}", text]
    return options


def _run(
    config: Config,
    folder: Path,
    for_s: float | None,
    *,
    market: list[str],
    secrets: Mapping[str, Secret],
    account: str,
    place: Place,
) -> int:
    """Start from top to bottom; the end is the exact reverse, however far the start came."""
    from thetawarden.infra.control.server import ControlServer  # noqa: PLC0415  # heavy
    from thetawarden.infra.logs import start_logs  # noqa: PLC0415
    from thetawarden.operating import Operator  # noqa: PLC0415

    summary = _summary()
    process = _desk_process(config, folder, secrets, account=account)
    with contextlib.ExitStack() as undo:
        heed_signals(process)
        process.take()
        undo.callback(process.give_back)
        stream = _standard_error() if summary is None else summary.log_stream
        undo.enter_context(start_logs(config.logs, stream=stream, folder=folder / "logs"))
        gateway = _own_gateway(config, folder, market, undo)
        _reach(process, config, gateway, undo)
        open_guarded(process, place, gateway, undo)
        operator = Operator(process)
        server = ControlServer(
            operator,
            process.socket_path,
            max_request_bytes=config.control.max_request_kb * 1024,
            request_timeout_s=config.control.request_timeout_s,
        )
        server.start()
        undo.callback(server.stop)
        take_commands(config, operator, secrets, undo)
        _show_figures(process, operator, undo)
        _tell_manager(process, undo)
        if summary is None:
            process.ended.wait(for_s)
        else:
            summary.show_until(process.ended, operator, for_s)
        process.ended.set()
        halted = operator.is_halted()
    if summary is not None:
        summary.say_goodbye()
    return process.exit_code or (EXIT_HALTED if halted else EXIT_DONE)


def _own_gateway(
    config: Config, folder: Path, market: list[str], undo: contextlib.ExitStack
) -> GatewayProcess | None:
    """The practice market this desk brings along, on its way up; it goes when the desk does."""
    if config.mode is not Mode.PRACTICE or not config.practice.gateway:
        return None
    from thetawarden.infra.gateway_process import GatewayProcess  # noqa: PLC0415  # heavy

    gateway = GatewayProcess(market, state=folder / "gateway")
    undo.callback(gateway.stop)
    gateway.start()
    return gateway


def _desk_process(
    config: Config, folder: Path, secrets: Mapping[str, Secret], *, account: str
) -> DeskProcess:
    """The desk, with the channels by which it tells a person; apprise is loaded for these only."""
    from thetawarden.process import DeskProcess  # noqa: PLC0415  # heavy

    names = config.alerts.channels()
    if not names:
        return DeskProcess(config, folder, secrets=secrets, account=account)
    from thetawarden.infra.alerts.channels import open_channels  # noqa: PLC0415  # heavy

    channels = open_channels(names, secrets=secrets, timeout_s=config.alerts.timeout_s)
    return DeskProcess(config, folder, secrets=secrets, channels=channels, account=account)


def _show_figures(process: DeskProcess, operator: Operator, undo: contextlib.ExitStack) -> None:
    """Let a monitoring system read figures, where that is wanted."""
    settings = process.config.metrics
    if not settings.port:
        return
    from thetawarden.infra.metrics import MetricsServer  # noqa: PLC0415  # heavy, and only here
    from thetawarden.measuring import Measures  # noqa: PLC0415

    measures = Measures(process, operator)
    server = MetricsServer(measures.look, port=settings.port, refresh_s=settings.refresh_s)
    server.start()
    undo.callback(server.stop)


def _tell_manager(process: DeskProcess, undo: contextlib.ExitStack) -> None:
    """Let the service manager know that the desk is up, that it lives, and when it ends."""
    from thetawarden.infra.service_manager import ServiceManager  # noqa: PLC0415

    manager = ServiceManager(os.environ)
    process.on_heartbeat.append(manager.alive)
    manager.ready(f"mode {process.config.mode}, store {process.store}")
    undo.callback(manager.stopping)


def _reach(
    process: DeskProcess,
    config: Config,
    gateway: GatewayProcess | None,
    undo: contextlib.ExitStack,
) -> None:
    """Tell the desk where its broker is, and whose time it lives in."""
    from thetawarden.infra.practice_clock import PracticeClock, ask_gateway  # noqa: PLC0415

    if (port := _practice_port(config, gateway)) is not None:
        clock = PracticeClock(lambda: ask_gateway(port))
        clock.start()
        undo.callback(clock.stop)
        process.follow(clock)
        process.reach("127.0.0.1", port)
    elif config.mode is not Mode.PRACTICE:
        process.reach(config.broker.host, config.broker.port)


def _practice_port(config: Config, gateway: GatewayProcess | None) -> int | None:
    """Where the practice market is: our own gateway, one that runs already, or nowhere."""
    if gateway is not None:
        return gateway.port
    return config.practice.port or None if config.mode is Mode.PRACTICE else None


def _summary() -> Summary | None:
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    from thetawarden.cli.summary import Summary  # noqa: PLC0415  # heavy, and only here

    return Summary()


def _standard_error() -> TextIO:
    """Where log lines go; nowhere when standard error was closed."""
    return sys.stderr or Path(os.devnull).open("w")


def _set_aside(folder: Path) -> None:
    from thetawarden.infra.store_lock import StoreLock  # noqa: PLC0415

    if not folder.is_dir():
        return
    lock = StoreLock(folder)
    lock.acquire()
    number = 1
    while (aside := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    folder.rename(aside)
    lock.release()
    click.echo(f"the old store is kept as {aside}", err=True)
