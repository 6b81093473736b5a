"""The context actor: every history once, live lines, and what the regime looks at."""

import datetime as dt

import msgspec
import pytest

from thetawarden.actors.context import BARS_KEPT, INDICES, TAKE, UPKEEP, Context, ContextState
from thetawarden.domain.broker.bars import BarsOf, DailyBar
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.lines import LinePriority
from thetawarden.domain.broker.quote import Quote
from thetawarden.domain.instants import UnixNs, new_york_ns
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.market.calendar import sessions_between
from thetawarden.domain.market.events import MacroDates, MacroSchedule
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.messages.context import ContextTaken, FiguresComputed, HoldingsNamed
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import (
    ContextObserved,
    FetchHistory,
    FindInstrument,
    HistoryFetched,
    InstrumentsFound,
    WantLines,
)
from thetawarden.messages.operations import NotifyPerson
from thetawarden.messages.timers import TimerFired

SESSIONS = load_sessions(Exchange.NYSE)
NOON = new_york_ns(dt.date(2026, 11, 20), dt.time(12))
KNOWN = MacroSchedule(known_until=dt.date(2030, 1, 1), days=(dt.date(2020, 1, 2),))
MACRO = MacroDates(fomc=KNOWN, cpi=KNOWN, nfp=KNOWN)
NAMES = (*INDICES, "VX", "AAPL")


def index(name, conid):
    kind = InstrumentKind.STOCK if name == "AAPL" else InstrumentKind.INDEX
    return Instrument(conid=conid, kind=kind, symbol=name)


FOUND = {name: (index(name, n + 1),) for n, name in enumerate(NAMES) if name != "VX"} | {
    "VX": tuple(
        Instrument(
            conid=100 + n, kind=InstrumentKind.FUTURE, symbol="VIX", expiry=dt.date(2026, n, 18)
        )
        for n in (11, 12)
    )
}


def context():
    return Context(
        sessions=SESSIONS,
        macro=MACRO,
        underlyings={"AAPL": InstrumentKind.STOCK},
        every_ns=15_000_000_000,
    )


def link(state=LinkState.READY, epoch=1):
    return LinkChanged(epoch=epoch, state=state, entries=state is LinkState.READY, why="test")


def kinds(answers, kind):
    return [each for each in answers if isinstance(each, kind)]


def bars(until=dt.date(2026, 11, 19), count=260):
    days = sessions_between(until - dt.timedelta(days=count * 2), until, SESSIONS)[-count:]
    return tuple(
        DailyBar(day=day, open_usd=100.0, high_usd=101.0 + n % 3, low_usd=99.0, close_usd=100.5)
        for n, day in enumerate(days)
    )


def ready():
    """A context that found everything and has every history."""
    actor = context()
    actor.receive(Begin(incarnation=1, resumed=False), NOON)
    actor.receive(link(), NOON)
    for name, found in FOUND.items():
        actor.receive(InstrumentsFound(asked_as=name, instruments=found, words=""), NOON)
    for name, found in FOUND.items():
        if name != "VX":
            fetched = HistoryFetched(instrument=found[0], bars=bars(), words="")
            actor.receive(fetched, NOON)
    actor.receive(volatilities(bars()), NOON)
    return actor


def volatilities(of, name="AAPL"):
    return HistoryFetched(
        instrument=FOUND[name][0], bars=of, words="", what=BarsOf.IMPLIED_VOLATILITY
    )


def test_it_asks_nothing_of_a_broker_that_is_not_there():
    actor = context()

    said = actor.receive(Begin(incarnation=1, resumed=False), NOON)

    assert {each.name for each in said} == {TAKE, UPKEEP}
    assert actor.receive(link(LinkState.CONNECTING), NOON) == ()


def test_once_connected_it_looks_for_every_instrument():
    actor = context()
    actor.receive(Begin(incarnation=1, resumed=False), NOON)

    said = actor.receive(link(LinkState.SYNCING), NOON)

    assert {each.asked_as for each in kinds(said, FindInstrument)} == set(NAMES)


