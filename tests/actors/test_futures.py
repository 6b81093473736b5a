"""The futures actor: front months, the roll, and samples without inventions."""

import datetime as dt

import msgspec

from thetawarden.actors.futures import SAMPLE, Futures, FuturesState
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.quote import Quote
from thetawarden.domain.context.leads import GRID_NS
from thetawarden.domain.instants import UnixNs, new_york_ns
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.messages.context import LeadsViewed
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import (
    ContextObserved,
    FindInstrument,
    InstrumentsFound,
    WantLines,
)
from thetawarden.messages.timers import StartTimer, TimerFired

SESSIONS = load_sessions(Exchange.NYSE)
NOON = new_york_ns(dt.date(2026, 12, 10), dt.time(12))
DECEMBER, MARCH, SPY = 12, 3, 1


def month(conid, expiry):
    return Instrument(
        conid=conid,
        kind=InstrumentKind.FUTURE,
        symbol="ES",
        expiry=expiry,
        local_symbol=f"ES{conid}",
    )


ES = (month(DECEMBER, dt.date(2026, 12, 18)), month(MARCH, dt.date(2027, 3, 19)))


def kinds(answers, kind):
    return [each for each in answers if isinstance(each, kind)]


def futures(now=NOON):
    actor = Futures(sessions=SESSIONS)
    actor.receive(Begin(incarnation=1, resumed=False), now)
    actor.receive(LinkChanged(epoch=1, state=LinkState.READY, entries=True, why=""), now)
    actor.receive(InstrumentsFound(asked_as="ES", instruments=ES, words=""), now)
    shares = Instrument(conid=SPY, kind=InstrumentKind.STOCK, symbol="SPY")
    return actor, actor.receive(
        InstrumentsFound(asked_as="SPY", instruments=(shares,), words=""), now
    )


def quote(actor, now, **prices):
    quotes = tuple(
        Quote(conid=conid, at_ns=now, last_usd=prices[name])
        for name, conid in (("december", DECEMBER), ("march", MARCH), ("spy", SPY))
        if name in prices
    )
    actor.receive(ContextObserved(epoch=1, quotes=quotes), now)


def view(actor, now):
    said = actor.receive(TimerFired(name=SAMPLE), now)
    (viewed,) = kinds(said, LeadsViewed)
    return viewed.leads[0], said


def test_it_asks_for_futures_and_followers_once_there_is_a_link():
    actor = Futures(sessions=SESSIONS)
    before = actor.receive(Begin(incarnation=1, resumed=False), NOON)

    said = actor.receive(LinkChanged(epoch=1, state=LinkState.SYNCING, entries=False, why=""), NOON)

    assert kinds(before, FindInstrument) == []
    names = {each.asked_as for each in kinds(said, FindInstrument)}
    assert names == {"ES", "NQ", "RTY", "SPY", "QQQ", "IWM"}


def test_it_samples_on_the_grid():
    actor, _ = futures()

    _, said = view(actor, UnixNs(NOON + 7))

    (timer,) = kinds(said, StartTimer)
    assert (NOON + 7 + timer.after_ns) % GRID_NS == 0


def test_seven_days_before_its_end_a_month_is_left_for_the_next():
    actor, said = futures()
    (wanted,) = kinds(said, WantLines)

    rolls = new_york_ns(dt.date(2026, 12, 11), dt.time(9, 30))
    _, later = view(actor, rolls)

    assert {each.instrument.conid for each in wanted.wants} == {DECEMBER, SPY}
    assert {each.instrument.conid for each in kinds(later, WantLines)[0].wants} == {MARCH, SPY}


def test_the_roll_is_no_move_of_the_market():
    actor, _ = futures()
    for step in range(3):
        now = UnixNs(NOON + step * GRID_NS)
        quote(actor, now, december=6000.0, spy=600.0)
        view(actor, now)

    rolls = new_york_ns(dt.date(2026, 12, 11), dt.time(12))
    view(actor, rolls)
    quote(actor, rolls, march=6060.0, spy=600.0)
    lead, _ = view(actor, UnixNs(rolls + 1))

    assert lead.contract == "ES3"
    assert lead.changes.price is None or lead.changes.day_fraction is None


def test_a_quote_that_stands_still_for_a_step_is_no_price():
    actor, _ = futures()
    quote(actor, NOON, december=6000.0, spy=600.0)

    fresh, _ = view(actor, NOON)
    stale, _ = view(actor, UnixNs(NOON + 3 * GRID_NS))

    assert fresh.changes.price == 6000.0
    assert stale.changes.price is None
    assert stale.follower_price is None


def test_overnight_counts_from_the_last_close_and_the_day_from_the_one_before():
    actor, _ = futures()
    close = new_york_ns(dt.date(2026, 12, 9), dt.time(16))
    for hours, price in ((0, 6000.0), (4, 6030.0)):
        now = UnixNs(close + hours * 12 * GRID_NS)
        quote(actor, now, december=price)
        view(actor, now)

    lead = view(actor, UnixNs(close + 48 * GRID_NS + 1))[0]

    assert lead.changes.overnight_fraction == 6030.0 / 6000.0 - 1.0
    assert lead.changes.day_fraction is None  # nothing was sampled at the close before


def test_its_state_survives_being_written_down():
    actor, _ = futures()
    quote(actor, NOON, december=6000.0, spy=600.0)
    view(actor, NOON)

    again = msgspec.msgpack.decode(msgspec.msgpack.encode(actor.state), type=FuturesState)

    assert again == actor.state
