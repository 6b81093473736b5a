"""Quotes hang together: with each other, with the indices, with the clock."""

import datetime as dt

import numpy as np
import pytest

from thetawarden.domain.instants import new_york_ns
from thetawarden.domain.market.ticks import is_on_tick
from thetawarden.domain.surface.vix import Strip, StripVariance, strip_variance, volatility_index
from thetawarden.domain.units import to_decimal
from thetawarden.practice.market.carry import RATE_ANNUAL
from thetawarden.practice.market.roster import CLASSES
from thetawarden.practice.model import ContractQuery

SPX, XSP, SPY, VIX = 416904, 137851301, 756733, 13455763
YEAR_NS = 365 * 86_400 * 10**9


def chain(market, symbol, expiry, trading_class=""):
    """Strike, right and quote of every option of an expiry."""
    found = market.find(
        ContractQuery(symbol=symbol, sec_type="OPT", expiry=expiry, trading_class=trading_class)
    )
    quotes = market.quotes([one.contract.con_id for one in found])
    return [(one.contract, quote) for one, quote in zip(found, quotes, strict=True)]


def columns(rows, right):
    chosen = [(one.strike, quote.bid, quote.ask) for one, quote in rows if one.right == right]
    return np.array(sorted(chosen)).T


@pytest.mark.parametrize(
    ("symbol", "trading_class"), [("SPX", "SPXW"), ("SPY", ""), ("AAPL", ""), ("TSLA", "")]
)
def test_nothing_in_a_chain_can_be_bought_and_sold_for_a_sure_gain(still, symbol, trading_class):
    for expiry in ("20260918", "20261016", "20261218"):
        rows = chain(still, symbol, expiry, trading_class)
        strike, call_bid, call_ask = columns(rows, "C")
        _, put_bid, put_ask = columns(rows, "P")

        assert np.all(call_bid[1:] <= call_ask[:-1])
        assert np.all(put_bid[:-1] <= put_ask[1:])
        assert np.all(call_bid[:-1] - call_ask[1:] <= np.diff(strike) + 1e-9)
        weight = (strike[2:] - strike[1:-1]) / (strike[2:] - strike[:-2])
        for bid, ask in ((call_bid, call_ask), (put_bid, put_ask)):
            wings = weight * ask[:-2] + (1.0 - weight) * ask[2:]
            assert np.all(wings - bid[1:-1] >= -1e-9)


def test_a_later_call_can_never_be_bought_below_an_earlier_bid(still):
    early, late = (
        columns(chain(still, "SPX", expiry, "SPXW"), "C") for expiry in ("20260918", "20261016")
    )
    yield_lost = np.exp(-0.013 * 28 / 365)

    _, in_early, in_late = np.intersect1d(early[0], late[0], return_indices=True)

    assert len(in_early) > 100
    assert np.all(late[2][in_late] >= early[1][in_early] * yield_lost)


@pytest.mark.parametrize(
    ("symbol", "expiry", "trading_class"),
    [("SPX", "20260918", "SPX"), ("SPX", "20260918", "SPXW"), ("AAPL", "20261016", "AAPL")],
)
def test_both_sides_stand_on_ticks_around_fair_value(still, symbol, expiry, trading_class):
    rule = CLASSES[trading_class].ticks

    for _, quote in chain(still, symbol, expiry, trading_class):
        assert 0.0 <= quote.bid <= quote.mark <= quote.ask
        assert quote.bid < quote.ask
        assert is_on_tick(to_decimal(quote.bid, places=4), rule)
        assert is_on_tick(to_decimal(quote.ask, places=4), rule)
        assert (quote.bid_size > 0) == (quote.bid > 0.0)
        assert quote.ask_size > 0


def test_far_from_the_money_nobody_bids(still):
    rows = chain(still, "SPX", "20260918", "SPXW")

    assert all(quote.bid == 0.0 for one, quote in rows if one.right == "C" and one.strike > 8000)
    assert all(quote.bid > 0.0 for one, quote in rows if one.right == "P" and one.strike > 6200)


