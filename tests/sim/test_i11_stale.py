"""I11: what is too old while the watchdog looks halts trading, whatever a watcher made of it."""

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace as Fake

import pytest

from tests.sim.test_invariants import HALTED, PUT, Case
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.quote import Quote
from thetawarden.domain.instants import NS_PER_SECOND, new_york_ns
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.vitals import Vitals
from thetawarden.messages.base import Envelope
from thetawarden.messages.books import PositionsValued
from thetawarden.messages.context import ContextTaken
from thetawarden.messages.lifecycle import Begin, ChildrenChanged, DeskStarted
from thetawarden.messages.lines import RedirectLine
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import ContextObserved, QuotesObserved, SubscribeLine
from thetawarden.messages.operations import VitalsTaken
from thetawarden.messages.trading import TradingHalted
from thetawarden.ports import Delivery, Outcome
from thetawarden.sim.disk import Numbered

DAY = dt.date(2026, 9, 14)
INDEX = Instrument(conid=1, kind=InstrumentKind.INDEX, symbol="XSP")
SHARE = Instrument(conid=3, kind=InstrumentKind.STOCK, symbol="SPY")
VIX = Instrument(conid=2, kind=InstrumentKind.INDEX, symbol="VIX")
ALLOWED_S, LOOK_S = 120, 10
READY, GONE = (
    LinkChanged(epoch=1, state=state, entries=False, why="")
    for state in (LinkState.READY, LinkState.DOWN)
)
BEGIN = Begin(incarnation=1, resumed=False)
LOOKED = VitalsTaken(vitals=Vitals(actors=(), log_lag_ns=0, disk_free_bytes=0))
VALUED = PositionsValued(
    agreed_ns=0,
    reconciled=True,
    positions=(Fake(instrument=PUT, quantity=Decimal(-1)),),
    results={},
    cash_usd={},
    values=(),
    working_orders=0,
)


