"""Contracts are what they seem, or are refused with a reason."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.chains.identity import (
    Refusal,
    SeriesKey,
    instrument_of,
    sort_out,
    terms_of,
)
from thetawarden.domain.market.contracts import ExerciseStyle, Right, Settlement

DAY, EXPIRY = dt.date(2026, 3, 2), dt.date(2026, 3, 20)
KEY = SeriesKey(expiry=EXPIRY, trading_class="SPXW")
GOOD = Instrument(
    conid=7,
    kind=InstrumentKind.OPTION,
    symbol="SPX",
    multiplier=100,
    trading_class="SPXW",
    expiry=EXPIRY,
    strike=Decimal(6400),
    right=Right.PUT,
)


def option(**changes):
    return msgspec.structs.replace(GOOD, **changes)


def sorted_out(*options, key=KEY):
    return sort_out(options, underlying="SPX", key=key, exchange="SMART", day=DAY)


def terms(trading_class, multiplier=100, underlying="AAPL", *, is_index=False):
    return terms_of(
        trading_class=trading_class,
        multiplier=multiplier,
        underlying=underlying,
        is_index=is_index,
    )


def test_the_two_classes_of_a_third_friday_keep_their_own_settlement():
    morning = terms("SPX", underlying="SPX", is_index=True)
    evening = terms("SPXW", underlying="SPX", is_index=True)

    assert (morning.settlement, evening.settlement) == (Settlement.AM, Settlement.PM)
    only_pm = sorted_out(option(), option(conid=8, trading_class="SPX"))
    assert only_pm.puts == (7,)
    assert only_pm.refused == ((Refusal.OTHER_CLASS, 1),)


@pytest.mark.parametrize(
    ("trading_class", "multiplier", "underlying", "is_index", "why"),
    [
        ("2AAPL", 100, "AAPL", False, Refusal.ADJUSTED_CLASS),
        ("AAPL1", 100, "AAPL", False, Refusal.ADJUSTED_CLASS),
        ("AAPL", 150, "AAPL", False, Refusal.MULTIPLIER),
        ("MSFT", 100, "AAPL", False, Refusal.UNKNOWN_CLASS),
        ("SPXQ", 100, "SPX", True, Refusal.UNKNOWN_CLASS),
        ("DJX", 100, "DJX", True, Refusal.UNKNOWN_CLASS),
        ("XSP", 100, "SPX", True, Refusal.UNKNOWN_CLASS),
    ],
)
def test_a_class_that_is_not_standard_is_refused(
    trading_class, multiplier, underlying, is_index, why
):
    assert terms(trading_class, multiplier, underlying, is_index=is_index) is why


def test_a_share_class_is_american_also_when_its_symbol_has_a_space():
    assert terms("AAPL").style is ExerciseStyle.AMERICAN
    assert terms("BRKB", underlying="BRK B").style is ExerciseStyle.AMERICAN


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"multiplier": 10}, Refusal.MULTIPLIER),
        ({"trading_class": "2SPXW"}, Refusal.ADJUSTED_CLASS),
        ({"trading_class": "SPX"}, Refusal.OTHER_CLASS),
        ({"symbol": "XSP"}, Refusal.OTHER_SYMBOL),
        ({"expiry": dt.date(2001, 1, 19)}, Refusal.OTHER_EXPIRY),
        ({"kind": InstrumentKind.STOCK}, Refusal.NOT_AN_OPTION),
        ({"strike": None}, Refusal.INCOMPLETE),
        ({"right": None}, Refusal.INCOMPLETE),
        ({"conid": 0}, Refusal.INCOMPLETE),
        ({"local_symbol": "SPXW  260320P06410000"}, Refusal.CONTRADICTORY),
        ({"local_symbol": "SPXW  260320C06400000"}, Refusal.CONTRADICTORY),
    ],
)
def test_a_contract_that_is_not_what_was_asked_for_is_refused_with_its_reason(changes, why):
    found = sorted_out(option(**changes))

    assert found.strikes == ()
    assert found.refused == ((why, 1),)


def test_a_class_that_ends_in_a_blank_is_not_the_one_its_symbol_names():
    key = SeriesKey(expiry=option().expiry, trading_class="SPX ")
    odd = option(trading_class="SPX ", local_symbol="SPX   260320P06400000")

    found = sort_out([odd], underlying="SPX", key=key, exchange="SMART", day=key.expiry)

    assert found.refused == ((Refusal.CONTRADICTORY, 1),)


def test_a_contract_whose_symbol_says_the_same_is_kept_and_so_is_one_without_a_readable_one():
    assert sorted_out(option(local_symbol="SPXW  260320P06400000")).puts == (7,)
    assert sorted_out(option(local_symbol="whatever")).puts == (7,)


def test_one_contract_told_twice_is_one_and_two_that_look_alike_are_none():
    twice = sorted_out(option(), option(exchange="CBOE"))
    alike = sorted_out(option(), option(conid=8), option(conid=9, right=Right.CALL))

    assert twice.puts == (7,)
    assert alike.strikes == (Decimal(6400),)
    assert (alike.calls, alike.puts) == ((9,), (0,))
    assert alike.refused == ((Refusal.AMBIGUOUS, 2),)


options = st.builds(
    option,
    conid=st.integers(1, 12),
    strike=st.sampled_from([Decimal(6390), Decimal(6400), Decimal(6410)]),
    right=st.sampled_from(Right),
    trading_class=st.sampled_from(["SPX", "SPXW", "2SPXW"]),
    expiry=st.sampled_from([EXPIRY, DAY]),
    multiplier=st.sampled_from([100, 150]),
)


@given(st.lists(options, max_size=40))
def test_there_are_never_two_contracts_for_one_strike_and_right(listed):
    found = sorted_out(*listed)

    assert list(found.strikes) == sorted(set(found.strikes))
    assert len(found.strikes) == len(found.calls) == len(found.puts)
    for at, strike in enumerate(found.strikes):
        for right, conids in ((Right.CALL, found.calls), (Right.PUT, found.puts)):
            if conids[at]:
                named = instrument_of(contracts=found, underlying="SPX", strike_at=at, right=right)
                alike = {
                    one.conid
                    for one in listed
                    if (one.strike, one.right) == (strike, right)
                    and (one.trading_class, one.expiry, one.multiplier) == ("SPXW", EXPIRY, 100)
                }
                assert alike == {named.conid}


@given(st.lists(options, max_size=40), st.randoms())
def test_the_order_in_which_contracts_are_told_does_not_matter(listed, random):
    shuffled = list(listed)
    random.shuffle(shuffled)

    assert sorted_out(*shuffled) == sorted_out(*listed)
