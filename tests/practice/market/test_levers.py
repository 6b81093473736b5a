"""What is forced upon the market moves all that hangs together, and never the past."""

import datetime as dt

import pytest

from thetawarden.domain.instants import new_york_ns
from thetawarden.practice.model import BarRequest, ContractQuery, CorporateEventKind

SPX, SPY, QQQ, AAPL, NVDA, VIX = 416904, 756733, 320227571, 265598, 4815747, 13455763
SECOND_NS = 10**9


def marks(market, *con_ids):
    return [quote.mark for quote in market.quotes(con_ids)]


def test_an_index_jump_takes_its_family_along_and_raises_volatility(make_market):
    market = make_market()
    es = market.find(ContractQuery(symbol="ES", sec_type="FUT"))[1].contract.con_id
    before = marks(market, SPX, SPY, es, QQQ, AAPL, VIX)

    market.jump(con_id=SPX, log_return=-0.05)
    after = marks(market, SPX, SPY, es, QQQ, AAPL, VIX)

    moves = [b / a - 1.0 for a, b in zip(before, after, strict=True)]
    assert moves[0] == pytest.approx(-0.0488, abs=0.001)
    assert moves[1] == pytest.approx(moves[0], abs=0.001)
    assert moves[2] == pytest.approx(moves[0], abs=0.001)
    assert moves[3] < moves[0]
    assert moves[4] < -0.03
    assert moves[5] > 0.15


def test_a_companys_jump_is_its_own(make_market):
    market = make_market()
    before = marks(market, AAPL, SPX, NVDA)

    market.jump(con_id=AAPL, log_return=0.08)
    after = marks(market, AAPL, SPX, NVDA)

    assert after[0] / before[0] == pytest.approx(1.083, abs=0.001)
    assert after[1:] == before[1:]


def test_a_jump_leaves_the_past_as_it_was(make_market):
    market = make_market()
    request = BarRequest(
        con_id=SPY,
        bar_s=300,
        start_ns=market.now_ns - 4 * 86_400 * SECOND_NS,
        end_ns=market.now_ns,
        what="TRADES",
        regular_hours_only=True,
    )
    before = market.bars(request)

    market.advance(market.now_ns + 60 * SECOND_NS)
    market.jump(con_id=SPX, log_return=-0.05)

    assert market.bars(request) == before


def test_a_halted_share_and_its_options_have_no_market_until_resumed(make_market):
    market = make_market()
    option = market.find(ContractQuery(symbol="AAPL", sec_type="OPT", expiry="20261016"))[60]
    con_ids = (AAPL, option.contract.con_id)

    market.halt(con_id=AAPL, halted=True)
    market.advance(market.now_ns + SECOND_NS)
    halted = market.quotes(con_ids)
    market.halt(con_id=AAPL, halted=False)
    resumed = market.quotes(con_ids)

    assert all(quote.halted and quote.bid is None for quote in halted)
    assert all(not quote.halted and quote.ask is not None for quote in resumed)


def test_a_split_divides_price_past_strikes_and_dividends(make_market):
    market = make_market()
    day = BarRequest(
        con_id=NVDA,
        bar_s=86_400,
        start_ns=market.now_ns - 20 * 86_400 * SECOND_NS,
        end_ns=market.now_ns,
        what="TRADES",
        regular_hours_only=True,
    )
    (price,) = marks(market, NVDA)
    old_close = market.bars(day)[0].close

    assert market.split(con_id=NVDA, new_shares=2, old_shares=1)

    assert marks(market, NVDA)[0] == pytest.approx(price / 2.0, abs=0.011)
    assert market.bars(day)[0].close == pytest.approx(old_close / 2.0, abs=0.011)
    query = ContractQuery(symbol="NVDA", sec_type="OPT", expiry="20261016", strike=85.0, right="P")
    assert len(market.find(query)) == 1
    today = dt.date(2026, 9, 14)
    events = market.events(con_id=NVDA, first=today, last=today)
    assert [one.kind for one in events] == [CorporateEventKind.SPLIT]


def test_only_shares_split(make_market):
    market = make_market()

    assert not market.split(con_id=SPX, new_shares=2, old_shares=1)
    assert not market.split(con_id=NVDA, new_shares=0, old_shares=1)
    assert not market.split(con_id=1, new_shares=2, old_shares=1)


def test_spy_drops_by_its_dividend_on_the_ex_day(make_market):
    market = make_market()
    (dividend,) = (
        one
        for one in market.events(con_id=SPY, first=dt.date(2026, 9, 15), last=dt.date(2026, 10, 30))
        if one.kind is CorporateEventKind.DIVIDEND
    )
    open_ns = new_york_ns(dividend.day, dt.time(9, 30))

    def over_index(at_ns):
        market.advance(at_ns)
        spy, spx = (
            market._parts.motion.paths.spot("SPY", at_ns),
            market._parts.motion.paths.spot("SPX", at_ns),
        )
        return spy, spx

    spy_before, spx_before = over_index(open_ns - 1)
    spy_after, spx_after = over_index(open_ns)

    dropped = spy_before - spy_after * spx_before / spx_after
    assert dropped == pytest.approx(dividend.amount_usd, abs=0.01)


def test_a_report_jumps_the_price_and_is_in_the_options_before(make_market):
    market = make_market()
    (report,) = (
        one
        for one in market.events(
            con_id=AAPL, first=dt.date(2026, 10, 1), last=dt.date(2026, 10, 31)
        )
        if one.kind is CorporateEventKind.EARNINGS
    )
    day = report.day
    after = next(
        expiry
        for expiry in market.chains(under_con_id=AAPL)[0].expiries
        if expiry > day + dt.timedelta(days=7)
    )
    query = ContractQuery(
        symbol="AAPL", sec_type="OPT", expiry=f"{after:%Y%m%d}", strike=230.0, right="C"
    )
    (option,) = market.find(query)

    def volatility(on):
        market.advance(new_york_ns(on, dt.time(15, 55)))
        return market.quote(option.contract.con_id).model.iv_annual

    before = volatility(day - dt.timedelta(days=1))
    assert before > 1.05 * volatility(day + dt.timedelta(days=1))
