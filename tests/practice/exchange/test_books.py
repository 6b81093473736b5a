"""The books never drift: every cent is explained, whatever is traded, settled or assigned."""

import datetime as dt
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.practice.exchange.world import (
    ABC,
    ACCOUNT,
    ES,
    FRIDAY,
    SPX,
    XYZ,
    World,
    option_id,
)
from thetawarden.practice.account.book import AccountTerms, MarginRule, realized_usd
from thetawarden.practice.account.holdings import value_usd, worth_usd
from thetawarden.practice.account.ledger import EntryKind, totals_usd
from thetawarden.practice.account.money import price_usd
from thetawarden.practice.exchange import appraisal
from thetawarden.practice.exchange.terms import ExchangeTerms

TRADED = (
    XYZ,
    ABC,
    ES,
    option_id(XYZ, FRIDAY, 95.0, "P"),
    option_id(XYZ, FRIDAY, 100.0, "C"),
    option_id(SPX, FRIDAY, 4900.0, "P"),
    option_id(SPX, FRIDAY, 5050.0, "C", weekly=True),
)
OTHER_INCOME = (EntryKind.INTEREST, EntryKind.DIVIDEND)

DOCUMENTED_KEYS = """
AccountCode AccountOrGroup AccountReady AccountType AccruedCash AccruedDividend
AvailableFunds Billable BuyingPower CashBalance ColumnPrio-S CorporateBondValue Currency
Cushion EquityWithLoanValue ExcessLiquidity ExchangeRate FullAvailableFunds
FullExcessLiquidity FullInitMarginReq FullMaintMarginReq FundValue FutureOptionValue
FuturesPNL FxCashBalance GrossPositionValue Guarantee IncentiveCoupons IndianStockHaircut
InitMarginReq IssuerOptionValue Leverage-S LookAheadAvailableFunds
LookAheadExcessLiquidity LookAheadInitMarginReq LookAheadMaintMarginReq
LookAheadNextChange MaintMarginReq MoneyMarketFundValue MutualFundValue
NLVAndMarginInReview NetDividend NetLiquidation NetLiquidationByCurrency
NetLiquidationUncertainty OptionMarketValue PASharesValue PhysicalCertificateValue
PostExpirationExcess PostExpirationMargin RealCurrency RealizedPnL SegmentTitle-S
SettledCashByDate StockMarketValue TBillValue TBondValue TotalCashBalance TotalCashValue
TotalDebitCardPendingCharges TradingType-S UnrealizedPnL WarrantValue
"""

ORDERS = st.tuples(st.sampled_from(TRADED), st.sampled_from(["BUY", "SELL"]), st.integers(1, 12))
MOVES = st.tuples(st.sampled_from([XYZ, ABC, SPX, ES]), st.floats(0.93, 1.07))
DAYS = st.lists(
    st.tuples(st.lists(ORDERS, max_size=3), st.lists(MOVES, max_size=2)),
    min_size=1,
    max_size=5,
)


def explained(world):
    """Net liquidation rebuilt from what was put in, earned, and is still open."""
    book = world.book
    floor = world.exchange.floor
    totals = totals_usd(book.ledger)
    assert sum(totals.values()) == book.cash_usd
    open_pnl = Decimal(0)
    worth = book.cash_usd + book.accrued_usd
    for one in book.holdings.values():
        if one.quantity:
            mark = price_usd(appraisal.mark_of(floor, one.contract, one.last_mark))
            open_pnl += value_usd(one, mark) - one.cost_usd
            worth += worth_usd(one, mark)
    others = sum((totals.get(kind, Decimal(0)) for kind in OTHER_INCOME), Decimal(0))
    rebuilt = totals[EntryKind.DEPOSIT] + others + book.accrued_usd + realized_usd(book) + open_pnl
    assert worth == appraisal.net_liquidation_usd(floor, book)
    return rebuilt, worth


@settings(max_examples=8, deadline=None)
@given(days=DAYS)
def test_cash_and_positions_are_net_liquidation_and_all_of_it_is_explained(days):
    world = World(deposit=5_000_000)
    world.market.dividends[ABC] = {dt.date(2026, 3, 4): 0.37}
    day = FRIDAY - dt.timedelta(days=len(days))
    world.run_to(day, dt.time(10))
    for orders, moves in days:
        for con_id, action, quantity in orders:
            world.place(con_id, action, quantity, "MKT")
        world.run(3)
        for con_id, factor in moves:
            world.market.move(con_id, round(world.market.spot(con_id) * factor, 2))
        day += dt.timedelta(days=1)
        world.run_to(day, dt.time(10))
        rebuilt, worth = explained(world)
        assert rebuilt == worth
    world.run_to(FRIDAY + dt.timedelta(days=3), dt.time(10))

    rebuilt, worth = explained(world)

    assert rebuilt == worth
    assert all(world.held(con_id) == 0 for con_id in TRADED[2:])


