"""A market that remembers shows every world what a market of its own would have shown it."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetawarden.domain.instants import NS_PER_MINUTE, new_york_ns
from thetawarden.practice.market import PracticeMarket, Terms
from thetawarden.practice.model import ContractQuery
from thetawarden.sim.broker.market import RememberingMarket

START_NS = new_york_ns(dt.date(2026, 9, 14), dt.time(9, 20))
TERMS = Terms(seed=5, start_ns=START_NS)
SPY, VIX = 756733, 13455763
MINUTES = 2 * 24 * 60
FEW, MANY = 5, 40


@pytest.fixture(scope="module")
def lines():
    """Options near the money of two classes, beside a share and an index."""
    market = PracticeMarket(TERMS)
    found = [
        one.contract
        for symbol in ("SPY", "XSP")
        for one in market.find(ContractQuery(symbol=symbol, sec_type="OPT", expiry="20260918"))
        if 550 < one.contract.strike < 650
    ]
    return (SPY, VIX, *(one.con_id for one in found[::3]))


@pytest.fixture(scope="module")
def fresh(lines):
    """What a market shows that nobody asked before."""
    known = {}

    def look(minute, wanted):
        key = (minute, wanted)
        if key not in known:
            market = PracticeMarket(TERMS)
            market.advance(START_NS + minute * NS_PER_MINUTE)
            known[key] = list(market.quotes([lines[place % len(lines)] for place in wanted]))
        return known[key]

    return look


@pytest.fixture(scope="module")
def shared():
    return RememberingMarket(TERMS)


looks = st.tuples(
    st.sampled_from([0, 10, 11, 12, 45, 200, 400, 430, 1449, 1460, 1700]),
    st.lists(st.integers(0, 70), min_size=1, max_size=MANY, unique=True).map(tuple),
)
worlds = st.lists(looks, min_size=1, max_size=5)


@given(worlds=st.lists(worlds, min_size=1, max_size=3))
@settings(max_examples=15, deadline=None)
def test_each_world_sees_what_nobody_else_has_changed(shared, fresh, lines, worlds):
    for world in worlds:
        shared.begin_anew()
        for minute, wanted in sorted(world):
            shared.advance(START_NS + minute * NS_PER_MINUTE)
            seen = shared.quotes([lines[place % len(lines)] for place in wanted])
            assert seen == fresh(minute, wanted)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_day_that_was_carried_on_is_carried_back(count, lines, fresh):
    market, wanted = RememberingMarket(TERMS), tuple(range(count))
    contracts = lines[:count]

    for minute in (400, 12, 1700, 10, 0, 200):
        market.begin_anew()
        market.advance(START_NS + minute * NS_PER_MINUTE)
        market._for_now.clear()
        market._kept.clear()

        assert market.quotes(contracts) == fresh(minute, wanted)


@pytest.mark.parametrize("asks_before", [False, True])
def test_what_one_world_did_to_the_market_is_unknown_to_the_next(lines, fresh, asks_before):
    market, wanted = RememberingMarket(TERMS), tuple(range(FEW))
    if asks_before:
        market.quotes(lines[:FEW])
    market.advance(START_NS + 30 * NS_PER_MINUTE)
    market.jump(con_id=SPY, log_return=-0.05)
    market.advance(START_NS + 45 * NS_PER_MINUTE)
    fallen = market.quotes(lines[:FEW])

    market.begin_anew()
    market.advance(START_NS + 45 * NS_PER_MINUTE)

    assert fallen != fresh(45, wanted)
    assert market.quotes(lines[:FEW]) == fresh(45, wanted)


def test_the_world_after_one_that_intervened_forgets_once_and_the_next_not_again(lines):
    market = RememberingMarket(TERMS)
    market.begin_anew()
    market.jump(con_id=SPY, log_return=-0.05)
    before = market.turns

    market.begin_anew()
    forgot = market.turns
    market.begin_anew()

    assert forgot > before
    assert market.turns == forgot
