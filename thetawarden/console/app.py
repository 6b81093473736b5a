"""The console itself: a bar that never lies, screens that are looked up while seen, the brakes.

Draws at most a few times a second however much is said, and asks the desk only for what is on the
screen. Without an answer it says so and keeps asking; what was seen before is marked as old.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.events import Click
from textual.widgets import ContentSwitcher, Footer, Static
from typing_extensions import override

from thetawarden.config.problems import one_line
from thetawarden.console.actor_screen import ActorScreen
from thetawarden.console.actors_pane import ActorsPane
from thetawarden.console.dialogs import Confirm, Help, Question
from thetawarden.console.grid import Grid
from thetawarden.console.message_screen import MessageScreen
from thetawarden.console.messages_pane import MessagesPane
from thetawarden.console.pane import Pane
from thetawarden.console.sheet_pane import SheetPane
from thetawarden.console.sources import Log, World
from thetawarden.console.words import alarm_words, bar_words
from thetawarden.console.worker import Worker
from thetawarden.errors import ThetawardenError
from thetawarden.messages.control import Done, Status

STATUS_EVERY_S = 1.0
TIMES_LONGER = 10  # than it took to ask: a slow desk is asked less often
PAUSE_MAX_S = 10.0
NOTICE_S = 6.0
_ACTS = {"restart": "Restart", "pause": "Pause", "unpause": "Let go on"}


class Console(App[None]):
    """The whole screen."""

    CSS_PATH = "console.tcss"
    TITLE = "Thetawarden"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[Any]] = [
        Binding("h", "halt", "halt"),
        Binding("r", "resume", "resume"),
        Binding("F", "flatten", "flatten"),
        Binding("question_mark", "help", "keys", key_display="?"),
        Binding("q", "quit", "leave"),
        *(Binding(str(number), f"see({number})", show=False) for number in range(1, 10)),
    ]

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self._asking, self._acting, self._reading = map(Worker, ("asking", "acting", "reading"))
        self._status: Status | None = None
        self._wake = asyncio.Event()
        self._panes: tuple[Pane, ...] = (
            ActorsPane(title="Actors", world=world, worker=self._asking),
            MessagesPane(title="Messages", world=world, worker=self._reading),
            *(SheetPane(look=look, world=world, worker=self._asking) for look in world.looks),
        )
        self._seen = self._panes[0]
        # kept by hand: a look that comes back while the screen is being taken down still finds them
        self._bar = Static(f"asking {world.store} …", id="bar", markup=False)
        self._alarm = Static(id="alarm", markup=False)
        self._tabs = Static(id="tabs", markup=False)

    @override
    def compose(self) -> ComposeResult:
        """The bar, the alarm, the screens' names, a screen, the keys."""
        yield from (self._bar, self._alarm, self._tabs)
        with ContentSwitcher(initial=self._seen.id):
            yield from self._panes
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to look."""
        self._draw_tabs()
        self._seen.take_focus()
        self.run_worker(self._watch_status())
        self.run_worker(self._watch_pane())

    def wake(self) -> None:
        """Look at the screen that is seen now, not later."""
        self._wake.set()

    def action_see(self, number: int) -> None:
        """Go to a screen."""
        if not 1 <= number <= len(self._panes) or len(self.screen_stack) > 1:
            return
        self._seen = self._panes[number - 1]
        self.query_one(ContentSwitcher).current = self._seen.id
        self._draw_tabs()
        self._seen.take_focus()
        self.wake()

    def action_help(self) -> None:
        """Show all keys."""
        self.push_screen(Help())

    def action_halt(self) -> None:
        """Ask, then halt."""
        words = "No new risk is taken and entries are cancelled. Exits and protection stay."
        question = Question(title="Halt trading now?", words=words)
        self._ask(question, self._world.hands.halt)

    def action_resume(self) -> None:
        """Ask, then lift the halt that is shown."""
        halt = None if self._status is None else self._status.halt
        if halt is None:
            self.notify("no halt is in force as far as is known", timeout=NOTICE_S)
            return
        question = Question(
            title=f"Lift halt {halt.epoch}?",
            words=f"By {halt.by} at {halt.at}: {halt.reason}",
            word=str(halt.epoch),
        )
        self._ask(question, lambda reason: self._world.hands.resume(reason, halt.epoch))

    def action_flatten(self) -> None:
        """Ask, then flatten."""
        words = "All working orders are cancelled, ALL POSITIONS ARE CLOSED, trading is halted."
        question = Question(title="Flatten the book?", words=words, word="FLATTEN")
        self._ask(question, self._world.hands.flatten)

    def action_act(self, what: str) -> None:
        """Ask, then restart or pause an actor, or let it go on."""
        screen = self.screen
        actor = screen.actor if isinstance(screen, ActorScreen) else self._actor_under_cursor()
        if actor is None:
            return
        act: Callable[[str, str], Done] = getattr(self._world.hands, what)
        question = Question(title=f"{_ACTS[what]}: {actor}?", words=_ACT_WORDS[what])
        self._ask(question, lambda reason: act(actor, reason))

    def on_grid_chosen(self, event: Grid.Chosen) -> None:
        """Open an actor."""
        if event.grid.id == "actors":
            screen = ActorScreen(actor=event.row.key, world=self._world, worker=self._asking)
            self.push_screen(screen)

    def open_message(self, seq: int, open_log: Callable[[], Log]) -> None:
        """Open a message with its causes."""
        self.push_screen(MessageScreen(seq=seq, open_log=open_log, worker=self._reading))

    def on_click(self, event: Click) -> None:
        """A click on a screen's name goes there."""
        if event.widget is self._tabs:
            left = 0
            for number, name in enumerate(_tab_names(self._panes), 1):
                left += len(name) + 1
                if event.x < left:
                    self.action_see(number)
                    return

    def _actor_under_cursor(self) -> str | None:
        return self._seen.actor if isinstance(self._seen, ActorsPane) else None

    def _ask(self, question: Question, act: Callable[[str], Done]) -> None:
        def answered(reason: str | None) -> None:
            if reason is not None:
                self.run_worker(self._act(act, reason))

        self.push_screen(Confirm(question), answered)

    async def _act(self, act: Callable[[str], Done], reason: str) -> None:
        try:
            done = await self._acting.do(lambda: act(reason))
        except ThetawardenError as error:
            self.notify(str(error), severity="error", timeout=2 * NOTICE_S, markup=False)
        else:
            epoch = "" if done.halt is None else f" (epoch {done.halt.epoch})"
            self.notify(done.what + epoch, timeout=NOTICE_S, markup=False)
        await self._look_at_status()
        self.wake()

    async def _watch_status(self) -> None:
        while True:
            began = time.monotonic()
            await self._look_at_status()
            await asyncio.sleep(_pause(STATUS_EVERY_S, time.monotonic() - began))

    async def _look_at_status(self) -> None:
        try:
            status = await self._asking.do(self._world.eyes.status)
        except ThetawardenError as error:
            self._say(str(error), "no answer; what is shown below is old", "gone")
            return
        self._status = status
        if status.halt is not None:
            look = "halted"
        else:
            look = "ailing" if status.ailments or status.entries_frozen else "well"
        self._say(bar_words(status), alarm_words(status), look)

    async def _watch_pane(self) -> None:
        while True:
            began, pane = time.monotonic(), self._seen
            self._wake.clear()
            if len(self.screen_stack) == 1:
                try:
                    await pane.look()
                except ThetawardenError as error:
                    self._complain(str(error))
                except Exception as error:  # noqa: BLE001  # one screen's fault leaves the brakes
                    words = f"{pane.title} cannot be shown: {type(error).__name__}: {error}"
                    self._complain(one_line(words, 300))
            pause = _pause(pane.every_s, time.monotonic() - began)
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue

    def _say(self, bar: str, alarm: str, look: str) -> None:
        self._bar.update(f"THETAWARDEN {bar}")
        self._alarm.update(alarm)
        self._alarm.set_classes(look)

    def _complain(self, words: str) -> None:
        """Say what is wrong with what is shown; the next look at the desk may say more."""
        self._alarm.update(words)

    def _draw_tabs(self) -> None:
        names = _tab_names(self._panes)
        at = self._panes.index(self._seen)
        text = [
            (f"{name} ", "reverse" if number == at else "") for number, name in enumerate(names)
        ]
        self._tabs.update(Text.assemble(*text))


_ACT_WORDS = {
    "restart": "It is stopped and comes back with the state it had; its group may go with it.",
    "pause": "It takes control messages only; everything else waits for it.",
    "unpause": "It takes up what has waited.",
}


def _tab_names(panes: tuple[Pane, ...]) -> list[str]:
    return [f"{number} {pane.title}" for number, pane in enumerate(panes, 1)]


def _pause(every_s: float, took_s: float) -> float:
    return min(max(every_s, TIMES_LONGER * took_s), max(every_s, PAUSE_MAX_S))
