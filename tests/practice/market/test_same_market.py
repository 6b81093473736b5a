"""The same seed is the same market, however time is cut and whoever has looked before."""

import datetime as dt

import pytest

from thetawarden.domain.instants import new_york_date, new_york_ns
from thetawarden.practice.model import ContractQuery

SECOND_NS = 1_000_000_000
SPAN_NS = 20 * 60 * SECOND_NS


def sample(market):
    options = [
        one.contract.con_id
        for query in (
            ContractQuery(symbol="SPX", sec_type="OPT", expiry="20260918", right="P"),
            ContractQuery(symbol="AAPL", sec_type="OPT", expiry="20261016", right="C"),
        )
        for one in market.find(query)[::12]
    ]
    futures = [
        one.contract.con_id
        for symbol in ("ES", "VIX")
        for one in market.find(ContractQuery(symbol=symbol, sec_type="FUT"))
    ]
    shares = [one.con_id for one in market.underlyings()]
    return market.quotes([*options, *futures, *shares])


@pytest.fixture(scope="module")
def in_one_jump(new_market):
    market = new_market()
    market.advance(market.now_ns + SPAN_NS)
    return sample(market)


def test_a_jump_and_seconds_lead_to_the_same_quotes(make_market, in_one_jump):
    market = make_market()

    for _ in range(SPAN_NS // SECOND_NS):
        market.advance(market.now_ns + SECOND_NS)
        market.quote(756733)

    assert sample(market) == in_one_jump


def test_irregular_steps_lead_to_the_same_quotes(make_market, in_one_jump):
    market = make_market()
    end_ns = market.now_ns + SPAN_NS

    step_ns = 1
    while market.now_ns < end_ns:
        market.advance(min(market.now_ns + step_ns, end_ns))
        market.quotes([416904, 13455763])
        step_ns = step_ns * 7 % 90_000_000_011 + 1

    assert sample(market) == in_one_jump


def test_another_seed_is_another_market(make_market, in_one_jump):
    market = make_market(seed=8)
    market.advance(market.now_ns + SPAN_NS)

    assert sample(market) != in_one_jump


def test_a_saved_market_goes_on_where_it_was(make_market):
    market = make_market()
    market.jump(con_id=416904, log_return=-0.03)
    market.advance(market.now_ns + SPAN_NS)
    again = make_market()

    again.restore(market.save())

    assert sample(again) == sample(market)


def test_a_saved_market_goes_on_in_one_begun_on_another_day(make_market):
    market = make_market()
    market.advance(market.now_ns + SPAN_NS)
    later = make_market(start_ns=market.now_ns + 3 * 86_400 * SECOND_NS)

    later.restore(market.save())

    assert sample(later) == sample(market)


def test_what_is_no_saved_market_is_refused(make_market):
    market = make_market()

    with pytest.raises(ValueError, match="no saved market"):
        market.restore(b"rubbish")
    with pytest.raises(ValueError, match="saved market is"):
        market.restore(make_market(seed=9).save())


def test_a_look_at_the_very_close_changes_nothing_that_is_shown_later(make_market):
    close_ns = new_york_ns(new_york_date(make_market().now_ns), dt.time(17, 0))
    seen, unseen = make_market(), make_market()

    seen.advance(close_ns)
    at_the_close = sample(seen)
    for market in (seen, unseen):
        market.advance(close_ns + 15 * 60 * SECOND_NS)

    assert sample(seen) == sample(unseen)
    assert at_the_close[0].bid is None
