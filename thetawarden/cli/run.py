"""`thetawarden run`: the supervisor process."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from thetawarden.cli.durations import duration_option
from thetawarden.cli.place import Place, on_place
from thetawarden.cli.signals import end_by_signal
from thetawarden.config.places import prepare_folder, store_folder
from thetawarden.config.schema import Config, Mode
from thetawarden.errors import EXIT_DONE, EXIT_HALTED

if TYPE_CHECKING:
    from thetawarden.cli.summary import Summary


@click.command()
@click.option("--mode", help="practice, paper or live.")
@click.option(
    "--for",
    "for_s",
    callback=duration_option,
    metavar="DURATION",
    help="End gracefully after this much real time, e.g. 90s.",
)
@click.option("--fresh", is_flag=True, help="Practice only: set the old store aside, begin anew.")
@on_place
def run(*, place: Place, mode: str | None, for_s: float | None, fresh: bool) -> int:
    """Run the desk until Ctrl-C, `thetawarden stop`, or --for has passed.

    Ctrl-C once stops it gracefully, twice at once. Exits 4 when it ends halted.
    """
    config = place.load({} if mode is None else {"mode": mode}).config
    if config.mode is not Mode.PRACTICE:
        words = "this version cannot connect to a broker yet; allowed: practice"
        raise click.UsageError(f"mode {config.mode} found; {words}")
    place.secrets()
    prepare_folder(place.data)
    folder = store_folder(place.data, mode=config.mode, account=config.broker.account)
    if fresh:
        _set_aside(folder)
    return _run(config, prepare_folder(folder), for_s)


def _run(config: Config, folder: Path, for_s: float | None) -> int:
    """Start from top to bottom; the end is the exact reverse, however far the start came."""
    from thetawarden.infra.control.server import ControlServer  # noqa: PLC0415  # heavy
    from thetawarden.infra.logs import start_logs  # noqa: PLC0415
    from thetawarden.operating import Operator  # noqa: PLC0415
    from thetawarden.process import DeskProcess  # noqa: PLC0415

    summary = _summary()
    process = DeskProcess(config, folder)
    with contextlib.ExitStack() as undo:
        end_by_signal(process.ended)
        process.take()
        undo.callback(process.give_back)
        stream = _standard_error() if summary is None else summary.log_stream
        undo.enter_context(start_logs(config.logs, stream=stream, folder=folder / "logs"))
        process.open()
        undo.callback(process.close)
        operator = Operator(process)
        server = ControlServer(
            operator,
            process.socket_path,
            max_request_bytes=config.control.max_request_kb * 1024,
            request_timeout_s=config.control.request_timeout_s,
        )
        server.start()
        undo.callback(server.stop)
        if summary is None:
            process.ended.wait(for_s)
        else:
            summary.show_until(process.ended, operator, for_s)
        process.ended.set()
        halted = operator.status().halt is not None
    if summary is not None:
        summary.say_goodbye()
    if process.exit_code != EXIT_DONE:
        return process.exit_code
    return EXIT_HALTED if halted else EXIT_DONE


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
