"""Each fault of market data and listings shows itself to an unmodified client."""

import asyncio
import math

import pytest
from ib_async import Option, Stock

from tests.practice.fake_exchange import FakeExchange
from tests.practice.fake_market import EXPIRIES, SPY, FakeMarket, option_con_id

PUT = option_con_id(expiry=EXPIRIES[0], strike=500.0, right="P")
OTHER = option_con_id(expiry=EXPIRIES[0], strike=505.0, right="P")


class LeveredMarket(FakeMarket):
    def __init__(self):
        super().__init__()
        self.forced = []

    def jump(self, *, con_id, log_return):
        self.forced.append(("jump", con_id, log_return))

    def halt(self, *, con_id, halted):
        self.forced.append(("halt", con_id, halted))

    def widen(self, *, con_id, factor):
        self.forced.append(("widen", con_id, factor))


def put(con_id=PUT, strike=500.0):
    return Option("SPY", "20260320", strike, "P", "SMART", currency="USD", conId=con_id)


@pytest.fixture
async def live(start, connect, until):
    """A client with a moving quote."""
    server = await start(speed=60.0, exchange=FakeExchange(LeveredMarket()))
    client = await connect(server)
    client.server = server
    client.codes = []
    client.errorEvent += lambda *args: client.codes.append(args[1])
    client.ticker = client.reqMktData(put())
    await until(lambda: client.ticker.hasBidAsk() and client.ticker.modelGreeks is not None)
    return client


async def moves(ticker, until):
    bid = ticker.bid
    await until(lambda: ticker.bid != bid, what="a new bid")


async def stands_still(ticker, until):
    await asyncio.sleep(0.1)
    updates = []
    ticker.updateEvent += updates.append
    with pytest.raises(AssertionError):
        await until(lambda: updates, timeout_s=0.15)


async def test_a_frozen_feed_says_nothing_and_comes_back(live, until):
    live.server.faults.play("frozen-feed")
    await stands_still(live.ticker, until)

    live.server.faults.end("frozen-feed")

    await moves(live.ticker, until)


async def test_a_stale_leg_stands_still_while_its_neighbour_moves(live, until):
    other = live.reqMktData(put(OTHER, 505.0))
    await until(other.hasBidAsk)

    live.server.faults.play("stale-leg", {"con_id": PUT})

    await moves(other, until)
    await stands_still(live.ticker, until)


@pytest.mark.parametrize(("locked", "gap"), [(False, -0.1), (True, 0.0)])
async def test_quotes_cross_or_lock(live, until, locked, gap):
    live.server.faults.play("crossed", {"locked": locked})

    await until(lambda: round(live.ticker.ask - live.ticker.bid, 2) == gap)


@pytest.mark.parametrize(
    ("value", "seen"), [("minus-one", -1.0), ("zero", 0.0), ("negative", -5.0)]
)
async def test_impossible_prices_reach_the_client(live, until, value, seen):
    live.server.faults.play("bad-price", {"value": value})

    await until(lambda: live.ticker.bid == seen and live.ticker.ask == seen)


async def test_missing_prices_are_minus_one(live, until):
    live.server.faults.play("bad-price", {"value": "missing"})

    await until(lambda: live.ticker.bid == -1)
    assert live.ticker.bidSize == 0


async def test_nan_reaches_the_client(live, until):
    live.server.faults.play("not-a-number")

    await until(lambda: math.isnan(live.ticker.bid))


async def test_halts_and_jumps_are_forced_upon_the_market(live):
    forced = live.server.gateway.market.forced

    live.server.faults.play("halt", {"con_id": SPY})
    live.server.faults.end("halt")
    live.server.faults.play("spike", {"con_id": SPY, "real": True, "factor": 0.9})

    assert forced == [
        ("halt", SPY, True),
        ("halt", SPY, False),
        ("jump", SPY, pytest.approx(math.log(0.9))),
    ]


