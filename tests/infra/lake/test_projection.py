"""Whatever is said becomes rows that fit their tables, the same ones every time."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.infra.lake.conftest import NOON, chain, fill, money, put_on
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.instants import UnixNs, new_york_ns
from thetawarden.domain.regime.vix_limits import DEFAULT_BANDS, VixBandRule
from thetawarden.domain.trades.trade import Part
from thetawarden.infra.lake import writer as writer_module
from thetawarden.infra.lake.frames import frame_of
from thetawarden.infra.lake.projection import FEEDS, PROJECTIONS, project
from thetawarden.infra.lake.tables import TABLES
from thetawarden.messages.base import Envelope
from thetawarden.messages.books import AccountReported, PositionExplained
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.lake import LakeSkipped
from thetawarden.messages.market import InstrumentsFound
from thetawarden.messages.registry import ROUTES

MIDNIGHT = dt.time()
st.register_type_strategy(VixBandRule, st.sampled_from(DEFAULT_BANDS))  # refuses nonsense
cash = st.decimals(min_value=-(10**9), max_value=10**9, places=2)
st.register_type_strategy(  # a book holds nothing that is not finite
    Part,
    st.builds(
        Part,
        instrument=st.builds(Instrument, multiplier=st.integers(1, 1000)),
        quantity=st.integers(-1000, 1000).map(Decimal),
        cash_usd=cash,
        commission_usd=cash,
    ),
)
anything = st.one_of(
    [st.from_type(kind) for kind in PROJECTIONS if kind is not ChainViewed]
    + [st.builds(chain, options=st.integers(0, 9), iv_annual=st.floats(width=32))]
)


def said(body, *, seq=7, at_ns=NOON):
    return Envelope(seq, at_ns, "test", 1, None, body)


def rows_of(body, **how):
    return dict(project(said(body, **how), log="log-1", turns_at=MIDNIGHT))


def only_row(body, table, **how):
    (row,) = frame_of(TABLES[table], rows_of(body, **how)[table]).iter_rows(named=True)
    return row


def test_what_becomes_rows_goes_to_the_lake_and_nothing_else_does_but_its_commands():
    routed = {kind for kind, route in ROUTES.items() if "effect:lake" in route.to}

    assert {kind.__name__ for kind in routed - set(PROJECTIONS)} == {
        "FlushLake",
        "MaintainLake",
        "RebuildTable",
    }
    assert set(PROJECTIONS) <= routed
    assert set(FEEDS) <= set(TABLES)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(anything, st.integers(1, 2**63 - 1))
def test_any_message_becomes_rows_that_fit_and_the_same_again(body, at_ns):
    at_ns = UnixNs(at_ns % (4_000_000_000 * 10**9))
    first, second = rows_of(body, at_ns=at_ns), rows_of(body, at_ns=at_ns)

    for table, rows in first.items():
        frame = frame_of(TABLES[table], rows)
        assert frame.height == len(rows)
        assert frame.equals(frame_of(TABLES[table], second[table]))
        assert set(frame["seq"]) <= {7}


def test_a_row_belongs_to_the_trading_day_not_to_the_calendars():
    evening = new_york_ns(dt.date(2026, 3, 2), dt.time(19))
    turned = dict(project(said(fill(), at_ns=evening), log="l", turns_at=dt.time(18)))

    assert only_row(fill(), "fills", at_ns=evening)["day"] == dt.date(2026, 3, 2)
    assert turned["fills"][0][0] == dt.date(2026, 3, 3)


def test_a_fill_is_one_row_with_its_cost_its_cash_and_what_is_held_after_it():
    row = only_row(fill("0001.02.01"), "fills")

    assert (row["fill"], row["execution"]) == ("0001.02", "0001.02.01")
    assert (row["quantity"], row["quantity_after"]) == (Decimal(-2), Decimal(-2))
    assert (row["commission_usd"], row["cash_usd"]) == (Decimal("1.30"), Decimal("908.70"))


def test_an_explained_change_says_what_was_held_before_and_after_and_why():
    change = PositionExplained(
        account="DU1",
        conid=77,
        contract="SPX 2026-04-17 5800P",
        before=Decimal(-2),
        after=Decimal(0),
        cause="expiry",
        cash_usd=Decimal("-12.34"),
        words="settled at 5,787.66",
    )

    row = only_row(change, "position_updates")

    assert (row["underlying"], row["source"], row["cause"]) == ("SPX", "explained", "expiry")
    assert (row["quantity_before"], row["quantity"]) == (Decimal(-2), Decimal(0))
    assert row["cash_usd"] == Decimal("-12.34")


def test_a_contract_is_kept_with_its_terms():
    row = only_row(InstrumentsFound(asked_as="x", instruments=(put_on(),), words=""), "contracts")

    assert row["contract"] == "SPX SPXW 2026-04-17 5800P"
    assert (row["strike_usd"], row["option_right"], row["multiplier"]) == (5800.0, "P", 100)


def test_an_amount_beyond_all_measure_is_unknown_and_stops_nothing():
    huge = msgspec.structs.replace(fill(), commission_usd=Decimal("1E+40"))

    assert only_row(huge, "fills")["commission_usd"] is None


@pytest.mark.parametrize("arrives", [True, False])
def test_a_message_that_cannot_be_made_into_rows_is_told_and_stops_no_other(
    desk, monkeypatch, arrives
):
    honest = writer_module.project

    def trips_over_amounts(envelope, **how):
        if isinstance(envelope.body, AccountReported):
            raise ZeroDivisionError("a mistake of ours")
        return honest(envelope, **how)

    monkeypatch.setattr(writer_module, "project", trips_over_amounts)
    say = desk.say if arrives else desk.log
    if arrives:
        desk.begin()
        desk.flush()
    say(money())
    say(fill())
    if not arrives:
        desk.begin()

    told = desk.flush()

    assert [each.kind for each in told if isinstance(each, LakeSkipped)] == ["AccountReported"]
    assert desk.rows("fills").height == 1
