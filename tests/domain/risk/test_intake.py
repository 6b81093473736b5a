"""What others tell, in the rules' terms; nothing unknown becomes harmless on the way."""

import datetime as dt
import math
from decimal import Decimal

import msgspec
import numpy as np
import pytest

from thetawarden.domain.books.rows import PositionRow
from thetawarden.domain.broker.account import AccountValues
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.orders import BrokerLeg, BrokerOrder, BrokerOrderState
from thetawarden.domain.chains.view import ROW_TYPES, ChainSummary, ChainView, SeriesView, pack_rows
from thetawarden.domain.governing.trades import Trade, held_rows, holdings_of
from thetawarden.domain.market.contracts import Right, Settlement
from thetawarden.domain.portfolio.book import PositionKind
from thetawarden.domain.risk.holdings import HeldBook
from thetawarden.domain.risk.intake import (
    account_of,
    instrument_of,
    live_orders_of,
    marks_of_chain,
)
from thetawarden.domain.risk.measure import measure_book

EXPIRY = dt.date(2026, 10, 16)
PUT = Instrument(
    conid=7,
    kind=InstrumentKind.OPTION,
    symbol="SPX",
    multiplier=100,
    trading_class="SPXW",
    expiry=EXPIRY,
    strike=Decimal("5400.5"),
    right=Right.PUT,
)
STOCK = Instrument(conid=8, kind=InstrumentKind.STOCK, symbol="AAA")


def row(instrument, quantity, contract="x"):
    return PositionRow(
        account="DU1",
        instrument=instrument,
        contract=contract,
        quantity=Decimal(quantity),
        book_quantity=Decimal(quantity),
        average_cost_usd=Decimal(0),
        mark_usd=None,
        marked_ns=None,
        value_usd=None,
        unrealised_usd=None,
        realised_usd=Decimal(0),
        realised_today_usd=Decimal(0),
        day_usd=None,
        fees_usd=Decimal(0),
        delta_shares=None,
    )


def book(*rows, trades=None):
    holdings = holdings_of(held_rows(rows), trades or {}, in_pieces={})
    return HeldBook(version="b", at_ns=5, reconciled=True, holdings=holdings)


@pytest.mark.parametrize(
    ("trading_class", "kind"),
    [
        ("SPXW", PositionKind.EUROPEAN),
        ("SPY", PositionKind.AMERICAN),
        ("AAPL", PositionKind.AMERICAN),
    ],
)
def test_an_option_has_the_style_of_its_class(trading_class, kind):
    found = instrument_of(msgspec.structs.replace(PUT, trading_class=trading_class))

    assert (found.kind, found.strike_usd, found.is_call) == (kind, 5400.5, False)
    assert (found.con_id, found.expiry, found.multiplier) == (7, EXPIRY, 100.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"strike": None},
        {"right": None},
        {"expiry": None},
        {"multiplier": 0},
        {"kind": InstrumentKind.COMBO},
        {"kind": InstrumentKind.OTHER},
    ],
)
def test_what_the_rules_do_not_know_lets_nothing_be_valued(world, changes):
    strange = msgspec.structs.replace(PUT, **changes)

    held = book(row(strange, -1))

    assert instrument_of(strange) is None
    measured = measure_book(held=held, pending=(), ruler=world.ruler(held=held))
    assert measured.unknown
    assert np.isnan(measured.filled).all()
    assert not world.review(held=held).approved


def test_legs_of_a_position_share_its_name_and_its_margin_counts_once():
    wing = msgspec.structs.replace(PUT, conid=9, strike=Decimal(5300))

    held = book(
        row(PUT, -2),
        row(wing, 2),
        row(STOCK, 100, "AAA"),
        row(STOCK, 0, "gone"),
        trades={"spread": Trade(contracts={7: -2.0, 9: 2.0}, margin_usd=800.0)},
    )

    assert [(one.position, one.contracts) for one in held.holdings] == [
        ("spread", -2.0),
        ("spread", 2.0),
        ("AAA", 100.0),
    ]
    assert [one.margin_usd for one in held.holdings[:2]] == [800.0, 0.0]
    assert math.isnan(held.holdings[2].margin_usd)


