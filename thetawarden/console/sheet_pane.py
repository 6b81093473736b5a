"""A screen that is one table: positions, orders, risk, lines, a chain."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static
from typing_extensions import override

from thetawarden.console.grid import Grid, Row
from thetawarden.console.pane import Pane
from thetawarden.console.sources import Look, World
from thetawarden.console.worker import Worker


class SheetPane(Pane):
    """Shows what a look finds; `[` and `]` go through its choices."""

    BINDINGS = [  # noqa: RUF012  # as the library reads it
        Binding("left_square_bracket", "turn(-1)", "before", key_display="["),
        Binding("right_square_bracket", "turn(1)", "next", key_display="]"),
    ]

    def __init__(self, *, look: Look, world: World, worker: Worker) -> None:
        super().__init__(title=look.title, world=world, worker=worker)
        self._look = look
        self._words = Static("asking …", classes="title", markup=False)
        self._grid = Grid()
        self._choice = ""
        self._choices: tuple[str, ...] = ()

    @override
    def compose(self) -> ComposeResult:
        """What it is in words, then the table."""
        yield from (self._words, self._grid)

    @override
    async def look(self) -> None:
        """Ask for the table."""
        choice = self._choice
        sheet = await self.worker.do(lambda: self._look.show(self.world.eyes, choice))
        if choice != self._choice:
            return
        self._choices = sheet.choices
        self._words.update(sheet.words)
        rows = tuple(Row(str(number), cells) for number, cells in enumerate(sheet.rows))
        self._grid.show(rows, sheet.columns)

    @override
    def take_focus(self) -> None:
        """The table."""
        self.screen.set_focus(self._grid)

    def action_turn(self, by: int) -> None:
        """Another of its choices."""
        if not self._choices:
            return
        at = self._choices.index(self._choice) if self._choice in self._choices else 0
        self._choice = self._choices[(at + by) % len(self._choices)]
        self._words.update(f"{self._choice}: asking …")
        self.app.wake()  # type: ignore[attr-defined]
