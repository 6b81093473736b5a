"""A chain watcher: finds an underlying's options, has them quoted, says what they look like."""

from __future__ import annotations

from typing import assert_never

import msgspec

from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.broker.lines import LinePriority
from thetawarden.domain.chains import search as searching
from thetawarden.domain.chains.board import Board, BoardState
from thetawarden.domain.chains.condition import Condition, how_it_goes
from thetawarden.domain.chains.identity import Refusal, SeriesKey, sort_out
from thetawarden.domain.chains.search import CHAIN, Listing, Search, name_of
from thetawarden.domain.chains.settings import WatchSettings
from thetawarden.domain.chains.view import ChainView
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs, new_york_date
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.messages.chains import ChainStateChanged, ChainViewed, InterestChanged
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import (
    ChainDiscovered,
    DiscoverChain,
    DiscoveryFailed,
    QualifySeries,
    QuotesObserved,
    SeriesQualified,
    WantLines,
)
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired

VIEW, UPKEEP = "view", "upkeep"
UP = (LinkState.SYNCING, LinkState.READY)
Hears = (
    Begin
    | Quiesce
    | TimerFired
    | LinkChanged
    | ChainDiscovered
    | SeriesQualified
    | DiscoveryFailed
    | QuotesObserved
    | InterestChanged
)
Says = (
    DiscoverChain
    | QualifySeries
    | WantLines
    | ChainViewed
    | ChainStateChanged
    | NotifyPerson
    | StartTimer
    | CancelTimer
)


class Interest(msgspec.Struct, frozen=True, kw_only=True):
    """What one owner cares for, and how much."""

    priority: LinePriority
    instruments: tuple[Instrument, ...]


class Course(msgspec.Struct, kw_only=True):
    """Where the watcher stands, its memory of quotes and models apart."""

    search: Search
    condition: Condition | None = None
    interest: dict[str, Interest] = msgspec.field(default_factory=dict)
    viewed_ns: UnixNs = UnixNs(0)
    views: int = 0
    view_due: bool = False
    fit_due: bool = False  # of older logs
    complained: bool = False
    quiet: bool = False


