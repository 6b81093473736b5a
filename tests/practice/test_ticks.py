"""What a client makes of the ticks is the quote, however many changes were conflated."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.practice.fake_market import SPY, FakeMarket
from thetawarden.practice.gateway.push import generics
from thetawarden.practice.gateway.push.combos import combo_quote
from thetawarden.practice.gateway.push.ticks import option_ticks, price_ticks
from thetawarden.practice.model import USD_COMBO_CON_ID, Contract, Greeks, Leg, Quote, SecType

PRICES = st.sampled_from([None, 0.01, 1.5, 2.0, 9999.99])
SIZES = st.sampled_from([0, 1, 7, 500])
TIMES = st.sampled_from([0, 10**9, 10**18])
DAY_PRICES = st.sampled_from([1.0, 2.5, 99.0])
PRICE_FIELDS = {1: "bid", 2: "ask", 4: "last", 6: "high", 7: "low", 9: "close", 14: "open"}
UNTOLD = {"bid": None, "ask": None, "bid_size": 0, "ask_size": 0}
SIZE_FIELDS = {0: "bid_size", 3: "ask_size", 5: "last_size", 8: "volume"}


def _sizes_where_priced(quote):
    return msgspec.structs.replace(
        quote,
        bid_size=0 if quote.bid is None else quote.bid_size,
        ask_size=0 if quote.ask is None else quote.ask_size,
    )


QUOTES = st.builds(
    Quote,
    con_id=st.just(7),
    at_ns=TIMES,
    bid=PRICES,
    ask=PRICES,
    bid_size=SIZES,
    ask_size=SIZES,
    last=DAY_PRICES,
    last_size=SIZES,
    last_at_ns=TIMES,
    volume=SIZES,
    open=DAY_PRICES,
    high=DAY_PRICES,
    low=DAY_PRICES,
    close=DAY_PRICES,
).map(_sizes_where_priced)


def absorbed(known, ticks):
    """What a client knows after these ticks."""
    known = dict(known)
    for before, after in ticks:
        fields = after.strip(b"\0").split(b"\0")
        kind = int(fields[0])
        if before.startswith(b"1\0"):
            price = float(fields[1])
            known[PRICE_FIELDS[kind]] = None if price == -1 else price
        elif before.startswith(b"2\0") and kind in SIZE_FIELDS:
            known[SIZE_FIELDS[kind]] = int(fields[1])
    return known


def expected(quote):
    fields = [*PRICE_FIELDS.values(), *SIZE_FIELDS.values()]
    return {name: getattr(quote, name) for name in fields}


@given(first=QUOTES, second=QUOTES, third=QUOTES)
def test_conflating_quotes_loses_nothing_of_the_latest(first, second, third):
    step = absorbed(UNTOLD, price_ticks(None, first, delayed=False))
    step = absorbed(step, price_ticks(first, second, delayed=False))
    step = absorbed(step, price_ticks(second, third, delayed=False))
    jump = absorbed(UNTOLD, price_ticks(None, first, delayed=False))
    jump = absorbed(jump, price_ticks(first, third, delayed=False))

    assert step == jump
    assert step == expected(third)


@given(quote=QUOTES)
def test_nothing_is_said_when_nothing_changed(quote):
    later = msgspec.structs.replace(quote, at_ns=quote.at_ns + 1)

    assert price_ticks(quote, later, delayed=False) == []
    assert option_ticks(quote, later, delayed=False) == []


def _kinds(ticks):
    return [(int(before.split(b"\0")[0]), int(after.split(b"\0")[1])) for before, after in ticks]


def test_the_first_burst_has_the_order_a_genuine_gateway_was_recorded_with():
    ticks = price_ticks(None, FakeMarket().quote(SPY), delayed=False)

    assert _kinds(ticks) == [
        (46, 45),
        (1, 4),
        (2, 5),
        (2, 8),
        (1, 6),
        (1, 7),
        (1, 9),
        (1, 14),
        (1, 1),
        (1, 2),
        (2, 0),
        (2, 3),
    ]


def test_a_change_of_size_alone_is_a_size_alone():
    quote = FakeMarket().quote(SPY)
    bigger = msgspec.structs.replace(quote, bid_size=quote.bid_size + 1)

    assert _kinds(price_ticks(quote, bigger, delayed=False)) == [(2, 0)]


def test_delayed_ticks_have_kinds_of_their_own():
    kinds = {kind for _, kind in _kinds(price_ticks(None, FakeMarket().quote(SPY), delayed=True))}

    assert kinds == {66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 88}


def test_what_is_not_computed_is_marked_field_by_field():
    nothing = Greeks(
        iv_annual=None,
        price=None,
        delta=None,
        gamma=None,
        vega=None,
        theta=None,
        pv_dividend=None,
        under_price=None,
    )
    quote = Quote(con_id=7, at_ns=0, model=nothing)

    ((_, after),) = option_ticks(None, quote, delayed=False)

    assert after == b"\x0013\x000\x00-1\x00-2\x00-1\x00-1\x00-2\x00-2\x00-2\x00-1\x00"


def _combination(*legs):
    return Contract(
        con_id=USD_COMBO_CON_ID,
        symbol="SPY",
        sec_type=SecType.COMBO,
        legs=tuple(
            Leg(con_id=con_id, ratio=ratio, action=action, exchange="SMART")
            for con_id, ratio, action in legs
        ),
    )


def test_a_spread_is_bought_at_the_ask_of_what_it_buys_and_the_bid_of_what_it_sells():
    quoted = {
        1: Quote(con_id=1, at_ns=5, bid=4.0, ask=4.2, bid_size=10, ask_size=20),
        2: Quote(con_id=2, at_ns=6, bid=1.0, ask=1.1, bid_size=30, ask_size=8),
    }

    quote = combo_quote(_combination((1, 1, "BUY"), (2, 2, "SELL")), quoted)

    assert (quote.bid, quote.ask) == (1.8, 2.2)
    assert (quote.bid_size, quote.ask_size) == (4, 15)
    assert quote.at_ns == 6


def test_a_spread_with_an_unquoted_leg_has_no_price_on_that_side():
    quoted = {
        1: Quote(con_id=1, at_ns=5, bid=4.0, ask=4.2, bid_size=10, ask_size=20),
        2: Quote(con_id=2, at_ns=6, ask=1.1, ask_size=8),
    }

    quote = combo_quote(_combination((1, 1, "BUY"), (2, 1, "SELL")), quoted)

    assert quote.ask is None
    assert quote.bid == 2.9


def test_generic_lists_are_read_leniently_where_the_gateway_does():
    assert generics.wanted("100, 101,mdoff,292:BRFG+DJNL") == {100, 101, 292}
    assert generics.wanted("") == frozenset()
    assert generics.wanted("100;101") is None