class Desk:
    """A desk that watches XSP since ten o'clock, and what its watchdog looks at."""

    def __init__(self, *, linked=True, at=dt.time(10)):
        self.case = Case("I11")
        self.now_ns = new_york_ns(DAY, at)
        clock = self.case.world.clock
        clock.now_ns = lambda: self.now_ns
        clock.monotonic_ns = lambda: self.now_ns
        self.watch(BEGIN)
        self.say(ChildrenChanged(role="chain", keys=("XSP",)))
        self.say(SubscribeLine(epoch=1, listeners=("XSP",), instrument=INDEX))
        if linked:
            self.say(READY)

    def say(self, body):
        self.case.say(body)
        return self

    def watch(self, body, outcome=Outcome.HANDLED):
        said = Envelope(1, self.now_ns, "supervisor", 0, None, body)
        self.case.record(Numbered(1, Delivery(said, "watchdog", 1, self.now_ns, outcome, 1)))

    def quote(self, *conids):
        quotes = tuple(Quote(conid=conid, at_ns=self.now_ns) for conid in conids)
        return self.say(QuotesObserved(epoch=1, underlying="XSP", quotes=quotes))

    def pass_on(self, seconds, *conids):
        """Go on while these are told over and over and the watchdog looks."""
        for _ in range(seconds // LOOK_S):
            self.now_ns += LOOK_S * NS_PER_SECOND
            self.quote(*conids)
            self.watch(LOOKED)
        return self

    @property
    def holds(self):
        return self.case.holds


LONG_S = ALLOWED_S + 3 * LOOK_S


def test_i11_a_price_that_stands_still_must_halt_once_it_is_too_old():
    desk = Desk().quote(1)

    assert desk.pass_on(ALLOWED_S).holds
    assert not desk.pass_on(3 * LOOK_S).holds


def test_i11_a_price_that_is_told_on_and_on_is_none():
    assert Desk().quote(1).pass_on(10 * LONG_S, 1).holds


def test_i11_prices_of_other_contracts_keep_none_alive():
    assert not Desk().quote(1).pass_on(LONG_S, 7, 8).holds


def test_i11_a_price_that_never_came_must_halt_as_well():
    assert not Desk().pass_on(LONG_S).holds


@pytest.mark.parametrize("by", ["said", "flag"])
def test_i11_nothing_is_demanded_while_trading_is_halted(by):
    desk = Desk().quote(1)
    if by == "said":
        desk.say(TradingHalted(halt=HALTED))
    else:
        desk.case.world.flagged = HALTED

    assert desk.pass_on(LONG_S).holds


def test_i11_an_option_that_is_held_must_be_told_of_too():
    held, sold = Desk().quote(1, PUT.conid), Desk().quote(1, PUT.conid)

    assert sold.pass_on(LONG_S, 1).holds
    assert not held.say(VALUED).pass_on(LONG_S, 1).holds


def test_i11_an_option_gets_its_time_from_when_it_came_to_be_held():
    desk = Desk().quote(1, PUT.conid).pass_on(10 * LONG_S, 1).say(VALUED)

    assert desk.pass_on(ALLOWED_S, 1).holds
    assert not desk.pass_on(3 * LOOK_S, 1).holds


def test_i11_the_vix_must_be_told_of_once_it_is_looked_at():
    desk = Desk().say(SubscribeLine(epoch=1, listeners=("@context",), instrument=VIX))
    desk.say(ContextObserved(epoch=1, quotes=(Quote(conid=2, at_ns=desk.now_ns),)))

    assert desk.pass_on(LONG_S, 1).holds
    assert not desk.say(ContextTaken(inputs=Fake(), trading=True)).pass_on(LONG_S, 1).holds


def test_i11_a_line_that_others_had_before_tells_of_the_price_from_now_on():
    desk = Desk().say(ChildrenChanged(role="chain", keys=("XSP", "SPY")))
    desk.say(SubscribeLine(epoch=1, listeners=("@context",), instrument=SHARE))
    desk.say(RedirectLine(epoch=1, conid=3, listeners=("@context", "SPY")))

    assert desk.pass_on(10 * LONG_S, 1, 3).holds
    assert not desk.pass_on(LONG_S, 1).holds


def test_i11_a_link_that_stays_away_must_halt_though_prices_seem_to_come():
    desk = Desk().quote(1).say(GONE)

    assert not desk.pass_on(LONG_S, 1).holds


def test_i11_a_link_that_came_back_in_time_halts_nothing():
    desk = Desk().say(GONE).pass_on(50, 1).say(READY)

    assert desk.pass_on(LONG_S, 1).holds


@pytest.mark.parametrize("at", [dt.time(8), dt.time(16, 30)])
def test_i11_nothing_grows_old_while_no_session_is_open(at):
    assert Desk(at=at).quote(1).pass_on(LONG_S).holds


def test_i11_an_age_counts_from_the_bell():
    desk = Desk(at=dt.time(9)).quote(1).pass_on(30 * 60 + ALLOWED_S)

    assert desk.holds
    assert not desk.pass_on(4 * LOOK_S).holds


def test_i11_a_process_that_had_no_link_yet_need_not_halt():
    fresh, begun_again = Desk(linked=False), Desk().quote(1)
    begun_again.say(DeskStarted(config_fingerprint="", software="", speed=1.0, resumed=True))

    assert fresh.pass_on(LONG_S).holds
    assert begun_again.pass_on(LONG_S).holds


def test_i11_a_watchdog_that_begins_anew_or_could_not_look_gets_its_time_again():
    begun, held_up = Desk().quote(1).pass_on(100), Desk().quote(1).pass_on(100)
    begun.watch(BEGIN)
    held_up.now_ns += 60 * NS_PER_SECOND

    for desk in (begun, held_up):
        assert desk.pass_on(ALLOWED_S).holds
        assert not desk.pass_on(4 * LOOK_S).holds


def test_i11_what_the_watchdog_did_not_handle_it_did_not_see():
    desk = Desk().quote(1)
    for _ in range(LONG_S // LOOK_S):
        desk.now_ns += LOOK_S * NS_PER_SECOND
        desk.watch(LOOKED, Outcome.CRASHED)

    assert desk.holds


def test_i11_says_nothing_of_age_after_somebody_set_the_clock():
    desk = Desk().quote(1)
    desk.case.world.set_within = True

    assert desk.pass_on(LONG_S).holds
