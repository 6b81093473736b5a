"""Positions, portfolio, values, summaries and results."""

import asyncio

from ib_async import MarketOrder, Stock

from tests.practice.fake_exchange import ACCOUNT, FakeExchange
from tests.practice.fake_market import SPY


def spy():
    return Stock("SPY", "SMART", "USD", conId=SPY)


async def bought(ib, until, *, quantity=10):
    trade = ib.placeOrder(spy(), MarketOrder("BUY", quantity))
    await until(lambda: trade.isDone() and ib.positions())
    return trade


async def test_a_fill_moves_the_position_at_once(ib, until):
    await bought(ib, until)

    (position,) = ib.positions()
    assert (position.account, position.position) == (ACCOUNT, 10)
    assert position.contract.conId == SPY
    assert position.contract.exchange == "ARCA"
    assert position.avgCost > 400


async def test_the_portfolio_follows_with_values(ib, until):
    await bought(ib, until)

    await until(ib.portfolio)

    (item,) = ib.portfolio()
    assert (item.marketPrice, item.marketValue, item.unrealizedPNL) == (500.0, 5000.0, 7.0)
    assert item.contract.primaryExchange == "ARCA"


async def test_account_values_have_the_ledger_twice(ib):
    rows = {(row.tag, row.currency): row.value for row in ib.accountValues()}

    assert rows["NetLiquidation", "USD"] == "100000.00"
    assert rows["CashBalance", "BASE"] == rows["CashBalance", "USD"] == "100000.00"


async def test_a_summary_brings_the_tags_asked_for(ib):
    rows = await ib.accountSummaryAsync()

    assert "NetLiquidation" in {row.tag for row in rows}


async def test_a_third_summary_is_refused(ib, until):
    codes = []
    ib.errorEvent += lambda *args: codes.append(args[1])

    for req_id in (501, 502, 503):
        ib.client.reqAccountSummary(req_id, "All", "NetLiquidation")
    await until(lambda: codes)

    assert codes == [322]


async def test_results_are_pushed(ib, until):
    await bought(ib, until)

    pnl = ib.reqPnL(ACCOUNT)
    single = ib.reqPnLSingle(ACCOUNT, "", SPY)
    await until(lambda: pnl.dailyPnL == 12.5 and single.position == 10)

    assert (pnl.unrealizedPnL, pnl.realizedPnL) == (7.0, 0.0)
    assert (single.dailyPnL, single.value) == (1.5, 500.0)
    assert single.realizedPnL == 1.7976931348623157e308


async def test_a_result_without_position_is_2150_and_unset(ib, until):
    codes = []
    ib.errorEvent += lambda *args: codes.append(args[1])

    single = ib.reqPnLSingle(ACCOUNT, "", SPY)
    await until(lambda: single.dailyPnL == 1.7976931348623157e308)

    assert codes == [2150]
    assert single.position == 0


async def test_with_two_accounts_each_has_its_own_updates(start, connect):
    server = await start(exchange=FakeExchange(accounts=("DU1", "DU2")))

    client = await connect(server, timeout=20, raiseSyncErrors=True)

    assert client.managedAccounts() == ["DU1", "DU2"]
    assert {row.account for row in client.accountValues()} == {"DU1", "DU2"}


async def test_an_unknown_account_is_refused(ib, until):
    codes = []
    ib.errorEvent += lambda *args: codes.append(args[1])

    ib.client.reqAccountUpdates(True, "DU9999999")
    await until(lambda: codes)
    await asyncio.sleep(0)

    assert codes == [321]
