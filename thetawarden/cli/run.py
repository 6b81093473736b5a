"""`thetawarden run`: the supervisor process."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import click

from thetawarden.cli.place import Place, on_place
from thetawarden.config.places import prepare_folder, store_folder
from thetawarden.config.schema import Config
from thetawarden.errors import EXIT_DONE, EXIT_HALTED, EXIT_UNEXPECTED

_PART = re.compile(r"(\d+(?:\.\d+)?)(h|m|s|)")
_UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "": 1.0}


def duration_s(text: str) -> float:
    """Seconds in a text such as `90s`, `5m` or `1h30m`."""
    if not re.fullmatch(f"(?:{_PART.pattern})+", text):
        raise click.BadParameter(f"found {text!r}; allowed: a duration such as 90s, 5m or 1h30m")
    return sum(float(number) * _UNIT_S[unit] for number, unit in _PART.findall(text))


@click.command()
@click.option("--mode", help="practice, paper or live.")
@click.option(
    "--for",
    "for_s",
    callback=lambda _c, _p, text: None if text is None else duration_s(text),
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
    prepare_folder(place.data)
    folder = store_folder(place.data, mode=config.mode, account=config.broker.account)
    if fresh:
        _set_aside(folder, config)
    prepare_folder(folder)
    return _run(config, folder, for_s)


def _run(config: Config, folder: Path, for_s: float | None) -> int:
    from thetawarden.cli.summary import Summary  # noqa: PLC0415  # heavy, and only here
    from thetawarden.infra.control.server import ControlServer  # noqa: PLC0415
    from thetawarden.infra.logs import start_logs  # noqa: PLC0415
    from thetawarden.operating import Operator  # noqa: PLC0415
    from thetawarden.process import DeskProcess  # noqa: PLC0415

    summary = Summary() if sys.stdout.isatty() else None
    stream = sys.stderr if summary is None else summary.log_stream
    process = DeskProcess(config, folder)
    with start_logs(config.logs, stream=stream, folder=folder / "logs"):
        process.open()
        operator = Operator(process)
        limit = config.control.max_request_kb * 1024
        server = ControlServer(operator, process.socket_path, max_request_bytes=limit)
        server.start()
        try:
            with _signals(process.ended):
                if summary is None:
                    process.ended.wait(for_s)
                else:
                    summary.show_until(process.ended, operator, for_s)
            halted = operator.status().halt is not None
        finally:
            server.stop()
            process.close()
    if process.exit_code != EXIT_DONE:
        return process.exit_code
    return EXIT_HALTED if halted else EXIT_DONE


@contextlib.contextmanager
def _signals(ended: threading.Event) -> Iterator[None]:
    """The first signal ends the desk gracefully, the second at once; orders stay as they are."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if ended.is_set():
            os._exit(EXIT_UNEXPECTED if number == signal.SIGINT else 128 + number)
        ended.set()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, on_signal) for number in numbers}
    try:
        yield
    finally:
        ended.set()
        del before  # the handlers stay: a second signal during the stop is the fast way out


def _set_aside(folder: Path, config: Config) -> None:
    from thetawarden.infra.store_lock import StoreLock  # noqa: PLC0415

    if config.mode != "practice":
        raise click.UsageError(f"--fresh found with mode {config.mode}; allowed in practice only")
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
