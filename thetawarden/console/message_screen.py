"""One message whole: what it says, what it was said because of, and what was said because of it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static
from typing_extensions import override

from thetawarden.console.grid import Column, Grid, Row
from thetawarden.console.sources import Log
from thetawarden.console.words import body_words, clock_words
from thetawarden.console.worker import Worker
from thetawarden.errors import ThetawardenError
from thetawarden.messages.base import Envelope, Message

COLUMNS = (
    Column("", width=7),
    Column("seq", right=True, width=9),
    Column("time", width=12),
    Column("sender", width=13),
    Column("type", width=22),
    Column("what"),
)
BODY_CHARS_MAX = 200_000
WORDS_CHARS_MAX = 200


class MessageScreen(Screen[None]):
    """A message with its causes and answers; Enter goes to one of them, Escape back."""

    BINDINGS = [  # noqa: RUF012  # as the library reads it
        Binding("escape,backspace", "back", "back"),
        Binding("tab", "app.focus_next", "what it says / causes"),
    ]

    def __init__(self, *, seq: int, open_log: Callable[[], Log], worker: Worker) -> None:
        super().__init__()
        self._trail = [seq]
        self._open_log, self._worker = open_log, worker
        self._title = Static(id="message-title", classes="title", markup=False)
        self._grid = Grid(COLUMNS, grid_id="chain")
        self._body = Static(id="body", markup=False)

    @override
    def compose(self) -> ComposeResult:
        """Title, the chain, the body."""
        yield from (self._title, self._grid)
        with VerticalScroll(id="message-body", can_focus=True):
            yield self._body
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Read it."""
        self._grid.focus()
        self._open(self._trail[-1])

    def action_back(self) -> None:
        """The message that was open before, or the screen before."""
        self._trail.pop()
        if self._trail:
            self._open(self._trail[-1])
        else:
            self.dismiss()

    def on_grid_chosen(self, event: Grid.Chosen) -> None:
        """Go to a cause or an answer."""
        event.stop()
        seq = int(event.row.key)
        if seq != self._trail[-1]:
            self._trail.append(seq)
            self._open(seq)

    def _open(self, seq: int) -> None:
        self._title.update(f"message {seq}: reading …")
        self.run_worker(self._read(seq), exclusive=True)

    async def _read(self, seq: int) -> None:
        def read() -> tuple[tuple[Envelope[Message], ...], tuple[Envelope[Message], ...]]:
            log = self._open_log()
            return log.causes(seq), log.answers(seq)

        try:
            causes, answers = await self._worker.do(read)
        except ThetawardenError as error:
            self._title.update(str(error))
            return
        if not causes:
            self._title.update(f"message {seq} is not in the log")
            return
        self._show(causes, answers)

    def _show(
        self, causes: tuple[Envelope[Message], ...], answers: tuple[Envelope[Message], ...]
    ) -> None:
        message = causes[0]
        kind = type(message.body).__name__
        self._title.update(
            f"{kind} {message.seq}, said by {message.sender} (incarnation {message.incarnation})"
            f" at {clock_words(message.at_ns)} UTC"
        )
        rows = [
            *(_row("because", each) for each in reversed(causes[1:])),
            _row("this", message, style="bold"),
            *(_row("then", each) for each in answers),
        ]
        self._grid.show(())
        self._grid.show(rows)
        self._grid.go_to(str(message.seq))
        self._body.update(body_text(message.body))
        if isinstance(around := self._body.parent, VerticalScroll):
            around.scroll_home(animate=False)


def _row(why: str, envelope: Envelope[Message], style: str = "") -> Row:
    return Row(
        str(envelope.seq),
        (
            why,
            str(envelope.seq),
            clock_words(envelope.at_ns),
            envelope.sender,
            type(envelope.body).__name__,
            body_words(envelope.body, WORDS_CHARS_MAX),
        ),
        style,
    )


def body_text(body: Message) -> str:
    """Return all that a message says, as far as a person may want to scroll."""
    plain = msgspec.to_builtins(body.shown(), enc_hook=repr, str_keys=True)
    text = msgspec.json.format(msgspec.json.encode(plain), indent=2).decode()
    if len(text) <= BODY_CHARS_MAX:
        return text
    return text[:BODY_CHARS_MAX] + f"\n… {len(text) - BODY_CHARS_MAX:,} characters more"