def test_spreads_are_wider_at_the_open_and_when_told_so(make_market):
    market = make_market(start_ns=new_york_ns(dt.date(2026, 9, 14), dt.time(9, 30, 5)))
    con_id = next(
        one.con_id
        for one, _ in chain(market, "SPX", "20261016", "SPXW")
        if one.strike == 6400 and one.right == "P"
    )

    def width():
        quote = market.quote(con_id)
        return quote.ask - quote.bid

    at_open = width()
    market.advance(new_york_ns(dt.date(2026, 9, 14), dt.time(12)))
    at_noon = width()
    market.widen(con_id=SPX, factor=5.0)

    assert at_open > 2.0 * at_noon
    assert width() > 3.0 * at_noon


def strip(market, symbol, expiry, trading_class):
    rows = chain(market, symbol, expiry.replace("-", ""), trading_class)
    strike, call_bid, call_ask = columns(rows, "C")
    _, put_bid, put_ask = columns(rows, "P")
    close_ns = new_york_ns(dt.date.fromisoformat(expiry), dt.time(16))
    return Strip(
        strike_usd=strike,
        call_bid_usd=call_bid,
        call_ask_usd=call_ask,
        put_bid_usd=put_bid,
        put_ask_usd=put_ask,
        rate_annual=RATE_ANNUAL,
        tau_years=(close_ns - market.now_ns) / YEAR_NS,
    )


def test_anybody_can_compute_the_vix_from_the_quotes_he_sees(still):
    # thirty days from Monday 14 September is Wednesday 14 October, 10:00
    near, far = (
        strip_variance(strip(still, "SPX", expiry, "SPXW"))
        for expiry in ("2026-10-13", "2026-10-14")
    )
    assert isinstance(near, StripVariance)
    assert isinstance(far, StripVariance)

    computed = volatility_index(near=near, far=far, target_days=30.0)

    assert computed == pytest.approx(still.quote(VIX).last, abs=0.006)


def test_xsp_is_a_tenth_and_spy_follows_with_its_dividend(make_market):
    market = make_market()
    for _ in range(5):
        market.advance(market.now_ns + 40 * 60 * 10**9)
        spx, xsp, spy = (market.quote(one).last for one in (SPX, XSP, SPY))

        assert xsp == pytest.approx(spx / 10.0, abs=0.006)
        assert spy == pytest.approx(spx / 10.0, rel=0.02)


def test_index_futures_stand_above_spot_by_rate_less_yield_and_in_order(still):
    found = still.find(ContractQuery(symbol="ES", sec_type="FUT"))
    prices = [still.quote(one.contract.con_id).mark for one in found]
    spot = still.quote(SPX).last

    years = (dt.date(2026, 12, 18) - dt.date(2026, 9, 14)).days / 365.0
    assert prices == sorted(prices)
    assert prices[1] == pytest.approx(spot * np.exp((RATE_ANNUAL - 0.013) * years), rel=2e-4)


def test_the_vix_future_meets_the_index_when_it_settles(make_market):
    market = make_market(start_ns=new_york_ns(dt.date(2026, 9, 15), dt.time(15)))
    (future,) = (
        one.contract.con_id
        for one in market.find(ContractQuery(symbol="VIX", sec_type="FUT", expiry="202609"))
    )
    market.advance(new_york_ns(dt.date(2026, 9, 16), dt.time(8, 59)))
    last = market.quote(future).mark

    market.advance(new_york_ns(dt.date(2026, 9, 16), dt.time(9, 30, 1)))

    assert last == pytest.approx(market.quote(VIX).open, rel=0.04)
    assert market.quote(future) is None


