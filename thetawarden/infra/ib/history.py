"""Fetches daily bars: few at a time, never the same twice at once, each with a word when none came.

The broker limits how much history may be asked for at a time; its refusal for asking too fast slows
the session down, and the question is put once more. A session that is not over yet is left to the
asker to drop: the broker sends it as it stands.
"""

from __future__ import annotations

import asyncio
import datetime as dt

import ib_async

from thetawarden.domain.broker.bars import BarsOf, DailyBar
from thetawarden.domain.instants import new_york_date
from thetawarden.infra.ib.answers import Failed, Failure
from thetawarden.infra.ib.pacing import Priority
from thetawarden.infra.ib.session import Listener, Session
from thetawarden.infra.ib.translate import contract_of, daily_bar_of
from thetawarden.messages.base import Message
from thetawarden.messages.market import FetchHistory, HistoryFetched
from thetawarden.ports import Clock, DeskPort

AT_ONCE_MAX = 4
DAYS_IN_DAYS_MAX = 365
PACING = 162
SHOWN = {BarsOf.TRADES: "TRADES", BarsOf.IMPLIED_VOLATILITY: "OPTION_IMPLIED_VOLATILITY"}
NO_BARS = "the broker has no bars in this span"


class HistoryHandler:
    """Answers every `FetchHistory` with exactly one `HistoryFetched`, unless the link is lost."""

    commands: tuple[type[Message], ...] = (FetchHistory,)

    def __init__(
        self,
        session: Session,
        desk: DeskPort,
        *,
        clock: Clock,
        timeout_s: float = 60.0,
        again_after_s: float = 15.0,
    ) -> None:
        self.listener = Listener()
        self._session = session
        self._desk = desk
        self._clock = clock
        self._timeout_s = timeout_s
        self._again_after_s = again_after_s
        self._slots = asyncio.Semaphore(AT_ONCE_MAX)
        self._running: set[tuple[int, int, BarsOf]] = set()

    async def perform(self, message: Message) -> None:
        """Fetch and say what came; what is being fetched already is not asked for again."""
        if not isinstance(message, FetchHistory):
            return
        key = (self._session.epoch, message.instrument.conid, message.what)
        if key in self._running:
            return
        self._running.add(key)
        try:
            async with self._slots:
                answer = await self._fetch(message)
        finally:
            self._running.discard(key)
        if answer is not None:
            self._desk.say(answer)

    async def _fetch(self, message: FetchHistory) -> HistoryFetched | None:
        today = new_york_date(self._clock.now_ns())
        days = max(1, (today - message.since).days + 1)
        answer = await self._ask(message, days)
        if isinstance(answer, Failed) and answer.code == PACING and "pacing" in answer.words:
            await asyncio.sleep(self._again_after_s)
            answer = await self._ask(message, days)
        if isinstance(answer, Failed):
            if answer.why in (Failure.NO_LINK, Failure.LINK_LOST):
                return None
            return _answer(message, (), _words(answer))
        bars = tuple(
            bar for bar in map(daily_bar_of, answer) if bar is not None and bar.day >= message.since
        )
        words = "" if bars else NO_BARS
        return _answer(message, _ordered(bars), words)

    async def _ask(self, message: FetchHistory, days: int) -> list[ib_async.BarData] | Failed:
        contract = contract_of(message.instrument)
        return await self._session.ask(
            lambda ib: ib.reqHistoricalDataAsync(
                contract,
                endDateTime="",
                durationStr=span_of(days),
                barSizeSetting="1 day",
                whatToShow=SHOWN[message.what],
                useRTH=True,
                formatDate=1,
                timeout=0,  # ours covers it, and tells an empty answer from none
            ),
            priority=Priority.HISTORY,
            timeout_s=self._timeout_s,
        )


def _answer(asked: FetchHistory, bars: tuple[DailyBar, ...], words: str) -> HistoryFetched:
    return HistoryFetched(instrument=asked.instrument, bars=bars, words=words, what=asked.what)


def span_of(days: int) -> str:
    """Return how the broker wants a number of days to be written: beyond a year, in years."""
    if days <= DAYS_IN_DAYS_MAX:
        return f"{days} D"
    return f"{-(-days // DAYS_IN_DAYS_MAX)} Y"


def _ordered(bars: tuple[DailyBar, ...]) -> tuple[DailyBar, ...]:
    """Oldest first, one a day: the last that was sent for it."""
    by_day: dict[dt.date, DailyBar] = {bar.day: bar for bar in bars}
    return tuple(bar for _, bar in sorted(by_day.items()))


def _words(failed: Failed) -> str:
    return failed.words or str(failed.why).replace("_", " ")