def test_each_history_is_asked_for_once():
    actor = context()
    actor.receive(Begin(incarnation=1, resumed=False), NOON)
    actor.receive(link(), NOON)

    said = [
        each
        for name, found in FOUND.items()
        for each in actor.receive(
            InstrumentsFound(asked_as=name, instruments=found, words=""), NOON
        )
    ]

    asked = [each.instrument.symbol for each in kinds(said, FetchHistory)]
    assert sorted(asked) == sorted(set(NAMES) - {"VX"})


def test_what_has_been_fetched_is_not_fetched_again_before_the_next_session_ends():
    actor = ready()

    evening = new_york_ns(dt.date(2026, 11, 20), dt.time(16, 59))
    before = actor.receive(TimerFired(name=UPKEEP), evening)
    after = actor.receive(TimerFired(name=UPKEEP), UnixNs(evening + 120_000_000_000))

    assert kinds(before, FetchHistory) == []
    asks = kinds(after, FetchHistory)
    assert {each.since for each in asks} == {dt.date(2026, 11, 19)}
    of = [each.what for each in asks]
    assert of.count(BarsOf.TRADES) == len(NAMES) - 1
    assert of.count(BarsOf.IMPLIED_VOLATILITY) == 1


def fetched_prices(actor):
    """What is said when the prices of a company came, and of an index that is not sold."""
    actor.receive(link(), NOON)
    said = []
    for name in ("AAPL", "VIX"):
        found = InstrumentsFound(asked_as=name, instruments=FOUND[name], words="")
        actor.receive(found, NOON)
        prices = HistoryFetched(instrument=FOUND[name][0], bars=bars(), words="")
        said += actor.receive(prices, NOON)
    return kinds(said, FetchHistory)


def test_a_year_of_implied_volatility_is_asked_for_after_the_prices_of_what_is_sold():
    actor = context()

    (asked,) = fetched_prices(actor)

    assert (asked.instrument.symbol, asked.what) == ("AAPL", BarsOf.IMPLIED_VOLATILITY)
    assert asked.since < dt.date(2025, 11, 20)


def test_what_has_no_implied_volatility_is_asked_for_it_once_a_day():
    actor = context()
    fetched_prices(actor)
    actor.receive(volatilities(()), NOON)

    same_day = actor.receive(TimerFired(name=UPKEEP), NOON)
    next_day = actor.receive(TimerFired(name=UPKEEP), UnixNs(NOON + 24 * 3600 * 10**9))

    kept = [
        BarsOf.IMPLIED_VOLATILITY in {one.what for one in kinds(each, FetchHistory)}
        for each in (same_day, next_day)
    ]
    assert kept == [False, True]


def test_implied_volatilities_give_figures_their_rank():
    actor = context()
    fetched_prices(actor)
    rising = tuple(
        DailyBar(day=one.day, open_usd=iv, high_usd=iv, low_usd=iv, close_usd=iv)
        for one, iv in ((one, 0.1 + n / 1000) for n, one in enumerate(bars()))
    )

    (told,) = kinds(actor.receive(volatilities(rising), NOON), FiguresComputed)

    assert told.figures.iv_day == rising[-1].day
    assert told.figures.iv_rank_fraction == 1.0
    assert told.figures.sma200 == pytest.approx(100.5)


def test_a_volatility_that_was_corrected_is_no_split():
    actor = ready()
    last = msgspec.structs.replace(bars()[-1], close_usd=50.0, low_usd=49.0)

    said = actor.receive(volatilities((last,)), NOON)

    assert kinds(said, FetchHistory) == []
    assert actor.state.volatilities["AAPL"].bars[-1].close_usd == 50.0


