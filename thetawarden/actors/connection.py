"""The connection actor: when to link, whether to believe the link, and what everybody may rest on.

It decides by the table in `domain/link/machine.py` and orders by message; the adapter carries out.
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.link import agreement
from thetawarden.domain.link.admission import judge_gateway
from thetawarden.domain.link.agreement import Rounds
from thetawarden.domain.link.backoff import wait_ns
from thetawarden.domain.link.gates import (
    Gates,
    closed_services,
    objections,
    with_farm,
    with_refusal,
    without_old_refusals,
)
from thetawarden.domain.link.machine import LIVE, LinkDuty, LinkEvent, step
from thetawarden.domain.link.night import look_at
from thetawarden.domain.link.notices import FarmNews, PaceNews, ServersNews, read_notice
from thetawarden.domain.link.rules import LinkRules, may_page, outage_wait_ns
from thetawarden.domain.link.states import LinkState, LinkTrouble
from thetawarden.domain.link.waits import Wait, event_due
from thetawarden.messages.books import BookFetched, BookJudged, RefreshBook
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import (
    BrokerNoticed,
    CloseLink,
    DecodingFailed,
    FetchBook,
    LinkChanged,
    LinkLost,
    LinkOpened,
    LinkProbed,
    OpenLink,
    ProbeLink,
)
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired

ANEW = frozenset({LinkEvent.ADMITTED, LinkEvent.DOUBTED, LinkEvent.RESTORED})

Hears = (
    Begin
    | Quiesce
    | TimerFired
    | LinkOpened
    | LinkLost
    | LinkProbed
    | BrokerNoticed
    | DecodingFailed
    | BookFetched
    | RefreshBook
    | BookJudged
)
Says = (
    OpenLink
    | CloseLink
    | ProbeLink
    | FetchBook
    | LinkChanged
    | NotifyPerson
    | StartTimer
    | CancelTimer
)


class ConnectionState(msgspec.Struct, kw_only=True):
    """Where the link stands, and what has been tried and told."""

    state: LinkState = LinkState.DOWN
    epoch: int = 0
    why: str = "not tried yet"
    attempt: int = 0
    rounds: Rounds = Rounds()
    gates: Gates = Gates()
    probe: int = 0
    probed: int = 0
    live_ns: UnixNs = UnixNs(0)
    garbled: int = 0
    timing_outage: bool = False
    pages: dict[str, UnixNs] = msgspec.field(default_factory=dict)
    told: LinkChanged | None = None
    stopping: bool = False

    @property
    def reconciled(self) -> bool:
        """Whether the broker's whole book is ours; once ready, the latest word on it is enough."""
        if self.state is LinkState.READY:
            return self.rounds.latest_is_ours
        return self.state in LIVE and self.rounds.agreed