class ChainState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a watcher remembers; `view` is the one it said last."""

    course: Course
    board: BoardState
    view: ChainView | None


class Chain:
    """Says what a chain looks like: at once after quiet, on a cadence while it moves.

    Restart: safe. Contracts, quotes, model and skew history come back from the log, bit by bit;
    questions that were open are put again after their time, wishes for lines are said again. What
    was quoted meanwhile is lost, and quotes that are too old by now are judged so.
    """

    def __init__(self, *, underlying: str, settings: WatchSettings | None = None) -> None:
        self._underlying = underlying
        self._settings = settings or WatchSettings()
        self._sessions = load_sessions(Exchange.NYSE)
        self._course = Course(search=Search(underlying=underlying))
        self._board = Board(self._settings)
        self._view: ChainView | None = None

    @property
    def state(self) -> ChainState:
        """What is written to the log: the live memory, put to rest."""
        return ChainState(course=self._course, board=self._board.at_rest(), view=self._view)

    @state.setter
    def state(self, state: ChainState) -> None:
        self._course, self._view = state.course, state.view
        self._board = Board(self._settings, state.board)

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        match message:
            case QuotesObserved():
                return self._observe(message, now)
            case TimerFired(name=name):
                return self._wake(name, now)
            case Begin():
                return self._begin(now)
            case LinkChanged():
                return self._hear_link(message, now)
            case ChainDiscovered():
                return self._take_chain(message, now)
            case SeriesQualified():
                return self._take_series(message, now)
            case DiscoveryFailed():
                return self._take_failure(message, now)
            case InterestChanged():
                return self._take_interest(message, now)
            case Quiesce():
                return self._quiesce()
            case _:
                assert_never(message)

    def _begin(self, now: UnixNs) -> tuple[Says, ...]:
        course = self._course
        course.quiet = course.view_due = False
        said = self._upkeep(now)
        if course.search.instrument is None or any(isinstance(one, WantLines) for one in said):
            return said
        return (self._want(course.search.instrument), *said)

    def _quiesce(self) -> tuple[Says, ...]:
        self._course.quiet = True
        timers = tuple(CancelTimer(name=name) for name in (VIEW, UPKEEP))
        return (*timers, *self._judge())

    def _wake(self, name: str, now: UnixNs) -> tuple[Says, ...]:
        if self._course.quiet:
            return ()
        if name == VIEW:
            return self._show(now, if_changed=not self._course.view_due, fits=True)
        return self._upkeep(now)

    def _hear_link(self, link: LinkChanged, now: UnixNs) -> tuple[Says, ...]:
        up = link.state in UP
        came_up = up and not (self._board.link_up and link.epoch == self._board.epoch)
        self._board.hear_link(epoch=link.epoch, up=up, now=now)
        if self._course.quiet:
            return ()
        if came_up:
            self._course.search = searching.impatient(self._course.search, now=now)
            return (*self._upkeep(now), *self._show(now))
        return self._show(now)

    def _observe(self, message: QuotesObserved, now: UnixNs) -> tuple[Says, ...]:
        """The path of every tick: as short as it can be."""
        course, instrument = self._course, self._course.search.instrument
        if instrument is None or message.underlying != self._underlying or course.quiet:
            return ()
        board = self._board
        if not board.observe(message.rows, epoch=message.epoch, underlying=instrument, now=now):
            return ()
        said: tuple[Says, ...] = ()
        if not board.rows and board.spot.price_usd:
            said = self._plan(now)
        return (*said, *self._show_soon(now))

    def _show_soon(self, now: UnixNs) -> tuple[Says, ...]:
        course, pace = self._course, self._settings.pace
        wait_ns = course.viewed_ns + pace.view_ns - now
        if wait_ns <= 0:
            return self._show(now)
        if course.view_due:
            return ()
        course.view_due = True
        return (StartTimer(name=VIEW, after_ns=wait_ns),)

    def _show(
        self, now: UnixNs, *, if_changed: bool = False, fits: bool = False
    ) -> tuple[Says, ...]:
        """Look, and say what is seen; `if_changed` spares a view that differs in its ages only.

        A fit that is due is made if wanted, else soon, when more than the first have spoken.
        """
        course, pace = self._course, self._settings.pace
        course.view_due = False
        if not self._board.rows:
            return (StartTimer(name=VIEW, after_ns=pace.idle_view_ns), *self._judge())
        said = self._fit(now) if fits else ()
        soon = not fits and self._board.is_fit_due(now)
        idle = StartTimer(name=VIEW, after_ns=pace.view_ns if soon else pace.idle_view_ns)
        view = self._board.look(
            underlying=self._underlying, number=course.views + 1, today=new_york_date(now), now=now
        )
        if if_changed and self._view is not None and not view.differs(self._view):
            return (*said, idle)
        course.viewed_ns, course.views, self._view = now, view.number, view
        return (*said, ChainViewed(underlying=self._underlying, view=view), idle, *self._judge())

    def _fit(self, now: UnixNs) -> tuple[Says, ...]:
        """Fit anew if that is worth its time; a series' first smile chooses strikes at once."""
        board = self._board
        is_news = board.is_fit_due(now) and board.fit(today=new_york_date(now), now=now)
        return self._plan(now) if is_news else ()

    def _upkeep(self, now: UnixNs) -> tuple[Says, ...]:
        """Ask what is to be asked, watch what is known, and come back."""
        course, pace = self._course, self._settings.pace
        for name in searching.overdue(course.search, now=now, pace=pace):
            why = f"no answer to {name} in {pace.answer_ns_max / NS_PER_SECOND:g} s of the market"
            course.search = searching.failed(course.search, name, why=why, now=now, pace=pace)
        questions = self._questions(now)
        again = StartTimer(name=UPKEEP, after_ns=self._pause_ns(now))
        return (*questions, *self._plan(now), again, *self._complain(now), *self._judge())

    def _questions(self, now: UnixNs) -> tuple[Says, ...]:
        course, today = self._course, new_york_date(now)
        keys = searching.next_questions(
            course.search,
            self._keys(now),
            today=today,
            now=now,
            at_once_max=self._settings.asked_at_once_max,
        )
        names = (CHAIN if key is None else name_of(key) for key in keys)
        course.search = searching.asked(course.search, names, now=now)
        return tuple(self._question(key) for key in keys)

    def _question(self, key: SeriesKey | None) -> DiscoverChain | QualifySeries:
        if key is None:
            return DiscoverChain(underlying=self._underlying)
        return QualifySeries(
            underlying=self._underlying,
            trading_class=key.trading_class,
            exchange=searching.exchange_of(self._course.search, key),
            expiry=key.expiry,
        )

    def _pause_ns(self, now: UnixNs) -> int:
        """Until the next failed or overdue question, or the next look at the windows."""
        pace = self._settings.pace
        dues = [
            (one.asked_ns + pace.answer_ns_max + 1 if one.asked_ns else one.wait_until_ns) - now
            for one in self._course.search.questions.values()
        ]
        return max(NS_PER_SECOND, min((pace.replan_ns, *dues)))

    def _plan(self, now: UnixNs, *, choose: bool = True) -> tuple[Says, ...]:
        course, today = self._course, new_york_date(now)
        instrument = course.search.instrument
        if instrument is None or course.quiet:
            return ()
        series = searching.watched_series(
            course.search, self._keys(now), now=now, sessions=self._sessions
        )
        wanted = {
            one.conid: interest.priority
            for interest in sorted(course.interest.values(), key=lambda each: -each.priority)
            for one in interest.instruments
        }
        changed = self._board.replan(series, interest=wanted, today=today, choose=choose)
        return (self._want(instrument),) if changed else ()

    def _want(self, instrument: Instrument) -> WantLines:
        return WantLines(owner=f"chain/{self._underlying}", wants=self._board.wants(instrument))

    def _keys(self, now: UnixNs) -> tuple[SeriesKey, ...]:
        held = [
            SeriesKey(expiry=one.expiry, trading_class=one.trading_class)
            for interest in self._course.interest.values()
            for one in interest.instruments
            if one.expiry is not None and not self._refusal(one)
        ]
        return searching.wanted_keys(
            self._course.search,
            now=now,
            interest=held,
            settings=self._settings,
            sessions=self._sessions,
        )

    def _refusal(self, option: Instrument) -> Refusal | None:
        terms = searching.class_terms(self._course.search, option.trading_class)
        return terms if isinstance(terms, Refusal) else None

    def _take_chain(self, found: ChainDiscovered, now: UnixNs) -> tuple[Says, ...]:
        if found.underlying != self._underlying:
            return ()
        known = self._course.search.instrument == found.instrument
        listings = (
            Listing(
                trading_class=one.trading_class,
                exchange=one.exchange,
                multiplier=one.multiplier,
                expiries=one.expiries,
            )
            for one in found.classes
        )
        self._course.search = searching.found_chain(
            self._course.search,
            instrument=found.instrument,
            listings=listings,
            day=new_york_date(now),
        )
        said = self._upkeep(now)
        if known or any(isinstance(one, WantLines) for one in said):
            return said
        return (self._want(found.instrument), *said)

    def _take_series(self, found: SeriesQualified, now: UnixNs) -> tuple[Says, ...]:
        if found.underlying != self._underlying:
            return ()
        key = SeriesKey(expiry=found.expiry, trading_class=found.trading_class)
        if found.day != new_york_date(now):
            return self._fail(name_of(key), f"the answer is of {found.day}", now)
        contracts = sort_out(
            found.options,
            underlying=self._underlying,
            key=key,
            exchange=searching.exchange_of(self._course.search, key),
            day=found.day,
        )
        self._course.search = searching.found_series(self._course.search, contracts)
        return self._upkeep(now)

    def _take_failure(self, failure: DiscoveryFailed, now: UnixNs) -> tuple[Says, ...]:
        if failure.underlying != self._underlying:
            return ()
        name = CHAIN
        if failure.expiry is not None:
            name = name_of(SeriesKey(expiry=failure.expiry, trading_class=failure.trading_class))
        return self._fail(name, failure.words, now)

    def _fail(self, name: str, why: str, now: UnixNs) -> tuple[Says, ...]:
        search, pace = self._course.search, self._settings.pace
        self._course.search = searching.failed(search, name, why=why, now=now, pace=pace)
        return self._upkeep(now)

    def _take_interest(self, message: InterestChanged, now: UnixNs) -> tuple[Says, ...]:
        interest = Interest(priority=message.priority, instruments=message.instruments)
        is_known = self._course.interest.get(message.owner) == interest
        if is_known or message.underlying != self._underlying:
            return ()  # known: said again for a watcher that has begun since
        self._course.interest[message.owner] = interest
        notices = tuple(
            NotifyPerson(
                urgency=Urgency.HIGH,
                topic=f"chain:{self._underlying}:{one.conid}",
                text=f"{one.local_symbol or one.conid} cannot be watched: {self._refusal(one)}",
            )
            for one in message.instruments
            if self._refusal(one)
        )
        questions = self._questions(now)
        again = (StartTimer(name=UPKEEP, after_ns=self._pause_ns(now)),) if questions else ()
        # strikes are chosen at every upkeep, whoever cares for what meanwhile
        return (*notices, *questions, *again, *self._plan(now, choose=False), *self._judge())

    def _complain(self, now: UnixNs) -> tuple[Says, ...]:
        course, since_ns = self._course, self._course.search.failing_since_ns
        topic = f"chain:{self._underlying}"
        if course.complained and not since_ns:
            course.complained = False
            text = f"the {self._underlying} chain is found again"
            return (NotifyPerson(urgency=Urgency.LOW, topic=topic, text=text),)
        patience_ns = self._settings.pace.complain_after_ns
        if course.complained or not since_ns or now - since_ns < patience_ns:
            return ()
        course.complained = True
        text = f"the {self._underlying} chain cannot be found: {course.search.why}"
        return (NotifyPerson(urgency=Urgency.NORMAL, topic=topic, text=text),)

    def _judge(self) -> tuple[Says, ...]:
        """Say how it goes when that is another than before."""
        course = self._course
        if course.quiet:
            condition, why = Condition.STOPPED, "the desk is stopping"
        else:
            rows = len(self._board.rows)
            condition, why = how_it_goes(course.search, rows=rows, view=self._view)
        if condition is course.condition:
            return ()
        course.condition = condition
        return (ChainStateChanged(underlying=self._underlying, state=condition, why=why),)