def test_after_hours_only_what_still_trades_has_two_sides(make_market):
    market = make_market(start_ns=new_york_ns(dt.date(2026, 9, 14), dt.time(16, 30)))
    spx_option = next(one.con_id for one, _ in chain(market, "SPX", "20261016", "SPXW")[800:])
    stock_option = next(one.con_id for one, _ in chain(market, "AAPL", "20261016")[40:])
    es = market.find(ContractQuery(symbol="ES", sec_type="FUT"))[0].contract.con_id

    assert market.quote(spx_option).ask is not None
    assert market.quote(es).bid is not None
    for con_id in (stock_option, SPY):
        quote = market.quote(con_id)
        assert quote.bid is None
        assert quote.ask is None
        assert quote.mark > 0.0


def test_the_same_quote_is_the_same_object_until_something_moves(make_market):
    market = make_market()
    con_id = chain(market, "SPX", "20261016", "SPXW")[700][0].con_id

    first = market.quote(con_id)
    market.advance(market.now_ns + 1_000_000)

    assert market.quote(con_id) is first


def test_volume_grows_and_a_print_lies_within_the_day(make_market):
    market = make_market()
    con_ids = [one.con_id for one, _ in chain(market, "SPY", "20260918")[60:140]]
    before = market.quotes(con_ids)

    market.advance(market.now_ns + 3600 * 10**9)
    after = market.quotes(con_ids)

    assert all(b.volume <= a.volume for b, a in zip(before, after, strict=True))
    assert sum(a.volume for a in after) > sum(b.volume for b in before)
    assert all(a.low <= a.last <= a.high for a in after if a.last is not None)
    assert all(a.open_interest >= 0 for a in after)


def test_vix_options_are_priced_off_their_future_and_dearer_upwards(still):
    (future,) = still.find(ContractQuery(symbol="VIX", sec_type="FUT", expiry="202610"))
    forward = still.quote(future.contract.con_id).mark
    rows = chain(still, "VIX", "20261021")
    years = (new_york_ns(dt.date(2026, 10, 21), dt.time(9, 30)) - still.now_ns) / YEAR_NS

    calls, puts = (
        {one.strike: quote for one, quote in rows if one.right == right} for right in ("C", "P")
    )

    for strike in (15.0, 20.0, 30.0):
        synthetic = strike + (calls[strike].mark - puts[strike].mark) * np.exp(RATE_ANNUAL * years)
        assert synthetic == pytest.approx(forward, abs=0.03)
    assert calls[40.0].model.iv_annual > calls[20.0].model.iv_annual


@pytest.mark.parametrize(
    ("day", "shares", "futures"),
    [
        (dt.date(2026, 11, 25), True, True),
        (dt.date(2026, 11, 26), False, True),  # Thanksgiving: New York rests, CME trades to 13:00
        (dt.date(2026, 11, 27), True, True),
    ],
)
def test_cme_keeps_its_own_holidays_and_half_days(make_market, day, shares, futures):
    market = make_market(start_ns=new_york_ns(dt.date(2026, 11, 25), dt.time(9)))
    (es, *_) = market.find(ContractQuery(symbol="ES", sec_type="FUT"))
    spy = market.search("SPY")[0].contract
    market.advance(new_york_ns(day, dt.time(11)))

    quoted = [market.quote(one.con_id).bid is not None for one in (spy, es.contract)]
    assert quoted == [shares, futures]

    market.advance(new_york_ns(day, dt.time(13, 30)))
    half = day != dt.date(2026, 11, 25)
    assert (market.quote(es.contract.con_id).bid is None) is half


def test_futures_have_bars_on_days_new_york_is_closed(make_market):
    market = make_market(start_ns=new_york_ns(dt.date(2026, 11, 30), dt.time(11)))
    (es, *_) = market.find(ContractQuery(symbol="ES", sec_type="FUT"))
    thanksgiving = dt.date(2026, 11, 26)

    (one,) = market.sessions(
        con_id=es.contract.con_id, first=thanksgiving, last=thanksgiving, regular=False
    )

    assert one.close_ns == new_york_ns(thanksgiving, dt.time(13))
