"""Asks before anything is done: what will happen, the person's reason, and a word where it counts.

Escape always leads out with nothing done. What is asked is fixed when the dialog opens: a resume
lifts the halt that was shown, never a later one.
"""

from __future__ import annotations

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static
from typing_extensions import override

REASON_LENGTH_MAX = 500


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked; `word`, unless empty, must be typed besides a reason."""

    title: str
    words: str
    word: str = ""


class Confirm(ModalScreen[str | None]):
    """Gives the reason when the person confirmed, None when not."""

    BINDINGS = [Binding("escape", "leave", "leave", show=False)]  # noqa: RUF012  # as it is read

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question

    @override
    def compose(self) -> ComposeResult:
        """Words and fields."""
        asked = self._question
        with Vertical(id="dialog"):
            yield Label(asked.title, id="dialog-title", markup=False)
            yield Static(asked.words, markup=False)
            if asked.word:
                yield Label(f"Type {asked.word} to mean it:", markup=False)
                yield Input(id="word", compact=True)
            yield Label("Why (kept in the message log):", markup=False)
            yield Input(id="reason", compact=True, max_length=REASON_LENGTH_MAX)
            yield Static("Enter does it, Escape leaves", id="dialog-hint", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do it when all is said; else go to what is missing."""
        event.stop()
        asked = self._question
        if asked.word and self.query_one("#word", Input).value.strip() != asked.word:
            self._demand("word", f"Type {asked.word}, or Escape to leave")
            return
        reason = self.query_one("#reason", Input).value.strip()
        if not reason:
            self._demand("reason", "A reason is needed, or Escape to leave")
            return
        self.dismiss(reason)

    def action_leave(self) -> None:
        """Nothing is done."""
        self.dismiss(None)

    def _demand(self, field: str, words: str) -> None:
        self.query_one(f"#{field}", Input).focus()
        self.query_one("#dialog-hint", Static).update(words)


HELP = """\
1-9        screens            Tab    next field
up, down   a row (also j, k)  left, right  scroll
Home, End  first, last        Enter  open: state, message
[ ]        another underlying or part, where there are several

h   halt                      r   resume, naming the halt
F   flatten: cancel all, close all positions
On an actor:   R restart   P pause   U let go on
In messages:   / filter   Space hold   f follow the end
q   leave the console; the desk goes on

Every action asks for a reason first. Escape leaves."""


class Help(ModalScreen[None]):
    """All keys."""

    BINDINGS = [Binding("escape,q,question_mark,enter", "dismiss", show=False)]  # noqa: RUF012

    @override
    def compose(self) -> ComposeResult:
        """One page."""
        with Vertical(id="dialog"):
            yield Label("Keys", id="dialog-title")
            yield Static(HELP, markup=False)
