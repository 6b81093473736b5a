"""The tree of actors: groups as they are restarted, and each actor's health."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from typing_extensions import override

from thetawarden.console.grid import Column, Grid, Row
from thetawarden.console.pane import Pane
from thetawarden.console.sources import World
from thetawarden.console.words import AILING_STYLE, STATE_STYLES, actor_cells
from thetawarden.console.worker import Worker
from thetawarden.messages.control import ActorView

COLUMNS = (
    Column("actor", width=18),
    Column("state", width=10),
    Column("inc", right=True, width=4),
    Column("rest", right=True, width=4),
    Column("c/o/t/m", right=True, width=9),
    Column("handled", right=True, width=11),
    Column("msg/s", right=True, width=7),
    Column("p99 us", right=True, width=8),
)


class ActorsPane(Pane):
    """Every actor; Enter opens its state."""

    BINDINGS = [  # noqa: RUF012  # as the library reads it
        Binding("R", "app.act('restart')", "restart"),
        Binding("P", "app.act('pause')", "pause"),
        Binding("U", "app.act('unpause')", "go on"),
    ]

    def __init__(self, *, title: str, world: World, worker: Worker) -> None:
        super().__init__(title=title, world=world, worker=worker)
        self._grid = Grid(COLUMNS, grid_id="actors")

    @override
    def compose(self) -> ComposeResult:
        """One table."""
        yield self._grid

    @override
    async def look(self) -> None:
        """Ask for all actors."""
        seen = await self.worker.do(self.world.eyes.inspect)
        self._grid.show(actor_rows(seen.actors))

    @override
    def take_focus(self) -> None:
        """The table."""
        self.screen.set_focus(self._grid)

    @property
    def actor(self) -> str | None:
        """The actor under the cursor."""
        row = self._grid.chosen
        return None if row is None else row.key


def actor_rows(actors: Sequence[ActorView]) -> tuple[Row, ...]:
    """Return the actors below the groups they are in, in start order."""
    return tuple(_rows(actors))


def _rows(actors: Sequence[ActorView]) -> Iterable[Row]:
    groups = dict.fromkeys(actor.group for actor in actors)
    for group in groups:
        members = [actor for actor in actors if actor.group == group]
        alone = [actor.name for actor in members] == [group]
        if group and not alone:
            yield Row(f"group {group}", (group,), "bold cyan", heading=True)
        for number, actor in enumerate(members, 1):
            branch = "" if alone or not group else "└ " if number == len(members) else "├ "
            style = STATE_STYLES.get(actor.state, AILING_STYLE)
            yield Row(actor.name, actor_cells(actor, indent=branch), style)
