"""`thetawarden console`."""

from __future__ import annotations

import os
import select
import sys
import threading
from typing import TYPE_CHECKING

import click

from thetawarden.cli.place import Place, on_place
from thetawarden.errors import EXIT_DONE, EXIT_UNEXPECTED, UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

    from thetawarden.console.sources import Log, World
    from thetawarden.infra.control.client import ControlClient
    from thetawarden.messages.control import Done

LOOK_TIMEOUT_S = 5.0


@click.command()
@on_place
def console(*, place: Place) -> int:
    """Show the running desk on the whole terminal: actors, messages, book, and the brakes.

    Leaving it changes nothing; the desk goes on. Press ? in it for all keys.
    """
    if not _on_a_terminal():
        words = "the console needs a terminal and found none; use `thetawarden status --json`"
        raise click.UsageError(words)
    from thetawarden.console.app import Console  # noqa: PLC0415  # Textual is slow to load

    threading.Thread(target=_end_with_terminal, name="terminal", daemon=True).start()
    app = Console(world_of(place))
    app.run()
    return app.return_code or EXIT_DONE


def _end_with_terminal() -> None:
    """A terminal that is gone never comes back, and Textual would read its end for ever."""
    gone = select.poll()
    gone.register(sys.stdin, 0)  # of a hang-up one is always told
    gone.poll()
    os._exit(EXIT_UNEXPECTED)


def world_of(place: Place) -> World:
    """Return what the console sees and does, on the store in effect."""
    from thetawarden.cli.looks import LOOKS  # noqa: PLC0415
    from thetawarden.console.sources import World  # noqa: PLC0415
    from thetawarden.infra.control.client import ControlClient  # noqa: PLC0415

    store = place.store()
    return World(
        store=str(store),
        eyes=ControlClient(store, timeout_s=LOOK_TIMEOUT_S),
        hands=_Hands(place.desk(), place),
        open_log=lambda: _open_log(store / "log"),
        kinds=_kinds,
        looks=LOOKS,
    )


class _Hands:
    """The control client's, but that a halt is also raised where no desk answers."""

    def __init__(self, desk: ControlClient, place: Place) -> None:
        self._desk, self._place = desk, place
        self.resume = desk.resume
        self.restart, self.pause, self.unpause = desk.restart, desk.pause, desk.unpause

    def halt(self, reason: str) -> Done:
        """Halt by the desk, and by the flag file when it does not answer."""
        try:
            return self._desk.halt(reason)
        except UnreachableError:
            from thetawarden.cli.brakes import raise_flag_alone  # noqa: PLC0415
            from thetawarden.messages.control import Done  # noqa: PLC0415

            raise_flag_alone(self._place, reason)
            return Done(what="the halt flag is raised: no desk answers, the next one is halted")

    def flatten(self, reason: str, /) -> Done:
        """Halt, cancel everything and close all positions."""
        return self._desk.flatten(reason, "")


def _open_log(folder: Path) -> Log:
    from thetawarden.infra.journal.follow import Follower  # noqa: PLC0415  # slow to load

    return Follower(folder)


def _kinds() -> tuple[str, ...]:
    from thetawarden.messages.registry import KINDS  # noqa: PLC0415  # slow to load

    return tuple(KINDS)


def _on_a_terminal() -> bool:
    """Keys come from standard input; Textual draws on standard error."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)
