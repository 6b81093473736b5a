"""Option symbols both ways, against the exchange's own symbols in a real chain."""

import csv
import datetime as dt
import gzip
import itertools
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from thetawarden.domain.market.contracts import OptionContract, Right
from thetawarden.domain.market.occ import SymbolFault, format_occ, parse_occ

CONTRACTS = st.builds(
    OptionContract,
    trading_class=st.from_regex(r"[A-Z0-9]{1,6}", fullmatch=True),
    expiry=st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)),
    right=st.sampled_from(Right),
    strike=st.decimals(min_value=Decimal("0.001"), max_value=Decimal("99999.999"), places=3),
)

FIRST = {
    "trading_class": "A",
    "expiry": dt.date(2000, 1, 1),
    "right": Right.PUT,
    "strike": Decimal("0.001"),
}
LAST = {
    "trading_class": "ZZZZZZ",
    "expiry": dt.date(2099, 12, 31),
    "right": Right.CALL,
    "strike": Decimal("99999.999"),
}


@given(contract=CONTRACTS)
@example(OptionContract(**FIRST))
@example(OptionContract(**LAST))
def test_a_contract_survives_the_way_to_its_symbol_and_back(contract):
    symbol = format_occ(contract)

    assert len(symbol) == 21
    assert parse_occ(symbol) == contract
    assert parse_occ(symbol.replace(" ", "")) == contract


@given(text=st.text(max_size=24))
def test_any_text_at_all_is_a_contract_or_a_fault(text):
    assert isinstance(parse_occ(text), OptionContract | SymbolFault)


def test_the_brokers_own_symbol_is_read_and_written():
    contract = OptionContract(
        trading_class="SPY",
        expiry=dt.date(2026, 10, 6),
        right=Right.CALL,
        strike=Decimal(769),
    )

    assert parse_occ("SPY   261006C00769000") == contract
    assert format_occ(contract) == "SPY   261006C00769000"


def test_an_adjusted_class_keeps_its_leading_digit():
    parsed = parse_occ("2AAPL 261218P00150500")

    assert (parsed.trading_class, parsed.strike) == ("2AAPL", Decimal("150.5"))


@pytest.mark.parametrize(
    ("symbol", "fault"),
    [
        ("", SymbolFault.NOT_A_SYMBOL),
        ("SPY", SymbolFault.NOT_A_SYMBOL),
        ("spy   261006C00769000", SymbolFault.NOT_A_SYMBOL),
        ("SPY   261006X00769000", SymbolFault.NOT_A_SYMBOL),
        ("   SPY261006C00769000", SymbolFault.NOT_A_SYMBOL),
        ("SPY   261306C00769000", SymbolFault.NO_SUCH_DATE),
        ("SPY   260229C00769000", SymbolFault.NO_SUCH_DATE),
        ("SPY   261006C00000000", SymbolFault.BAD_STRIKE),
        ("SPY   \uff12\uff161006C00769000", SymbolFault.NOT_A_SYMBOL),
    ],
)
def test_what_is_no_symbol_is_named(symbol, fault):
    assert parse_occ(symbol) is fault


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"trading_class": "TOOLONG"}, SymbolFault.BAD_ROOT),
        ({"trading_class": ""}, SymbolFault.BAD_ROOT),
        ({"trading_class": "BRK B"}, SymbolFault.BAD_ROOT),
        ({"expiry": dt.date(1999, 12, 31)}, SymbolFault.YEAR_OUT_OF_RANGE),
        ({"expiry": dt.date(2100, 1, 1)}, SymbolFault.YEAR_OUT_OF_RANGE),
        ({"strike": Decimal("0.0005")}, SymbolFault.BAD_STRIKE),
        ({"strike": Decimal(0)}, SymbolFault.BAD_STRIKE),
        ({"strike": Decimal(-5)}, SymbolFault.BAD_STRIKE),
        ({"strike": Decimal(100_000)}, SymbolFault.BAD_STRIKE),
        ({"strike": Decimal("NaN")}, SymbolFault.BAD_STRIKE),
    ],
)
def test_a_contract_without_a_symbol_says_why(changes, fault):
    terms = {
        "trading_class": "SPX",
        "expiry": dt.date(2026, 1, 16),
        "right": Right.PUT,
        "strike": Decimal(5000),
    }

    assert format_occ(OptionContract(**(terms | changes))) is fault


def test_every_symbol_of_a_real_chain_agrees_with_its_own_row(shared_data):
    with gzip.open(shared_data / "option_chains/spx_20230207.csv.gz", "rt") as text:
        rows = list(csv.reader(itertools.islice(text, 4, None)))

    for row in rows:
        expiry = dt.datetime.strptime(row[0] + "Z", "%a %b %d %Y%z").date()
        call, put = parse_occ(row[1]), parse_occ(row[12])
        assert (call.expiry, call.right, call.strike) == (expiry, Right.CALL, Decimal(row[11]))
        assert (put.expiry, put.right, put.strike) == (expiry, Right.PUT, Decimal(row[11]))
        assert format_occ(call).replace(" ", "") == row[1]
    assert len(rows) > 9_000
