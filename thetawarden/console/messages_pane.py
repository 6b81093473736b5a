"""The message tail: what is being said, filtered where it is read, and never more than fits.

Of a flood the latest are shown and the others counted; the log has them all.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Input, Label, Static
from typing_extensions import override

from thetawarden.console.grid import Column, Grid, Row
from thetawarden.console.pane import Pane
from thetawarden.console.sources import Log, World
from thetawarden.console.words import body_words, clock_words
from thetawarden.console.worker import Worker
from thetawarden.messages.base import Envelope, Message

if TYPE_CHECKING:
    from thetawarden.infra.journal.follow import Batch

KEPT = 1000
A_LOOK_MAX = 100
BODY_CHARS_MAX = 400
COLUMNS = (
    Column("seq", right=True, width=9),
    Column("time", width=12),
    Column("sender", width=13),
    Column("type", width=20),
    Column("what"),
)


class MessagesPane(Pane):
    """Follows the log; Enter opens a message with its causes."""

    every_s = 0.25
    BINDINGS = [  # noqa: RUF012  # as the library reads it
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("space", "hold", "hold"),
        Binding("f", "follow", "follow"),
        Binding("escape", "leave_filter", "back", show=False),
    ]

    def __init__(self, *, title: str, world: World, worker: Worker) -> None:
        super().__init__(title=title, world=world, worker=worker)
        self._grid = Grid(COLUMNS, follows=True, grid_id="messages")
        self._following = Static(id="following", markup=False)
        self._log: Log | None = None
        self._kept: deque[Row] = deque(maxlen=KEPT)
        self._last_seq = 0
        self._skipped = 0
        self._held = False
        self._kind = self._sender = ""

    @override
    def compose(self) -> ComposeResult:
        """Filters, what they do, and the messages."""
        with Horizontal(id="filters"):
            yield Label("type ")
            yield Input(id="kind", compact=True, placeholder="any, or a part")
            yield Label(" sender ")
            yield Input(id="sender", compact=True, placeholder="any, or a part")
            yield self._following
        yield self._grid

    @override
    async def look(self) -> None:
        """Read what is new."""
        if self._held:
            return
        kind, sender = self._kind, self._sender
        batch = await self.worker.do(lambda: self._read(kind, sender))
        if (kind, sender) != (self._kind, self._sender):
            return  # asked for something else meanwhile
        self._last_seq = batch.last_seq
        self._skipped += batch.skipped
        self._kept.extend(message_row(envelope) for envelope in batch.messages)
        self._grid.show(tuple(self._kept))
        self._say_where()

    @override
    def take_focus(self) -> None:
        """The messages."""
        self.screen.set_focus(self._grid)

    def action_filter(self) -> None:
        """Go to the filters."""
        self.screen.set_focus(self.query_one("#kind", Input))
        self._say_where()

    def action_leave_filter(self) -> None:
        """Go back to the messages."""
        self.take_focus()

    def action_hold(self) -> None:
        """Read nothing new until asked to go on."""
        self._held = not self._held
        self._say_where()

    def action_follow(self) -> None:
        """Go to the end and stay there."""
        self._held = False
        self._grid.action_last()
        self._say_where()

    def on_input_changed(self, _event: Input.Changed) -> None:
        """Begin anew with the other filter."""
        wanted = tuple(self.query_one(f"#{name}", Input).value.strip() for name in _FILTERS)
        if wanted == (self._kind, self._sender):
            return
        self._kind, self._sender = wanted
        self._kept.clear()
        self._last_seq = self._skipped = 0
        self._grid.following = True
        self._grid.show(())

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Enter in a filter leads back to the messages."""
        self.take_focus()

    def on_grid_chosen(self, event: Grid.Chosen) -> None:
        """Open a message."""
        event.stop()
        self.app.open_message(int(event.row.key), self.opened)  # type: ignore[attr-defined]

    def opened(self) -> Log:
        """The log, opened when it is first asked for; on the worker's thread."""
        if self._log is None:
            self._log = self.world.open_log()
        return self._log

    def _read(self, kind: str, sender: str) -> Batch:
        from thetawarden.infra.journal.reader import Wanted  # noqa: PLC0415  # slow to load

        log = self.opened()
        kinds = None
        if kind:
            kinds = tuple(name for name in self.world.kinds() if kind.lower() in name.lower())
        wanted = Wanted(kinds=kinds, sender_like=sender or None, after_seq=self._last_seq)
        return log.read(wanted, limit=KEPT if not self._last_seq else A_LOOK_MAX)

    def _say_where(self) -> None:
        state = "held" if self._held else "following" if self._grid.following else "at rest"
        if isinstance(self.app.focused, Input):
            state = "Enter when done"
        passed = f", {self._skipped:,} not shown" if self._skipped else ""
        self._following.update(f" {state}{passed}")


_FILTERS = ("kind", "sender")


def message_row(envelope: Envelope[Message]) -> Row:
    """Return a message as a row of the tail."""
    kind = type(envelope.body).__name__
    return Row(
        str(envelope.seq),
        (
            str(envelope.seq),
            clock_words(envelope.at_ns),
            envelope.sender,
            kind,
            body_words(envelope.body, BODY_CHARS_MAX),
        ),
        _STYLE_OF.get(kind, ""),
    )


_STYLE_OF = {
    **dict.fromkeys(("Halt", "TradingHalted", "AlertRaised", "ActorEnded", "OrderRefused"), "red"),
    **dict.fromkeys(("Resume", "TradingResumed", "OrderApproved"), "green"),
}