def test_an_adjusted_history_is_fetched_anew_from_its_beginning():
    actor = ready()
    split = (msgspec.structs.replace(bars()[-1], close_usd=25.0, open_usd=25.0, low_usd=24.0),)

    said = actor.receive(HistoryFetched(instrument=FOUND["AAPL"][0], bars=split, words=""), NOON)

    (again,) = kinds(said, FetchHistory)
    assert again.since < dt.date(2025, 11, 20)
    assert "AAPL" not in actor.state.histories


def test_a_longer_history_gives_new_figures_and_stays_bounded():
    actor = context()
    actor.receive(link(), NOON)
    actor.receive(InstrumentsFound(asked_as="AAPL", instruments=FOUND["AAPL"], words=""), NOON)

    said = actor.receive(
        HistoryFetched(instrument=FOUND["AAPL"][0], bars=bars(count=400), words=""), NOON
    )

    (computed,) = kinds(said, FiguresComputed)
    assert computed.symbol == "AAPL"
    assert computed.figures.sma200 == pytest.approx(100.5)
    assert len(actor.state.histories["AAPL"].bars) == BARS_KEPT


def test_lines_are_wanted_as_context_and_only_when_they_change():
    actor = ready()

    wanted = set(actor.state.wanted)
    again = actor.receive(TimerFired(name=UPKEEP), NOON)
    rolled = actor.receive(TimerFired(name=UPKEEP), new_york_ns(dt.date(2026, 12, 18), dt.time(12)))

    assert wanted == {FOUND[name][0].conid for name in INDICES} | {112}  # 11/18 has ended
    assert kinds(again, WantLines) == []
    (after,) = kinds(rolled, WantLines)
    assert {want.priority for want in after.wants} == {LinePriority.CONTEXT}
    assert {want.instrument.conid for want in after.wants} == wanted - {112}


def test_what_was_quoted_under_an_older_link_is_not_read():
    actor = ready()
    vix = FOUND["VIX"][0].conid
    old = ContextObserved(epoch=1, quotes=(Quote(conid=vix, at_ns=NOON, last_usd=17.0),))
    actor.receive(old, NOON)
    first = kinds(actor.receive(TimerFired(name=TAKE), NOON), ContextTaken)[0]

    actor.receive(link(LinkState.DOWN, epoch=2), NOON)
    actor.receive(old, NOON)
    second = kinds(actor.receive(TimerFired(name=TAKE), NOON), ContextTaken)[0]

    assert first.inputs.curve.vix.value == 17.0
    assert second.inputs.curve.vix is None


def test_it_knows_whether_the_market_trades():
    actor = ready()
    night = new_york_ns(dt.date(2026, 11, 20), dt.time(3))

    noon = kinds(actor.receive(TimerFired(name=TAKE), NOON), ContextTaken)[0]
    asleep = kinds(actor.receive(TimerFired(name=TAKE), night), ContextTaken)[0]

    assert (noon.trading, asleep.trading) == (True, False)


def test_what_is_held_is_looked_for_and_its_likeness_measured():
    actor = ready()

    said = actor.receive(HoldingsNamed(underlyings=("AAPL", "MSFT")), NOON)
    taken = kinds(actor.receive(TimerFired(name=TAKE), NOON), ContextTaken)[0]

    assert [each.asked_as for each in kinds(said, FindInstrument)] == ["MSFT"]
    assert taken.inputs.underlyings == 2
    assert taken.inputs.average_correlation is None


def test_an_instrument_the_broker_does_not_know_is_reported():
    actor = context()
    actor.receive(link(), NOON)

    said = actor.receive(InstrumentsFound(asked_as="AAPL", instruments=(), words="no such"), NOON)

    assert [each.text for each in kinds(said, NotifyPerson)] == [
        "the broker knows no AAPL: no such"
    ]


def test_its_state_survives_being_written_down():
    actor = ready()

    again = msgspec.msgpack.decode(msgspec.msgpack.encode(actor.state), type=ContextState)

    assert again == actor.state