async def test_a_bad_print_goes_away(live, until):
    usual = live.ticker.ask
    live.server.faults.play("spike", {"factor": 3.0})
    await until(lambda: live.ticker.ask > 2 * usual)

    live.server.faults.end("spike")

    await until(lambda: live.ticker.ask < 2 * usual)


async def test_delayed_data_is_announced_and_takes_over(live, until):
    live.server.faults.play("delayed")

    await until(lambda: 10167 in live.codes and live.ticker.marketDataType == 3)
    await moves(live.ticker, until)
    live.server.faults.end("delayed")
    await until(lambda: live.ticker.marketDataType == 1)


async def test_frozen_data_is_marked(live, until):
    live.server.faults.play("frozen-type")

    await until(lambda: live.ticker.marketDataType == 2)


@pytest.mark.parametrize(
    ("args", "data_type", "code"),
    [({}, 1, 354), ({}, 3, 354), ({"delayed_disabled": True}, 3, 10168)],
)
async def test_without_permission_new_lines_are_refused(live, until, args, data_type, code):
    live.server.faults.play("not-subscribed", args)
    live.reqMarketDataType(data_type)

    live.reqMktData(put(OTHER, 505.0))

    await until(lambda: code in live.codes)


async def test_spreads_widen_around_the_middle(live, until):
    live.server.faults.play("wide", {"factor": 10.0})

    await until(lambda: round(live.ticker.ask - live.ticker.bid, 2) == 1.0)


async def test_a_burst_repeats_every_change(live, until):
    sizes = []
    live.ticker.updateEvent += lambda ticker: sizes.append(len(ticker.ticks))

    live.server.faults.play("burst", {"factor": 50})

    await until(lambda: sizes and max(sizes) >= 100)


async def test_greeks_become_absurd_or_go_missing(live, until):
    live.server.faults.play("bad-greeks", {"kind": "absurd"})
    await until(lambda: live.ticker.modelGreeks.delta == 17.0)

    live.server.faults.play("bad-greeks", {"kind": "missing"})

    await until(lambda: live.ticker.modelGreeks.impliedVol is None)


async def test_trade_times_are_hours_off(live, until):
    live.server.faults.play("bad-times", {"shift_s": 7200})
    now_s = live.server.gateway.now_ns / 1e9

    await until(
        lambda: (
            live.ticker.lastTimestamp is not None
            and live.ticker.lastTimestamp.timestamp() > now_s + 3600
        )
    )


async def test_details_show_an_adjusted_contract(live):
    live.server.faults.play("adjusted", {"multiplier": 150})

    (details,) = await live.reqContractDetailsAsync(put())

    assert (details.contract.multiplier, details.contract.tradingClass) == ("150", "2SPY")


async def test_details_name_another_contract_or_a_past_one(live):
    live.server.faults.play("wrong-contract")
    (other,) = await live.reqContractDetailsAsync(put())
    live.server.faults.play("wrong-contract", {"kind": "expired"})
    (past,) = await live.reqContractDetailsAsync(put())

    assert other.contract.conId == PUT + 1
    assert past.contract.lastTradeDateOrContractMonth == "20010119"


async def test_a_split_is_the_exchanges_business(live):
    live.server.faults.play("split", {"con_id": SPY, "new_shares": 4})

    assert live.server.gateway.exchange.split_done == (SPY, 4, 1)


async def test_a_market_without_levers_refuses_with_a_reason(start):
    server = await start()

    with pytest.raises(Exception, match="FakeMarket has no levers"):
        server.faults.play("halt", {"con_id": SPY})


async def test_the_stock_line_is_untouched_by_a_fault_of_another_contract(live, until):
    stock = live.reqMktData(Stock("SPY", "SMART", "USD", conId=SPY))

    live.server.faults.play("bad-price", {"con_id": PUT})
    await until(lambda: live.ticker.bid == -1)

    await moves(stock, until)
    assert stock.bid > 0
