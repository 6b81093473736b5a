"""What ticks make of a line: the latest of everything said, and nothing of what was not."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.quote import BrokerGreeks, DataType
from thetawarden.domain.market.contracts import Right
from thetawarden.infra.ib.ticks import Line

OPTION = Instrument(conid=7, kind=InstrumentKind.OPTION, symbol="SPX", right=Right.PUT)
COMBO = Instrument(conid=8, kind=InstrumentKind.COMBO, symbol="SPX")
INDEX = Instrument(conid=9, kind=InstrumentKind.INDEX, symbol="SPX")
NOTHING = ["", "nan", "inf", "-inf", "Infinite", "-1", "-1.0", "-0.05", "1.7976931348623157E308"]
NO_SIZE = ["", "nan", "inf", "-1", "2147483647", "1.7976931348623157E308"]
KINDS = st.sampled_from(["1", "2", "4", "9", "66", "67", "68", "75", "6", "14", "37"])
TEXTS = st.one_of(
    st.sampled_from(NOTHING), st.floats(-10, 1e6).map(repr), st.floats(0, 1e6).map(repr)
)


def quoted(*, bid="5.1", ask="5.3"):
    line = Line(OPTION)
    line.take_price("1", bid, "10", 100)
    line.take_price("2", ask, "20", 200)
    return line


def test_a_line_tells_both_sides_and_when_they_last_changed():
    quote = quoted().quote(2)

    assert (quote.bid_usd, quote.bid_size, quote.ask_usd, quote.ask_size) == (5.1, 10, 5.3, 20)
    assert (quote.at_ns, quote.two_sided_ns, quote.updates) == (200, 200, 2)


def test_one_side_alone_is_not_two_sided():
    line = Line(OPTION)
    line.take_price("1", "5.1", "10", 100)

    assert line.quote(1).two_sided_ns == 0


def test_a_trade_does_not_freshen_the_sides():
    line = quoted()
    line.take_price("4", "5.2", "1", 300)

    assert (line.quote(1).last_usd, line.quote(1).at_ns) == (5.2, 300)
    assert line.quote(1).two_sided_ns == 200


@pytest.mark.parametrize("text", NOTHING)
@pytest.mark.parametrize("kind", ["1", "2", "4", "9"])
def test_m03_m04_what_is_no_price_is_unknown_and_counted(kind, text):
    line = quoted()

    line.take_price(kind, text, "10", 300)

    quote = line.quote(1)
    prices = {"1": quote.bid_usd, "2": quote.ask_usd, "4": quote.last_usd, "9": quote.close_usd}
    assert prices[kind] is None
    assert line.unusable == 1


@pytest.mark.parametrize("text", NO_SIZE)
def test_what_is_no_size_is_unknown(text):
    line = quoted()

    line.take_size("0", text, 300)
    line.take_size("8", text, 300)

    assert line.quote(1).bid_size is None
    assert line.quote(1).volume is None


def test_a_side_with_nobody_on_it_has_no_price():
    line = quoted()

    line.take_price("1", "-1.0", "0", 300)
    line.take_size("3", "0", 300)

    assert (line.quote(1).bid_usd, line.quote(1).ask_usd) == (None, None)
    assert (line.quote(1).bid_size, line.quote(1).ask_size) == (0, 0)
    assert line.quote(1).two_sided_ns == 200


def test_a_bid_of_zero_is_a_bid_of_zero():
    assert quoted(bid="0.0").quote(1).bid_usd == 0.0


def test_a_combination_may_cost_less_than_nothing_and_nothing_else_may():
    combo = Line(COMBO)

    combo.take_price("1", "-2.5", "4", 100)
    combo.take_price("2", "-1.0", "0", 100)

    assert combo.quote(1).bid_usd == -2.5
    assert combo.quote(1).ask_usd is None
    assert quoted(bid="-2.5").quote(1).bid_usd is None


def test_an_index_has_prices_without_sizes():
    line = Line(INDEX)

    line.take_price("1", "18.2", "0", 100)

    assert line.quote(1).bid_usd == 18.2


def test_an_option_s_open_interest_is_that_of_its_own_side():
    line = Line(OPTION)

    call = line.take_size("27", "900", 100)
    put = line.take_size("28", "700", 100)

    assert (call, put) == (False, True)
    assert line.quote(1).open_interest == 700


def test_m13_what_the_model_did_not_compute_is_unknown():
    line = Line(OPTION)

    line.take_model("13", ["0.2", "-0.25", "5", "-1", "-2", "-2", "-2", "-1"], 100)
    partly = line.quote(1).greeks
    line.take_model("13", ["-1", "-2", "-1", "-1", "-2", "-2", "-2", "-1"], 200)

    assert partly == BrokerGreeks(iv_annual=0.2, delta_per_share=-0.25)
    assert line.quote(1).greeks is None
    assert line.unusable == 1


def test_computations_of_bid_ask_and_last_are_left_alone():
    line = Line(OPTION)

    assert not any(line.take_model(kind, ["0.2"] * 8, 100) for kind in ("10", "11", "12", "80"))


@pytest.mark.parametrize(
    ("text", "halted"), [("0", False), ("1", True), ("2", True), ("-1", None), ("", None)]
)
def test_m06_a_halt_is_told_and_what_is_not_available_is_unknown(text, halted):
    line = Line(OPTION)

    line.take_generic("49", text, 100)

    assert line.quote(1).halted is halted


def test_m08_the_kind_of_data_is_part_of_the_quote():
    line = quoted()
    types = []
    for number in (2, 3, 4, 1, 99):
        line.take_data_type(number, 300)
        types.append(line.quote(1).data_type)

    assert types == [
        DataType.FROZEN,
        DataType.DELAYED,
        DataType.DELAYED_FROZEN,
        DataType.LIVE,
        DataType.DELAYED_FROZEN,
    ]


def test_m08_a_delayed_tick_makes_a_line_delayed_whatever_it_says_of_itself():
    line = quoted()

    line.take_price("66", "5.0", "10", 300)

    assert line.quote(1).data_type is DataType.DELAYED


@given(ticks=st.lists(st.tuples(KINDS, TEXTS, st.sampled_from(["0", "5", "", "-1", "nan"]))))
def test_no_price_of_a_line_is_ever_anything_but_a_number_from_zero_up(ticks):
    line = Line(OPTION)

    for kind, text, size in ticks:
        line.take_price(kind, text, size, 100)

    quote = line.quote(1)
    for price in (quote.bid_usd, quote.ask_usd, quote.last_usd, quote.close_usd):
        assert price is None or (math.isfinite(price) and price >= 0)
    for size in (quote.bid_size, quote.ask_size):
        assert size is None or (math.isfinite(size) and size >= 0)