VALUES = AccountValues(
    account="DU1",
    at_ns=3,
    ready=True,
    net_liquidation_usd=Decimal(1000),
    initial_margin_usd=Decimal(300),
    excess_liquidity_usd=Decimal(650),
)


@pytest.mark.parametrize(
    "changes",
    [
        {"ready": False},
        {"net_liquidation_usd": None},
        {"initial_margin_usd": None},
        {"excess_liquidity_usd": None},
    ],
)
def test_an_account_that_is_not_whole_is_none(changes):
    whole = account_of(VALUES, auto_select_margin_usd=20.0)

    assert (whole.nlv_usd, whole.initial_margin_usd, whole.excess_liquidity_usd) == (1000, 300, 650)
    broken = msgspec.structs.replace(VALUES, **changes)
    assert account_of(broken, auto_select_margin_usd=20.0) is None


def test_what_is_left_of_working_orders_may_still_trade():
    def order(instrument, quantity, filled):
        return BrokerOrder(
            perm_id=1,
            order_id=1,
            client_id=1,
            order_ref="",
            instrument=instrument,
            state=BrokerOrderState.WORKING,
            quantity=Decimal(quantity),
            filled=Decimal(filled),
            order_type="LMT",
            limit_usd=Decimal("0.5"),
        )

    found = live_orders_of([order(PUT, -5, 2), order(STOCK, 100, 40)])

    assert [(one.con_id, one.contracts) for one in found] == [(7, -3), (8, 60)]
    assert all(one.single for one in found)

    legs = (BrokerLeg(conid=7, ratio=-1), BrokerLeg(conid=9, ratio=2))
    combo = msgspec.structs.replace(PUT, kind=InstrumentKind.COMBO)
    bought = msgspec.structs.replace(order(combo, 5, 2), legs=legs)
    sold = msgspec.structs.replace(order(combo, -5, 2), legs=legs)

    found = live_orders_of([bought, sold])

    assert [(one.con_id, one.contracts) for one in found] == [(7, -3), (9, 6), (7, 3), (9, -6)]
    assert not any(one.single for one in found)


def chain(**changes):
    columns = {name: np.zeros(2, dtype=kind) for name, kind in ROW_TYPES.items()}
    columns |= {
        "conid": np.array([7, 9]),
        "iv_annual": np.array([0.2, np.nan]),
        "smile_iv_annual": np.array([0.21, 0.25]),
    }
    series = SeriesView(
        trading_class="SPXW",
        expiry=EXPIRY,
        settlement=Settlement.PM,
        settles_ns=0,
        last_trade_ns=0,
        rows=2,
        usable=2,
        tau_years=0.25,
        forward_usd=6030.0,
        discount=0.99,
    )
    view = ChainView(
        underlying="SPX",
        number=1,
        at_ns=4,
        epoch=3,
        spot_usd=6000.0,
        spot_at_ns=4,
        spot_doubt="",
        fitted_ns=4,
        series=(msgspec.structs.replace(series, **changes),),
        summary=ChainSummary(rows=2, usable=2, doubts=()),
        columns=pack_rows(columns),
    )
    return marks_of_chain(view)


def test_marks_give_the_forward_and_the_discount_of_their_series_back():
    marks = chain()

    assert [round(marks[n].iv_annual, 6) for n in (7, 9)] == [0.2, 0.25]
    one = marks[7]
    growth = math.exp((one.rate_annual - one.yield_annual) * one.tau_years)
    assert 6000.0 * growth == pytest.approx(6030.0)
    assert math.exp(-one.rate_annual * one.tau_years) == pytest.approx(0.99)


@pytest.mark.parametrize(
    "changes",
    [{"tau_years": None}, {"forward_usd": None}, {"discount": None}, {"tau_years": 0.0}],
)
def test_a_series_without_a_fit_has_no_marks_to_value_by(changes):
    assert math.isnan(chain(**changes)[7].rate_annual)
