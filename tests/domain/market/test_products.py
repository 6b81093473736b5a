"""The product table against what a real chain and the exchanges' notices show."""

import csv
import gzip
import itertools
from collections import Counter
from decimal import Decimal

import pytest

from thetawarden.domain.market.contracts import Delivery, ExerciseStyle, Settlement
from thetawarden.domain.market.expiry import ExpiryTerms, expiry_terms
from thetawarden.domain.market.occ import parse_occ
from thetawarden.domain.market.products import FUTURES, OPTION_CLASSES, classes_of
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.market.ticks import is_on_tick


def test_cash_settled_index_options_cannot_be_assigned_early():
    for terms in OPTION_CLASSES.values():
        cash = terms.delivery is Delivery.CASH
        assert cash == (terms.style is ExerciseStyle.EUROPEAN)
        assert terms.multiplier == 100


@pytest.mark.parametrize(
    ("underlying", "classes"),
    [
        ("SPX", {"SPX": Settlement.AM, "SPXW": Settlement.PM}),
        ("XSP", {"XSP": Settlement.PM, "XSPW": Settlement.PM}),
        ("NDX", {"NDX": Settlement.AM, "NDXP": Settlement.PM}),
        ("RUT", {"RUT": Settlement.AM, "RUTW": Settlement.PM}),
        ("VIX", {"VIX": Settlement.AM, "VIXW": Settlement.AM}),
        ("SPY", {"SPY": Settlement.PM}),
    ],
)
def test_an_underlying_has_its_classes_each_with_its_settlement(underlying, classes):
    assert {one.trading_class: one.settlement for one in classes_of(underlying)} == classes


@pytest.mark.parametrize(
    ("symbol", "tick_usd"), [("ES", "12.50"), ("NQ", "5"), ("RTY", "5"), ("VIX", "50")]
)
def test_a_tick_of_a_future_is_worth_what_its_exchange_says(symbol, tick_usd):
    future = FUTURES[symbol]

    assert future.ticks.bands[0].step * future.multiplier == Decimal(tick_usd)


def test_a_real_chain_is_quoted_on_our_ticks_and_ends_on_our_days(shared_data):
    nyse = load_sessions(Exchange.NYSE)
    with gzip.open(shared_data / "option_chains/spx_20230207.csv.gz", "rt") as text:
        rows = list(csv.reader(itertools.islice(text, 4, None)))

    on_tick = Counter()
    for row in rows:
        contract = parse_occ(row[1])
        terms = OPTION_CLASSES[contract.trading_class]
        end = expiry_terms(option_class=terms, expiry=contract.expiry, sessions=nyse)
        assert isinstance(end, ExpiryTerms)
        for quote in (row[4], row[5], row[15], row[16]):
            on_tick[is_on_tick(Decimal(quote), terms.ticks)] += 1

    assert on_tick[False] == 0
    assert on_tick[True] == 4 * len(rows)
