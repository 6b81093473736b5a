"""What happens without an order while the market runs on: expiry, assignment, a new day."""

import datetime as dt

from ib_async import MarketOrder, Option, Stock

from tests.practice.test_whole_gateway import MORNING_NS, NS, exchange

NIGHT_NS = MORNING_NS + 20 * 3600 * NS


async def todays_puts(ib):
    (spy,) = await ib.qualifyContractsAsync(Stock("SPY", "SMART", "USD"))
    details = await ib.reqContractDetailsAsync(
        Option("SPY", f"{dt.date(2026, 3, 2):%Y%m%d}", 0.0, "P", "SMART")
    )
    (ticker,) = await ib.reqTickersAsync(spy)
    return ticker.last, sorted((one.contract for one in details), key=lambda one: one.strike)


async def test_an_option_that_expires_is_gone_by_morning_and_only_positions_say_so(
    start, connect, until
):
    server = await start(exchange=exchange(), messages_per_s_max=0)
    client = await connect(server, timeout=10)
    spot, puts = await todays_puts(client)
    worthless = next(one for one in reversed(puts) if one.strike < spot * 0.95)
    in_the_money = next(one for one in puts if one.strike > spot * 1.02)
    codes = []
    client.errorEvent += lambda *args: codes.append(args[1])
    trades = [
        client.placeOrder(worthless, MarketOrder("BUY", 1)),
        client.placeOrder(in_the_money, MarketOrder("SELL", 1)),
    ]
    await until(lambda: all(trade.isDone() for trade in trades))

    server.gateway.clock.change_speed(200_000.0)
    await until(lambda: server.gateway.now_ns > NIGHT_NS, timeout_s=30)
    await until(lambda: any(one.position == 100 for one in client.positions()), timeout_s=10)

    options = [one for one in client.positions() if one.contract.secType == "OPT"]
    assert [one.position for one in options if one.position] == []
    assert len(client.fills()) == 2
    assert await client.reqContractDetailsAsync(worthless) == []
    assert 200 in codes
