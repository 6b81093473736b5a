"""The context actor: reads the market as a whole and keeps every daily history once."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, assert_never

import msgspec

from thetawarden.domain.broker.bars import BarsOf
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.lines import LineManner, LinePriority, LineWant
from thetawarden.domain.broker.quote import Quote
from thetawarden.domain.context.beta import Beta
from thetawarden.domain.context.betas import betas_of
from thetawarden.domain.context.figures import (
    Figures,
    Likenesses,
    bets_of,
    figures_of,
    likenesses_of,
)
from thetawarden.domain.context.histories import History, fetch_from, joined, trimmed
from thetawarden.domain.context.readings import (
    BENCHMARK,
    VIX,
    VIX3M,
    Seen,
    front_futures,
    regime_inputs,
)
from thetawarden.domain.freshness import session_open_ns
from thetawarden.domain.instants import NS_PER_HOUR, NS_PER_MINUTE, UnixNs, new_york_date
from thetawarden.domain.link.states import LinkState
from thetawarden.messages.context import (
    BetasMeasured,
    ContextTaken,
    FiguresComputed,
    HoldingsNamed,
    LikenessesComputed,
)
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import (
    ContextObserved,
    FetchHistory,
    FindInstrument,
    HistoryFetched,
    InstrumentsFound,
    WantLines,
)
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired

if TYPE_CHECKING:
    from thetawarden.domain.market.events import MacroDates
    from thetawarden.domain.market.sessions import Sessions

Hears = (
    Begin
    | Quiesce
    | TimerFired
    | LinkChanged
    | InstrumentsFound
    | ContextObserved
    | HistoryFetched
    | HoldingsNamed
)
Says = (
    StartTimer
    | CancelTimer
    | FindInstrument
    | WantLines
    | FetchHistory
    | ContextTaken
    | FiguresComputed
    | LikenessesComputed
    | BetasMeasured
    | NotifyPerson
)

OWNER = "context"
TAKE, UPKEEP = "take", "upkeep"
VIX_FUTURES = "VX"
VIX9D = "VIX9D"
INDICES = (BENCHMARK, VIX, VIX3M, VIX9D)
HISTORY_DAYS = 420
BARS_KEPT = 300
UPKEEP_NS = 10 * NS_PER_MINUTE
QUOTE_REFRESH_NS = NS_PER_MINUTE
# a session's bar counts from 17:00 in New York on: seven hours before its day is over
DAY_IS_OVER_NS = 7 * NS_PER_HOUR
UP = (LinkState.SYNCING, LinkState.READY)


class ContextState(msgspec.Struct, kw_only=True):
    """What is known of the market as a whole; histories and instruments outlive every link."""

    epoch: int = 0
    up: bool = False
    instruments: dict[str, tuple[Instrument, ...]] = msgspec.field(default_factory=dict)
    histories: dict[str, History] = msgspec.field(default_factory=dict)
    figures: dict[str, Figures] = msgspec.field(default_factory=dict)
    likenesses: Likenesses | None = None
    betas: tuple[Beta, ...] = ()
    quotes: dict[int, Quote] = msgspec.field(default_factory=dict)
    held: tuple[str, ...] = ()
    asked: dict[str, dt.date] = msgspec.field(default_factory=dict)
    wanted: tuple[int, ...] = ()
    volatilities: dict[str, History] = msgspec.field(default_factory=dict)
    volatility_asked: dict[str, dt.date] = msgspec.field(default_factory=dict)


class Context:
    """Says what the regime looks at, on a cadence, from live lines and its own daily histories.

    Restart: safe; histories come back from the log and nothing of them is fetched again.
    """

    def __init__(
        self,
        *,
        sessions: Sessions,
        macro: MacroDates,
        underlyings: dict[str, InstrumentKind],
        every_ns: int,
    ) -> None:
        self.state = ContextState()
        self._sessions = sessions
        self._macro = macro
        self._kinds = {
            **dict.fromkeys(INDICES, InstrumentKind.INDEX),
            VIX_FUTURES: InstrumentKind.FUTURE,
            **underlyings,
        }
        self._sold = tuple(underlyings)
        self._every_ns = every_ns

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        match message:
            case Begin():
                return (*self._rearm(), *self._upkeep(now))
            case TimerFired(name=name):
                return self._take(now) if name == TAKE else self._upkeep(now, arm=True)
            case LinkChanged():
                return self._on_link(message, now)
            case InstrumentsFound():
                return self._found(message, now)
            case ContextObserved(epoch=epoch, quotes=quotes):
                if epoch == self.state.epoch:
                    self.state.quotes.update({quote.conid: quote for quote in quotes})
                return ()
            case HistoryFetched():
                return self._fetched(message, now)
            case HoldingsNamed(underlyings=underlyings):
                self.state.held = underlyings
                return (*self._likenesses(), *self._upkeep(now))
            case Quiesce():
                return (CancelTimer(name=TAKE), CancelTimer(name=UPKEEP))
            case _:
                assert_never(message)

    def _rearm(self) -> tuple[Says, ...]:
        return (
            StartTimer(name=TAKE, after_ns=self._every_ns),
            StartTimer(name=UPKEEP, after_ns=UPKEEP_NS),
        )

    def _on_link(self, link: LinkChanged, now: UnixNs) -> tuple[Says, ...]:
        state, was_up = self.state, self.state.up
        if link.epoch != state.epoch:
            state.epoch, state.quotes = link.epoch, {}
            state.asked, state.volatility_asked = {}, {}
        state.up = link.state in UP
        return self._upkeep(now) if state.up and not was_up else ()

    def _upkeep(self, now: UnixNs, *, arm: bool = False) -> tuple[Says, ...]:
        """Ask for whatever is still missing: instruments, lines, finished sessions."""
        timer = (StartTimer(name=UPKEEP, after_ns=UPKEEP_NS),) if arm else ()
        if arm:
            self.state.asked.clear()  # what was not answered since the last time is asked again
        if not self.state.up:
            return timer
        return (*self._find(), *self._want(now), *self._fetch(now), *timer)

    def _find(self) -> tuple[Says, ...]:
        missing = [name for name in self._names() if name not in self.state.instruments]
        return tuple(
            FindInstrument(asked_as=name, symbol=name, kind=str(self._kind(name)))
            for name in missing
        )

    def _want(self, now: UnixNs) -> tuple[Says, ...]:
        lines = [*self._watched(), *self._vix_futures(now)]
        wanted = tuple(sorted(each.conid for each in lines))
        if not lines or wanted == self.state.wanted:
            return ()
        self.state.wanted = wanted
        wants = tuple(
            LineWant(
                instrument=each,
                priority=LinePriority.CONTEXT,
                manner=LineManner.STREAM,
                refresh_ns=QUOTE_REFRESH_NS,
            )
            for each in lines
        )
        return (WantLines(owner=OWNER, wants=wants),)

    def _fetch(self, now: UnixNs) -> tuple[Says, ...]:
        today, asks = new_york_date(now + DAY_IS_OVER_NS), []
        for name in self._names():
            found = self.state.instruments.get(name)
            if not found or self._kind(name) is InstrumentKind.FUTURE or name in self.state.asked:
                continue
            history = self.state.histories.get(name, History())
            since = fetch_from(history, today=today, sessions=self._sessions, days=HISTORY_DAYS)
            if since is not None:
                self.state.asked[name] = since
                asks.append(FetchHistory(instrument=found[0], since=since))
        for name in self._names():
            asks += self._fetch_volatility(name, today)
        return tuple(asks)

    def _fetch_volatility(self, name: str, today: dt.date) -> tuple[FetchHistory, ...]:
        """After the prices, once a day and link: not everything has one."""
        state = self.state
        if name not in self._sold and name not in state.held:
            return ()
        if name not in state.histories or state.volatility_asked.get(name) == today:
            return ()
        history = state.volatilities.get(name, History())
        since = fetch_from(history, today=today, sessions=self._sessions, days=HISTORY_DAYS)
        if since is None:
            return ()
        state.volatility_asked[name] = today
        of = state.instruments[name][0]
        return (FetchHistory(instrument=of, since=since, what=BarsOf.IMPLIED_VOLATILITY),)

    def _found(self, answer: InstrumentsFound, now: UnixNs) -> tuple[Says, ...]:
        name = answer.asked_as
        if name not in self._names():
            return ()
        if not answer.instruments:
            text = f"the broker knows no {name}: {answer.words}"
            return (NotifyPerson(urgency=Urgency.NORMAL, topic=f"context:{name}", text=text),)
        self.state.instruments[name] = answer.instruments
        return (*self._want(now), *self._fetch(now))

    def _fetched(self, answer: HistoryFetched, now: UnixNs) -> tuple[Says, ...]:
        name = self._name_of(answer.instrument)
        if name is None or not answer.bars:
            return ()
        today = new_york_date(now + DAY_IS_OVER_NS)
        if answer.what is BarsOf.IMPLIED_VOLATILITY:
            return self._fetched_volatility(name, answer, today)
        history = self.state.histories.get(name, History())
        longer = joined(history, answer.bars, today=today, sessions=self._sessions)
        self.state.asked.pop(name, None)
        if longer is None:
            del self.state.histories[name]
            return self._fetch(now)
        if longer == history:
            return ()
        self.state.histories[name] = trimmed(longer, days_max=BARS_KEPT)
        asked = self._fetch_volatility(name, today)
        return (*self._tell(name, longer), *self._likenesses(), *self._betas(name), *asked)

    def _fetched_volatility(
        self, name: str, answer: HistoryFetched, today: dt.date
    ) -> tuple[Says, ...]:
        history = self.state.volatilities.get(name, History())
        longer = joined(history, answer.bars, today=today, sessions=self._sessions, adjusts=False)
        if longer is None or longer == history:
            return ()
        self.state.volatilities[name] = trimmed(longer, days_max=BARS_KEPT)
        return self._tell(name, self.state.histories.get(name, History()))

    def _tell(self, name: str, history: History) -> tuple[Says, ...]:
        """Say what the days of an instrument amount to, once there are any."""
        figures = figures_of(history, self.state.volatilities.get(name))
        if figures is None:
            return ()
        self.state.figures[name] = figures
        return (FiguresComputed(symbol=name, figures=figures),)

    def _betas(self, name: str) -> tuple[Says, ...]:
        """A new day of the benchmark measures all anew, of another one that one alone."""
        state = self.state
        of = state.histories if name == BENCHMARK else _pair(state.histories, name)
        found = betas_of(of, benchmark=BENCHMARK)
        known = {one.symbol: one for one in (*state.betas, *found)}
        betas = tuple(known[symbol] for symbol in sorted(known))
        if betas == state.betas:
            return ()
        state.betas = betas
        return (BetasMeasured(betas=betas),)

    def _likenesses(self) -> tuple[Says, ...]:
        bets = bets_of(self.state.held)
        if len(bets) < 2:
            self.state.likenesses = None
            return ()
        likenesses = likenesses_of(self.state.histories, symbols=bets)
        changed, self.state.likenesses = likenesses != self.state.likenesses, likenesses
        if likenesses is None or not changed:
            return ()
        return (LikenessesComputed(likenesses=likenesses),)

    def _take(self, now: UnixNs) -> tuple[Says, ...]:
        quotes = self.state.quotes
        futures = [quotes.get(each.conid) for each in self._vix_futures(now)]
        seen = Seen(
            quotes={
                each.symbol: quotes[each.conid] for each in self._watched() if each.conid in quotes
            },
            vix_futures=tuple(futures),
            figures=self.state.figures,
            likenesses=self.state.likenesses,
            held=self.state.held,
        )
        day = new_york_date(now)
        inputs = regime_inputs(seen, day=day, macro=self._macro, sessions=self._sessions)
        taken = ContextTaken(
            inputs=inputs, trading=session_open_ns(now, self._sessions) is not None
        )
        return (taken, StartTimer(name=TAKE, after_ns=self._every_ns))

    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self._kinds, *self.state.held)))

    def _kind(self, name: str) -> InstrumentKind:
        return self._kinds.get(name, InstrumentKind.STOCK)

    def _watched(self) -> list[Instrument]:
        found = self.state.instruments
        return [found[name][0] for name in INDICES if name in found]

    def _vix_futures(self, now: UnixNs) -> tuple[Instrument, ...]:
        months = self.state.instruments.get(VIX_FUTURES, ())
        return front_futures(months, day=new_york_date(now), count=2)

    def _name_of(self, instrument: Instrument) -> str | None:
        for name, found in self.state.instruments.items():
            if any(each.conid == instrument.conid for each in found):
                return name
        return None


def _pair(histories: dict[str, History], name: str) -> dict[str, History]:
    return {each: histories[each] for each in (BENCHMARK, name) if each in histories}