class Connection:
    """Keeps one link to the broker, and says Ready only when the broker's book is also ours.

    Restart: the link is given up and made anew as the next epoch; nothing is sent meanwhile.
    """

    def __init__(self, *, rules: LinkRules) -> None:
        self.state = ConnectionState()
        self._rules = rules

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message; whoever rests on the link is told in the same step."""
        said = self._answer(message, now)
        return (*said, *self._tell())

    def _answer(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        match message:
            case Begin():
                return self._begin(now)
            case Quiesce():
                self.state.stopping = True
                return _cancelled(*Wait)
            case TimerFired(name=name):
                return () if self.state.stopping else self._wake(name, now)
            case RefreshBook(reason=reason):
                return self._meet(LinkEvent.REFRESH_DUE, reason, now)
            case _ if message.epoch != self.state.epoch or self.state.stopping:
                return ()  # of a link that is gone
            case LinkOpened():
                return self._admit(message, now)
            case LinkLost():
                return self._lose(message, now)
            case LinkProbed(number=number):
                self.state.probed = max(self.state.probed, number)
                return ()
            case BrokerNoticed():
                return self._notice(message, now)
            case DecodingFailed(words=words):
                return self._meet(LinkEvent.DOUBTED, f"could not be read: {words}", now)
            case BookFetched():
                return self._compare(message, now)
            case BookJudged():
                return self._heed(message, now)
            case _:
                assert_never(message)

    def _begin(self, now: UnixNs) -> tuple[Says, ...]:
        """Whatever link there was is not ours any more: start with a new one."""
        own = self.state
        own.state, own.why, own.stopping = LinkState.DOWN, "the desk begins", False
        own.attempt, own.timing_outage, own.told = 0, False, None
        tried = self._meet(LinkEvent.TRY_DUE, own.why, now)
        return (*tried, *self._time_outage(now), *self._watch_night(now))

    def _wake(self, name: str, now: UnixNs) -> tuple[Says, ...]:
        own, within_ns = self.state, self._rules.pace_ns
        if (due := event_due(name)) is not None:
            return self._meet(due, name, now)
        match name:
            case Wait.OPENING:
                return self._give_up("nobody answered the order to connect", now)
            case Wait.PROBE:
                return self._probe(now)
            case Wait.BOOK:
                return self._miss("the fetch was not answered", now)
            case Wait.OUTAGE:
                return self._page_outage(now)
            case Wait.NIGHT:
                return self._watch_night(now)
            case _:
                own.gates = without_old_refusals(own.gates, now, within_ns=within_ns)
                return ()

    def _meet(self, event: LinkEvent, why: str, now: UnixNs) -> tuple[Says, ...]:
        """Go where the table says and do what it asks for."""
        own = self.state
        before, after = own.state, step(own.state, event)
        if after.state is not before:
            own.state, own.why = after.state, why
        if event in ANEW:
            own.rounds = agreement.doubted(own.rounds)
        outage = before is LinkState.READY and after.state is not before
        timed = self._time_outage(now) if outage else ()
        return (*timed, *(said for duty in after.duties for said in self._do(duty, why, now)))

    def _do(self, duty: LinkDuty, why: str, now: UnixNs) -> tuple[Says, ...]:
        own, rules = self.state, self._rules
        match duty:
            case LinkDuty.OPEN:
                own.epoch += 1
                own.rounds, own.gates = Rounds(), Gates(night=own.gates.night)
                return (OpenLink(epoch=own.epoch), _timer(Wait.OPENING, rules.opening_ns))
            case LinkDuty.CLOSE:
                return (CloseLink(epoch=own.epoch, reason=why), *_cancelled(Wait.PROBE, Wait.BOOK))
            case LinkDuty.RETRY:
                wait = wait_ns(rules.backoff, attempt=own.attempt, epoch=own.epoch)
                own.attempt += 1
                return (_timer(Wait.RETRY, wait), *_cancelled(Wait.PROBE, Wait.BOOK))
            case LinkDuty.RETRY_SLOWLY:
                return (_timer(Wait.RETRY, rules.retry_slowly_ns),)
            case LinkDuty.TRY_NOW:
                return (_timer(Wait.RETRY, 1),)
            case LinkDuty.FETCH:
                return self._fetch()
            case LinkDuty.FETCH_LATER:
                return (_timer(Wait.LATER, rules.apart_ns),)
            case LinkDuty.LOOK_AGAIN:
                return (_timer(Wait.LOOK_AGAIN, rules.look_again_ns),)
            case LinkDuty.PAGE:
                return self._page(str(own.state), Urgency.CRITICAL, why, now)
            case _:
                assert_never(duty)

    def _fetch(self) -> tuple[Says, ...]:
        """Ask for the whole book, unless it has been asked for and is on its way."""
        own = self.state
        if own.rounds.open:
            return ()
        own.rounds = agreement.asked(own.rounds)
        command = FetchBook(epoch=own.epoch, round=own.rounds.asked)
        return (command, _timer(Wait.BOOK, self._rules.book_ns))

    def _admit(self, opened: LinkOpened, now: UnixNs) -> tuple[Says, ...]:
        own, rules = self.state, self._rules
        refusal = judge_gateway(
            terms=rules.terms, server_version=opened.server_version, accounts=opened.accounts
        )
        if refusal is not None:
            return self._turn_away(refusal.words, now)
        own.live_ns, own.probe, own.probed = now, 0, 0
        admitted = self._meet(LinkEvent.ADMITTED, "the broker took us in", now)
        return (*_cancelled(Wait.OPENING), _timer(Wait.PROBE, rules.probe_ns), *admitted)

    def _lose(self, lost: LinkLost, now: UnixNs) -> tuple[Says, ...]:
        """Tell a refusal from a loss; our own ghost may hold the client id for a while."""
        own = self.state
        words = f"{lost.trouble.replace('_', ' ')}: {lost.words}"
        alarms: tuple[Says, ...] = ()
        if lost.trouble is LinkTrouble.GARBLED:
            own.garbled += 1
            if own.garbled > 1:
                said = f"what the broker sends is garbled, {own.garbled} times now: {lost.words}"
                alarms = self._page("garbled", Urgency.HIGH, said, now)
        ghost = own.live_ns > 0 and now - own.live_ns < self._rules.own_ghost_ns
        taken = lost.trouble is LinkTrouble.CLIENT_ID_TAKEN and not ghost
        if taken or lost.trouble is LinkTrouble.WRONG_VERSION:
            return self._turn_away(words, now)
        return (*alarms, *_cancelled(Wait.OPENING), *self._meet(LinkEvent.LOST, words, now))

    def _turn_away(self, words: str, now: UnixNs) -> tuple[Says, ...]:
        return (*_cancelled(Wait.OPENING), *self._meet(LinkEvent.TURNED_AWAY, words, now))

    def _give_up(self, words: str, now: UnixNs) -> tuple[Says, ...]:
        close = CloseLink(epoch=self.state.epoch, reason=words)
        return (close, *self._meet(LinkEvent.LOST, words, now))

    def _probe(self, now: UnixNs) -> tuple[Says, ...]:
        """Ask for a sign of life; the adapter drops a mute peer, we drop a mute adapter."""
        own, rules = self.state, self._rules
        if own.state not in LIVE:
            return ()
        if own.probe > own.probed:
            if now - own.live_ns >= rules.probe_overdue_ns:
                return self._give_up("a probe was never answered", now)
            return (_timer(Wait.PROBE, rules.probe_ns),)
        own.live_ns, own.probe = now, own.probe + 1
        probe = ProbeLink(epoch=own.epoch, number=own.probe)
        return (probe, _timer(Wait.PROBE, rules.probe_ns))

    def _notice(self, notice: BrokerNoticed, now: UnixNs) -> tuple[Says, ...]:
        own, rules = self.state, self._rules
        match read_notice(notice.code, notice.words):
            case LinkEvent() as event:
                return self._meet(event, f"{notice.code}: {notice.words}", now)
            case FarmNews() as news:
                return self._note_farm(news, now)
            case ServersNews():
                own.gates = msgspec.structs.replace(own.gates, servers_lost=True)
                return self._page("servers", Urgency.HIGH, notice.words, now)
            case PaceNews():
                own.gates = with_refusal(own.gates, now, within_ns=rules.pace_ns)
                return (_timer(Wait.PACE, rules.pace_ns),)
            case _:
                return ()

    def _note_farm(self, news: FarmNews, now: UnixNs) -> tuple[Says, ...]:
        """A farm that breaks is told; when the last one is back, the book is compared."""
        own = self.state
        before, own.gates = own.gates, with_farm(own.gates, news)
        known = any(one.farm == news.farm for one in before.broken)
        if not news.works:
            words = f"data farm {news.farm} ({news.service}) does not work"
            return () if known else self._page(news.farm, Urgency.NORMAL, words, now)
        if before.servers_lost:
            return self._meet(LinkEvent.DOUBTED, "the servers are back", now)
        return ()

    def _compare(self, book: BookFetched, now: UnixNs) -> tuple[Says, ...]:
        own, rules = self.state, self._rules
        if book.round != own.rounds.asked or not own.rounds.open:
            return ()
        if book.missing:
            return self._miss(f"not fetched: {', '.join(book.missing)}", now)
        seen = agreement.fingerprint(
            orders=book.orders, executions=book.executions, positions=book.positions
        )
        own.rounds = agreement.fetched(own.rounds, book=seen, now=now, apart_ns=rules.apart_ns)
        return (*_cancelled(Wait.BOOK), *self._conclude(now))

    def _miss(self, words: str, now: UnixNs) -> tuple[Says, ...]:
        """A book that is not whole proves nothing; too many of them, and the link goes."""
        own = self.state
        own.rounds = agreement.failed(own.rounds)
        if own.rounds.in_vain >= self._rules.books_in_vain_max:
            paged = self._page("book", Urgency.HIGH, f"the book cannot be fetched: {words}", now)
            return (*_cancelled(Wait.BOOK), *paged, *self._give_up(words, now))
        return (*_cancelled(Wait.BOOK), *self._meet(LinkEvent.DIFFERED, words, now))

    def _heed(self, verdict: BookJudged, now: UnixNs) -> tuple[Says, ...]:
        own = self.state
        if verdict.agreed:
            own.rounds = agreement.judged(own.rounds, number=verdict.round)
            return self._conclude(now) if not own.rounds.open else ()
        own.rounds = msgspec.structs.replace(own.rounds, confirmed=0)
        words = "; ".join(verdict.unexplained) or "the keeper does not agree"
        return self._meet(LinkEvent.DIFFERED, words, now)

    def _conclude(self, now: UnixNs) -> tuple[Says, ...]:
        """Ready, when the book is confirmed and agreed; else look once more in a while."""
        own, rules = self.state, self._rules
        if own.state is LinkState.READY:
            return (_timer(Wait.REFRESH, rules.refresh_ns),)
        if not own.rounds.agreed:
            syncing = own.state is LinkState.SYNCING
            return (_timer(Wait.LATER, rules.apart_ns),) if syncing else ()
        own.attempt, own.timing_outage = 0, False
        own.pages.pop(Wait.OUTAGE, None)
        ready = self._meet(LinkEvent.AGREED, "the broker's book is ours", now)
        refresh = _timer(Wait.REFRESH, rules.refresh_ns)
        return (*ready, refresh, *_cancelled(Wait.LATER, Wait.OUTAGE))

    def _time_outage(self, now: UnixNs) -> tuple[Says, ...]:
        """Time it once, from its beginning; attempts in vain do not begin it anew."""
        if self.state.timing_outage:
            return ()
        self.state.timing_outage = True
        return (_timer(Wait.OUTAGE, outage_wait_ns(self._rules, now)),)

    def _page_outage(self, now: UnixNs) -> tuple[Says, ...]:
        own = self.state
        own.timing_outage = False
        if own.state in (LinkState.READY, LinkState.REFUSED):
            return ()  # a refusal is told as such
        if look_at(now, self._rules.night).excuses_loss:
            return self._time_outage(now)
        words = f"no link to rest on for too long: {own.why}"
        return (*self._page(Wait.OUTAGE, Urgency.HIGH, words, now), *self._time_outage(now))

    def _watch_night(self, now: UnixNs) -> tuple[Says, ...]:
        own = self.state
        night = look_at(now, self._rules.night)
        own.gates = msgspec.structs.replace(own.gates, night=night.entries_wait)
        return (_timer(Wait.NIGHT, max(1, night.until_ns - now)),)

    def _page(self, matter: str, urgency: Urgency, words: str, now: UnixNs) -> tuple[Says, ...]:
        pages = self.state.pages
        if not may_page(self._rules, pages, matter, now):
            return ()
        pages[matter] = now
        return (NotifyPerson(urgency=urgency, topic=f"link:{matter}", text=words),)

    def _tell(self) -> tuple[Says, ...]:
        """Say what holds now, when that is not what was said last."""
        own = self.state
        standing = objections(own.gates)
        change = LinkChanged(
            epoch=own.epoch,
            state=own.state,
            entries=own.state is LinkState.READY and not standing,
            why="; ".join((*standing, own.why)),
            closed=closed_services(own.gates),
        )
        if own.told is not None and _essence(own.told) == _essence(change):
            return ()
        own.told = change
        return (change,)


def _essence(change: LinkChanged) -> tuple[object, ...]:
    return (change.epoch, change.state, change.entries, change.closed)


def _timer(name: str, after_ns: int) -> StartTimer:
    return StartTimer(name=name, after_ns=after_ns)


def _cancelled(*names: str) -> tuple[CancelTimer, ...]:
    return tuple(CancelTimer(name=name) for name in names)