def test_the_days_result_is_the_change_of_net_liquidation_since_midnight():
    world = World(deposit=100_000)
    world.market.fix(ABC, 49.99, 50.0, size=500)
    world.place(ABC, "BUY", 100, "MKT")
    world.run()
    world.market.fixed.clear()
    world.run_to(dt.date(2026, 3, 3), dt.time(10))
    world.market.move(ABC, 52.0)

    result = world.exchange.pnl(ACCOUNT)

    # two dollars on a hundred shares, and a night's interest on the 84,999 above 10,000
    assert result.daily_usd == Decimal(200) + Decimal("8.26")
    one = world.exchange.position_pnl(account=ACCOUNT, con_id=ABC)
    assert one.daily_usd == Decimal("200.00")
    assert one.unrealized_usd == Decimal("199.00")
    assert one.value_usd == Decimal("5200.00")


def test_account_values_come_in_alphabetical_order_with_both_ledger_currencies():
    world = World()
    world.place(option_id(XYZ, FRIDAY, 95.0, "P"), "SELL", 1, "MKT")
    world.run()

    keys = [one.key for one in world.exchange.account_rows(ACCOUNT)]
    rows = world.rows()

    assert keys == sorted(keys)
    assert rows[("CashBalance", "USD")] == f"{world.cash:.2f}"
    assert Decimal(rows[("OptionMarketValue", "BASE")]) < 0
    net, initial = (Decimal(rows[(key, "USD")]) for key in ("NetLiquidation", "InitMarginReq"))
    assert Decimal(rows[("AvailableFunds", "USD")]) == net - initial
    assert rows[("AccountCode", "")] == ACCOUNT


def test_every_documented_account_key_is_sent():
    world = World()
    documented = DOCUMENTED_KEYS.split()

    sent = {one.key for one in world.exchange.account_rows(ACCOUNT)}

    assert set(documented) <= sent


def test_an_under_margined_account_is_liquidated_at_the_market():
    world = World(deposit=30_000)
    put = option_id(XYZ, FRIDAY, 95.0, "P")
    key = world.place(put, "SELL", 15, "MKT")
    world.run(3)
    assert world.ended(key).status == "Filled"

    world.market.move(XYZ, 84.0)
    world.run(600)

    forced = [one for one in world.executions() if one.liquidation]
    assert forced
    assert {(one.key.client_id, one.key.order_id, one.perm_id) for one in forced} == {(0, 0, 0)}
    assert -15 < world.held(put) <= 0
    rows = world.rows()
    closed_all = world.held(put) == 0
    assert closed_all or Decimal(rows[("ExcessLiquidity", "USD")]) >= 0


def test_a_preview_tells_what_the_order_would_do_and_keeps_nothing():
    world = World()
    put = option_id(XYZ, FRIDAY, 95.0, "P")
    request = world.request(put, "SELL", 1, limit_price=1.0)

    answer = world.exchange.what_if(request)

    # max(20 % of 100 - 5, 10 % of 95) a share; the premium is equity, fees alone lower it
    assert answer.initial_change_usd == Decimal("1500.00")
    assert answer.equity_change_usd == -round(answer.commission_usd, 2)
    assert answer.equity_before_usd == Decimal(100_000)
    assert answer.refusal is None
    assert world.heard() == []
    assert world.exchange.open_orders() == ()
    first = answer.view.perm_id
    key = world.place(put, "SELL", 1, limit_price=50.0)
    assert world.view(key).perm_id == first + 1


def test_a_preview_beyond_the_means_has_numbers_and_a_refusal():
    world = World(deposit=1_000)

    answer = world.exchange.what_if(
        world.request(option_id(XYZ, FRIDAY, 95.0, "P"), "SELL", 50, limit_price=1.0)
    )

    assert answer.initial_after_usd > answer.equity_after_usd
    assert answer.refusal.code == 201


def test_closing_is_allowed_however_poor_the_account():
    world = World(deposit=30_000)
    put = option_id(XYZ, FRIDAY, 95.0, "P")
    world.place(put, "SELL", 10, "MKT")
    world.run(3)
    world.exchange.scale_margin(factor=100.0)

    key = world.place(put, "BUY", 10, "MKT")

    assert world.ended(key) is None
    assert 201 not in world.codes()


def test_a_raised_margin_refuses_the_next_opening_order():
    world = World()
    put = option_id(XYZ, FRIDAY, 95.0, "P")
    world.exchange.scale_margin(factor=100.0)

    world.place(put, "SELL", 1, "MKT")

    assert world.codes() == [201]


def test_accounts_are_kept_apart():
    terms = ExchangeTerms(
        accounts=(
            AccountTerms(account=ACCOUNT, deposit_usd=Decimal(50_000)),
            AccountTerms(account="DU2", deposit_usd=Decimal(70_000), margin=MarginRule.PORTFOLIO),
        )
    )
    world = World(terms=terms)

    world.place(ABC, "BUY", 1, "MKT")
    world.place(ABC, "BUY", 1, "MKT", account="DU2")
    world.run()

    assert world.codes() == [435]
    assert [one.account for one in world.exchange.positions()] == ["DU2"]
    assert world.cash == Decimal(50_000)
