"""The past agrees with itself: short bars with long ones, bars with what quotes said."""

import datetime as dt
from itertools import pairwise

import pytest

from thetawarden.domain.instants import new_york_ns
from thetawarden.practice.model import BarRequest, ContractQuery, TickRequest

SPX, SPY, VIX = 416904, 756733, 13455763
SECOND_NS = 10**9
DAY = dt.date(2026, 9, 11)
OPEN_NS, CLOSE_NS = (new_york_ns(DAY, at) for at in (dt.time(9, 30), dt.time(16)))


def bars(market, con_id, bar_s, start_ns, end_ns, *, what="TRADES"):
    return market.bars(
        BarRequest(
            con_id=con_id,
            bar_s=bar_s,
            start_ns=start_ns,
            end_ns=end_ns,
            what=what,
            regular_hours_only=True,
        )
    )


@pytest.mark.parametrize("con_id", [SPX, SPY])
@pytest.mark.parametrize("bar_s", [5, 60, 3600])
def test_a_days_bar_is_made_of_its_shorter_bars(still, con_id, bar_s):
    (daily,) = bars(still, con_id, 86_400, new_york_ns(DAY, dt.time(0)), CLOSE_NS)

    short = bars(still, con_id, bar_s, OPEN_NS, CLOSE_NS)

    assert short[0].open == daily.open
    assert short[-1].close == daily.close
    assert max(bar.high for bar in short) == daily.high
    assert min(bar.low for bar in short) == daily.low
    assert sum(bar.volume for bar in short) == pytest.approx(daily.volume, rel=1e-3)
    assert all(a.close == b.open for a, b in pairwise(short))


def test_hourly_bars_begin_at_the_open_and_then_on_the_hour(still):
    hours = bars(still, SPY, 3600, OPEN_NS, CLOSE_NS)

    assert [(bar.start_ns - OPEN_NS) // (60 * SECOND_NS) for bar in hours] == [
        0, 30, 90, 150, 210, 270, 330,
    ]  # fmt: skip


def test_the_quote_of_an_instant_is_the_close_of_the_bar_that_ends_there(make_market):
    market = make_market()
    start_ns = market.now_ns
    market.advance(start_ns + 300 * SECOND_NS)

    last = market.quote(SPY).last
    bar = bars(market, SPY, 60, start_ns + 240 * SECOND_NS, market.now_ns)[-1]

    assert bar.close == last


def test_two_years_of_daily_bars_exist_at_the_start(still):
    head_ns = still.head_ns(SPY)

    daily = bars(still, SPY, 86_400, head_ns - 86_400 * SECOND_NS, still.now_ns)

    assert len(daily) > 500
    assert all(bar.low <= min(bar.open, bar.close) for bar in daily)
    assert all(bar.high >= max(bar.open, bar.close) for bar in daily)


def test_vix_bars_close_where_the_index_stood(make_market):
    market = make_market(start_ns=new_york_ns(dt.date(2026, 9, 10), dt.time(16)))
    stood = market.quote(VIX).last

    market.advance(new_york_ns(DAY, dt.time(12)))
    daily = bars(market, VIX, 86_400, new_york_ns(dt.date(2026, 9, 10), dt.time(0)), market.now_ns)

    assert daily[0].close == stood
    assert daily[1].close == pytest.approx(market.quote(VIX).last, abs=0.02)


def test_vix_bars_from_before_the_start_are_near_the_published_values(still):
    """A market that began earlier publishes what one that began later only leads its bars by."""
    first = new_york_ns(DAY - dt.timedelta(days=60), dt.time(0))
    until = new_york_ns(DAY - dt.timedelta(days=35), dt.time(0))

    led = bars(still, VIX, 86_400, first, still.now_ns)[
        : len(bars(still, VIX, 86_400, first, until))
    ]
    closes = [still._parts.boards.vol_book.value("VIX", _close_ns(bar)) for bar in led]

    assert len(led) > 10
    for bar, close in zip(led, closes, strict=True):
        assert bar.close == pytest.approx(close, rel=0.02)


def test_bars_that_are_prepared_in_pieces_are_the_same(new_market):
    """However often somebody asks on the way."""
    request = BarRequest(
        con_id=VIX,
        bar_s=86_400,
        start_ns=new_york_ns(DAY - dt.timedelta(days=40), dt.time(0)),
        end_ns=OPEN_NS,
        what="TRADES",
        regular_hours_only=True,
    )
    patient, hasty = new_market(start_ns=OPEN_NS), new_market(start_ns=OPEN_NS)

    pieces = 1
    while not patient.prepare_bars(request, most=7):
        pieces += 1

    assert pieces > 2
    assert patient.bars(request) == hasty.bars(request)


def _close_ns(bar):
    day = dt.datetime.fromtimestamp(bar.start_ns / SECOND_NS, tz=dt.UTC).date()
    return new_york_ns(day, dt.time(16))


def test_option_bars_follow_fair_value(still):
    found = still.find(
        ContractQuery(symbol="SPX", sec_type="OPT", expiry="20261016", strike=6350.0, right="P")
    )
    con_id = found[0].contract.con_id

    minutes = bars(still, con_id, 60, OPEN_NS, still.now_ns, what="MIDPOINT")

    assert len(minutes) == 405 + 30
    assert minutes[-1].close == pytest.approx(still.quote(con_id).mark, abs=0.01)
    assert all(bar.volume == -1 for bar in minutes)


def test_futures_have_bars_through_the_night(still):
    es = still.find(ContractQuery(symbol="ES", sec_type="FUT"))[0].contract.con_id
    night_ns = new_york_ns(dt.date(2026, 9, 13), dt.time(18))

    hours = still.bars(
        BarRequest(
            con_id=es,
            bar_s=3600,
            start_ns=night_ns,
            end_ns=still.now_ns,
            what="TRADES",
            regular_hours_only=False,
        )
    )

    assert len(hours) == 16
    assert hours[0].start_ns == night_ns
    assert hours[-1].close == still.quote(es).last


def test_ticks_are_inside_their_interval_and_the_same_when_asked_again(still):
    request = TickRequest(
        con_id=SPY, start_ns=OPEN_NS, end_ns=OPEN_NS + 60 * SECOND_NS, count_max=20, first=True
    )

    ticks = still.quote_ticks(request)

    assert ticks == still.quote_ticks(request)
    assert 0 < len(ticks) <= 20
    assert all(OPEN_NS < tick.at_ns <= request.end_ns and tick.bid < tick.ask for tick in ticks)


def test_news_has_a_session_in_words(still):
    found = still.news(start_ns=OPEN_NS, end_ns=CLOSE_NS)

    assert len(found) == 1
    assert "S&P 500" in found[0].headline
    assert found[0].provider in {one.code for one in still.news_providers()}


def test_reference_figures_are_there_for_shares_and_absent_elsewhere(still):
    spy = still.reference(SPY)

    assert 0.04 < spy.hist_vol_annual < 0.6
    assert 0.08 < spy.implied_vol_annual < 0.6
    assert spy.dividend_next_amount > 0.0
    assert still.reference(1).hist_vol_annual is None
