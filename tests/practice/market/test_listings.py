"""What is listed is what life lists, and never vanishes before its time."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetawarden.domain.instants import new_york_ns
from thetawarden.practice.market.ids import OptionTerms, option_con_id, option_terms, strike_grid
from thetawarden.practice.market.roster import CLASSES
from thetawarden.practice.model import ContractQuery, SecType

TODAY = dt.date(2026, 9, 14)
WEEKDAYS = st.dates(TODAY - dt.timedelta(days=2000), TODAY + dt.timedelta(days=2000)).filter(
    lambda day: day.weekday() < 5
)


@st.composite
def options(draw):
    name = draw(st.sampled_from(sorted(CLASSES)))
    grid = strike_grid(name)
    step = draw(st.integers(min_value=1, max_value=grid.steps - 1))
    return OptionTerms(
        trading_class=name,
        expiry=draw(WEEKDAYS),
        strike=step * grid.unit,
        is_put=draw(st.booleans()),
    )


@given(terms=options())
@settings(max_examples=400)
def test_a_con_id_is_its_terms_and_fits_into_the_brokers_range(terms):
    con_id = option_con_id(terms)

    assert 0 < con_id < 2**31
    assert option_terms(con_id, today=TODAY) == terms


def test_con_ids_and_details_are_the_same_in_another_run(still, make_market):
    query = ContractQuery(symbol="SPY", sec_type="OPT", expiry="20261016", right="P")

    assert make_market().find(query) == still.find(query)


def test_spx_has_am_monthlies_and_pm_dailies_on_the_same_third_friday(still):
    found = still.find(
        ContractQuery(symbol="SPX", sec_type="OPT", expiry="20261016", strike=6400.0)
    )

    by_class = {one.contract.trading_class: one for one in found}
    assert set(by_class) == {"SPX", "SPXW"}
    assert by_class["SPX"].am_settled
    assert not by_class["SPXW"].am_settled
    assert by_class["SPX"].last_trade_time == "16:15:00"
    assert by_class["SPXW"].last_trade_time == "16:00:00"
    assert by_class["SPX"].cash_settled


@pytest.mark.parametrize(
    ("symbol", "classes"),
    [("SPX", {"SPX", "SPXW"}), ("XSP", {"XSP", "XSPW"}), ("SPY", {"SPY"}), ("AAPL", {"AAPL"})],
)
def test_chains_name_the_classes(still, symbol, classes):
    under = still.search(symbol)[0].contract

    rows = still.chains(under_con_id=under.con_id)

    assert {row.trading_class for row in rows} == classes
    assert all(row.expiries and row.strikes for row in rows)


def test_spy_expires_every_day_and_stocks_on_fridays(still):
    def expiries(symbol):
        under = still.search(symbol)[0].contract.con_id
        return still.chains(under_con_id=under)[0].expiries

    assert expiries("SPY")[:5] == tuple(dt.date(2026, 9, day) for day in range(14, 19))
    assert all(day.weekday() == 4 for day in expiries("AAPL")[:8])


def test_a_local_symbol_is_enough(still):
    found = still.find(ContractQuery(sec_type="OPT", local_symbol="SPY   261016P00640000"))

    assert [one.contract.strike for one in found] == [640.0]
    assert found[0].contract.sec_type is SecType.OPTION
    assert found[0].under_con_id == 756733


def test_a_con_id_alone_is_enough_and_rubbish_finds_nothing(still):
    assert still.find(ContractQuery(con_id=756733))[0].contract.symbol == "SPY"
    assert still.find(ContractQuery(con_id=123)) == ()
    assert still.find(ContractQuery(symbol="NOPE", sec_type="STK")) == ()
    assert still.find(ContractQuery(symbol="SPX", sec_type="OPT", expiry="20261017")) == ()


def test_search_ranks_symbols_before_names(still):
    assert still.search("SPX")[0].contract.symbol == "SPX"
    assert {one.contract.symbol for one in still.search("apple")} == {"AAPL"}


@pytest.mark.parametrize("scenario", ["crash-2020-like", "melt-up"])
def test_ladders_only_grow_until_expiry(make_market, scenario):
    market = make_market(scenario=scenario)
    query = ContractQuery(symbol="SPX", sec_type="OPT", expiry="20261016", right="P")
    before = {one.contract.con_id for one in market.find(query)}

    for day in (15, 16, 22, 30):
        market.advance(new_york_ns(dt.date(2026, 9, day), dt.time(15)))
        now = {one.contract.con_id for one in market.find(query)}
        assert before <= now
        before = now


def test_an_expired_option_has_details_but_no_quote(make_market):
    market = make_market()
    query = ContractQuery(symbol="SPX", sec_type="OPT", expiry="20260914", strike=6350.0)
    con_ids = [one.contract.con_id for one in market.find(query)]
    assert con_ids

    market.advance(new_york_ns(dt.date(2026, 9, 15), dt.time(10)))

    assert market.find(query) == ()
    for con_id in con_ids:
        assert market.quote(con_id) is None
        assert market.details(con_id).contract.strike == 6350.0


def test_half_days_and_holidays_show_in_sessions_and_hours(still):
    first, last = dt.date(2026, 11, 25), dt.date(2026, 11, 28)

    sessions = still.sessions(con_id=756733, first=first, last=last, regular=True)

    assert [one.day for one in sessions] == [dt.date(2026, 11, 25), dt.date(2026, 11, 27)]
    assert sessions[1].close_ns == new_york_ns(dt.date(2026, 11, 27), dt.time(13))


def test_market_rules_are_ladders(still):
    details = still.find(ContractQuery(symbol="SPX", sec_type="OPT", expiry="20261016"))[0]

    bands = still.market_rule(details.market_rule_ids[0])

    assert [(one.low_edge, one.increment) for one in bands] == [(0.0, 0.05), (3.0, 0.10)]
    assert still.market_rule(999_999) is None
