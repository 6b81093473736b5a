"""Every reason not to use a quote, each played alone; M numbers are the fault catalogue's."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.watched import DAY, NOW
from thetawarden.domain.broker.quote import BrokerGreeks, DataType
from thetawarden.domain.broker.quote_rows import write_quotes
from thetawarden.domain.chains.doubts import CODES, FROM_PRICING, Doubt, DoubtLimits, doubt_of
from thetawarden.domain.chains.packing import pack_columns, unpack_columns
from thetawarden.domain.chains.table import QuoteTable
from thetawarden.domain.chains.verdicts import Frame, doubt_frozen, doubt_quotes
from thetawarden.domain.chains.view import read_rows, row_doubt
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.pricing.reasons import NoVolatility

SECOND = NS_PER_SECOND
ROW = 5


def verdict(board, world, row=ROW, *, now=NOW, today=DAY):
    rows = read_rows(board.look(underlying=world.symbol, number=1, today=today, now=now))
    return row_doubt(rows, row)


def rows_at(board, world, now):
    return read_rows(board.look(underlying=world.symbol, number=1, today=DAY, now=now))


def keep_spot(board, world, at):
    world.tell_spot(board, at_ns=at)


def money_row(board):
    """A row whose option follows the underlying closely."""
    return int(np.argmin(np.abs(np.abs(board.table.delta_per_share) - 0.5)))


def test_codes_and_doubts_name_each_other():
    assert doubt_of(0) is None
    assert [doubt_of(code) for code in CODES.values()] == list(Doubt)
    assert {doubt.value for doubt in FROM_PRICING.values()} <= {one.value for one in NoVolatility}


def test_m01_an_option_that_stands_still_while_the_underlying_moves_is_frozen(world, board):
    row = money_row(board)
    width = board.table.ask_usd[row] - board.table.bid_usd[row]
    moved = world.spot_usd + 8.0 * width
    at = NOW + 5 * SECOND

    world.tell_spot(board, moved, at_ns=at)
    frozen = verdict(board, world, row, now=at)
    world.tell(board, [row], at_ns=at, spot_usd=moved)
    followed = verdict(board, world, row, now=at)

    assert frozen is Doubt.FROZEN
    assert followed is None


@pytest.mark.parametrize("way", [-3.0, -1.0, 0.0, 1.0, 3.0])
def test_doubting_once_more_after_new_greeks_is_doubting_anew(world, board, way):
    """Only rows without a doubt have new ones: what stands still may have to follow by them."""
    table = unpack_columns(pack_columns(board.table), QuoteTable)
    at = NOW + 5 * SECOND
    frame = Frame(
        now_ns=at,
        link_up=True,
        spot_usd=world.spot_usd + way,
        spot_sure=True,
        underlying_halted=False,
        last_trade_ns=np.full(len(board.series), at + SECOND),
        qualified=np.ones(len(board.series), dtype=np.bool_),
    )
    limits = DoubtLimits()
    codes = doubt_quotes(table, frame, limits)
    rows = np.flatnonzero(codes == 0)[::2]
    table.delta_per_share[rows] = np.linspace(-1.0, 1.0, rows.size)

    again = doubt_frozen(table, frame, limits, codes)

    assert again.tolist() == doubt_quotes(table, frame, limits).tolist()
    assert (again != codes).any() == (abs(way) > 0.0)


def test_m01_without_a_move_of_the_underlying_age_alone_makes_a_quote_stale(world, board):
    allowed = DoubtLimits().age_ns_max + int(board.table.refresh_ns[ROW])
    at = NOW + allowed
    keep_spot(board, world, at)

    assert verdict(board, world, now=at) is None
    assert verdict(board, world, now=at + 1) is Doubt.STALE


@pytest.mark.parametrize("locked", [False, True])
def test_m02_a_crossed_quote_is_borne_for_a_second_on_the_sound_prices_and_then_refused(
    world, board, locked
):
    before = rows_at(board, world, NOW)
    bid = before.ask_usd[ROW]
    ask = bid if locked else before.bid_usd[ROW]
    world.tell(board, [ROW], at_ns=NOW + 1, bid_usd=bid, ask_usd=ask)

    patient = rows_at(board, world, NOW + SECOND)
    late = rows_at(board, world, NOW + SECOND + 2)
    world.tell(board, [ROW], at_ns=NOW + 2 * SECOND)

    assert row_doubt(patient, ROW) is None
    assert patient.mid_usd[ROW] == before.mid_usd[ROW]
    assert row_doubt(late, ROW) is (Doubt.LOCKED if locked else Doubt.CROSSED)
    assert math.isnan(late.mid_usd[ROW])
    assert verdict(board, world, now=NOW + 2 * SECOND) is None


def test_m02_a_quote_that_was_never_sound_has_no_grace(world, board):
    board.hear_link(epoch=2, up=True, now=NOW)
    keep_spot(board, world, NOW + 1)
    world.tell(board, [ROW], at_ns=NOW + 1, bid_usd=3.0, ask_usd=2.0)

    assert verdict(board, world, now=NOW + 1) is Doubt.CROSSED


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"bid_usd": -1.0, "ask_usd": -1.0}, Doubt.NEGATIVE),
        ({"bid_usd": -5.0}, Doubt.NEGATIVE),
        ({"bid_usd": 0.0}, Doubt.ZERO_BID),
        ({"ask_usd": 0.0, "bid_usd": 0.01}, Doubt.ZERO_ASK),
        ({"bid_usd": None}, Doubt.ONE_SIDED),
        ({"ask_usd": None}, Doubt.ONE_SIDED),
        ({"bid_size": 0.0}, Doubt.NO_SIZE),
        ({"ask_size": -1.0}, Doubt.NO_SIZE),
    ],
)
def test_m03_prices_and_sizes_that_are_none_are_never_used(world, board, changes, why):
    world.tell(board, [ROW], at_ns=NOW + 1, **changes)

    assert verdict(board, world, now=NOW + 1) is why


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"bid_usd": math.nan}, Doubt.ONE_SIDED),
        ({"ask_usd": math.inf}, Doubt.NOT_FINITE),
        ({"bid_usd": -math.inf}, Doubt.NOT_FINITE),
    ],
)
def test_m04_what_is_no_number_is_never_used_and_spoils_no_other_row(world, board, changes, why):
    before = rows_at(board, world, NOW)
    world.tell(board, [ROW], at_ns=NOW + 1, **changes)
    board.fit(today=DAY, now=NOW + 1)
    after = rows_at(board, world, NOW + 1)

    others = np.arange(len(board.rows)) != ROW
    assert row_doubt(after, ROW) is why
    assert (after.doubt[others] == 0).all()
    np.testing.assert_allclose(
        after.delta_per_share[others], before.delta_per_share[others], atol=0.002
    )


def test_m06_a_halt_of_the_underlying_halts_every_option_and_one_of_an_option_only_itself(
    world, board
):
    world.tell(board, [ROW], at_ns=NOW + 1, halted=True)
    alone = rows_at(board, world, NOW + 1)
    world.tell_spot(board, at_ns=NOW + 2, halted=True)
    everywhere = rows_at(board, world, NOW + 2)
    world.tell_spot(board, at_ns=NOW + 3, halted=False)
    world.tell(board, [ROW], at_ns=NOW + 3, halted=False)

    halted = CODES[Doubt.HALTED]
    assert np.flatnonzero(alone.doubt == halted).tolist() == [ROW]
    assert (everywhere.doubt == halted).all()
    assert (rows_at(board, world, NOW + 3).doubt == 0).all()


def test_m07_a_jump_is_in_quarantine_until_two_further_quotes_confirm_it(world, board):
    row = money_row(board)
    sound = rows_at(board, world, NOW).mid_usd[row]
    jumped = {"bid_usd": 2.0 * sound, "ask_usd": 2.0 * sound + 0.2}
    seen = []
    for number in (1, 2, 3):
        at = NOW + number * SECOND
        world.tell(board, [row], at_ns=at, **jumped)
        board.fit(today=DAY, now=at)
        seen.append(verdict(board, world, row, now=at))

    assert seen[:2] == [Doubt.JUMPED, Doubt.JUMPED]
    assert seen[2] is not Doubt.JUMPED
    assert board.table.sound_bid_usd[row] == 2.0 * sound


def test_m07_a_jump_that_is_taken_back_leaves_the_quote_as_it_was(world, board):
    row = money_row(board)
    sound = rows_at(board, world, NOW).mid_usd[row]
    world.tell(board, [row], at_ns=NOW + 1, bid_usd=2.0 * sound, ask_usd=2.0 * sound + 0.2)
    world.tell(board, [row], at_ns=NOW + 2)

    assert verdict(board, world, row, now=NOW + 2) is None
    assert rows_at(board, world, NOW + 2).mid_usd[row] == sound


def test_m07_the_same_tick_told_again_confirms_nothing(world, board):
    row = money_row(board)
    sound = rows_at(board, world, NOW).mid_usd[row]
    for _ in range(5):
        world.tell(board, [row], at_ns=NOW + 1, bid_usd=2.0 * sound, ask_usd=2.0 * sound + 0.2)

    assert verdict(board, world, row, now=NOW + 1) is Doubt.JUMPED


def test_m07_what_the_underlyings_own_move_explains_is_no_jump(world, board):
    near = np.abs(board.table.delta_per_share) > 0.3
    before = rows_at(board, world, NOW)
    moved = world.spot_usd * 1.004
    at = NOW + SECOND

    world.tell_spot(board, moved, at_ns=at)
    world.tell(board, range(len(board.rows)), at_ns=at, spot_usd=moved)

    rows = rows_at(board, world, at)
    assert near.sum() > 10
    assert np.abs(rows.mid_usd - before.mid_usd)[near].max() > 0.001 * world.spot_usd
    assert (rows.doubt[near] != CODES[Doubt.JUMPED]).all()


def test_m07_a_jump_of_the_underlying_makes_everything_unsure_until_it_is_confirmed(world, board):
    said = []
    for number in (1, 2, 3):
        at = NOW + number
        world.tell_spot(board, world.spot_usd * 1.15, at_ns=at)
        said.append(board.look(underlying="X", number=1, today=DAY, now=at))

    assert [view.spot_doubt for view in said] == ["jumped", "jumped", ""]
    unsure = CODES[Doubt.UNDERLYING_UNSURE]
    assert (read_rows(said[0]).doubt == unsure).all()
    assert said[2].spot_usd == pytest.approx(world.spot_usd * 1.15)


@pytest.mark.parametrize("kind", [one for one in DataType if one is not DataType.LIVE])
def test_m08_only_live_data_is_used_of_options_and_of_the_underlying(world, board, kind):
    world.tell(board, [ROW], at_ns=NOW + 1, data_type=kind)
    own = verdict(board, world, now=NOW + 1)
    world.tell_spot(board, at_ns=NOW + 2, data_type=kind)

    assert own is Doubt.NOT_LIVE
    assert verdict(board, world, ROW + 1, now=NOW + 2) is Doubt.UNDERLYING_UNSURE


def test_m09_a_wide_market_is_not_used_and_the_summary_names_the_widest_that_is(world, board):
    row = money_row(board)
    rows = rows_at(board, world, NOW)
    middle = rows.mid_usd[row]
    world.tell(board, [row], at_ns=NOW + 1, bid_usd=0.5 * middle, ask_usd=1.5 * middle)

    view = board.look(underlying="X", number=1, today=DAY, now=NOW + 1)

    assert row_doubt(read_rows(view), row) is Doubt.TOO_WIDE
    assert view.summary.doubts == ((Doubt.TOO_WIDE, 1),)


def test_m10_a_series_that_was_not_qualified_today_is_not_used(world, board):
    tomorrow = world.series[0].key.expiry

    assert verdict(board, world, today=tomorrow) is Doubt.NOT_QUALIFIED


def test_m11_an_option_past_its_last_trade_is_expired(world, board):
    ends = world.series[0].last_trade_ns
    world.tell(board, range(len(board.rows)), at_ns=ends - 1, priced_ns=NOW)
    keep_spot(board, world, ends - 1)

    assert verdict(board, world, 0, now=ends - 1) is None
    assert verdict(board, world, 0, now=ends) is Doubt.EXPIRED
    assert verdict(board, world, len(board.rows) - 1, now=ends) is None


def test_m13_absurd_greeks_of_the_broker_forbid_the_quote_missing_ones_do_not(world, board):
    rows = rows_at(board, world, NOW)
    ours = {"iv_annual": rows.iv_annual[ROW], "delta_per_share": rows.delta_per_share[ROW]}
    said = {
        "agreeing": BrokerGreeks(**ours),
        "missing": None,
        "empty": BrokerGreeks(),
        "absurd delta": BrokerGreeks(**ours | {"delta_per_share": 17.0}),
        "absurd volatility": BrokerGreeks(**ours | {"iv_annual": 9.99}),
    }

    found = {}
    for number, (name, greeks) in enumerate(said.items(), 1):
        world.tell(board, [ROW], at_ns=NOW + number, greeks=greeks)
        found[name] = verdict(board, world, now=NOW + number)

    assert found == {
        "agreeing": None,
        "missing": None,
        "empty": None,
        "absurd delta": Doubt.GREEKS_DIVERGE,
        "absurd volatility": Doubt.GREEKS_DIVERGE,
    }
    after = rows_at(board, world, NOW + 5)
    assert after.delta_per_share[ROW] == pytest.approx(rows.delta_per_share[ROW], abs=1e-6)


def test_m14_a_quote_from_the_future_is_not_used_and_one_a_moment_ahead_is(world, board):
    world.tell(board, [ROW], at_ns=NOW + SECOND // 2)
    soon = verdict(board, world, now=NOW)
    world.tell(board, [ROW], at_ns=NOW + 7200 * SECOND)

    assert soon is None
    assert verdict(board, world, now=NOW) is Doubt.FROM_THE_FUTURE


def test_n09_after_a_new_link_each_option_must_be_quoted_on_both_sides_anew(world, board):
    at = NOW + 10
    board.hear_link(epoch=2, up=True, now=at)
    cut = rows_at(board, world, at)
    keep_spot(board, world, at + 1)
    world.tell(board, [0, 1], at_ns=at + 1)
    world.tell(board, [2], at_ns=at + 1, ask_usd=None)
    world.tell(board, [3], at_ns=at + 1, two_sided_ns=NOW)
    later = rows_at(board, world, at + 1)

    assert (cut.doubt != 0).all()
    assert np.flatnonzero(later.doubt == 0).tolist() == [0, 1]
    assert [row_doubt(later, row) for row in (2, 3)] == [Doubt.ONE_SIDED, Doubt.OLD_LINK]


def test_n09_quotes_of_an_older_link_are_not_even_read(world, board):
    stray = world.quotes(board, [ROW], at_ns=NOW + 2, bid_usd=1.0, ask_usd=1.1)
    board.hear_link(epoch=2, up=True, now=NOW + 1)

    taken = board.observe(write_quotes(stray), epoch=1, underlying=world.underlying, now=NOW + 2)

    assert not taken
    assert math.isnan(board.table.sound_bid_usd[ROW])


def test_n08_while_the_link_is_down_nothing_is_used(world, board):
    board.hear_link(epoch=1, up=False, now=NOW)

    assert verdict(board, world) is Doubt.LINK_DOWN


numbers = st.none() | st.floats() | st.sampled_from([-1.0, 0.0, 0.01, 1.0])


@given(
    told=st.lists(
        st.tuples(numbers, numbers, numbers, st.integers(0, 3 * SECOND)), min_size=1, max_size=20
    )
)
def test_whatever_is_said_a_usable_row_has_an_honest_market_and_our_own_greeks(worlds, told):
    world = worlds["european"]
    board = world.board()
    at = NOW
    for bid, ask, size, pause in told:
        at += pause
        keep_spot(board, world, at)
        figures = {"bid_usd": bid, "ask_usd": ask, "bid_size": size, "ask_size": size}
        world.tell(board, [ROW], at_ns=at, **figures)
        rows = rows_at(board, world, at)

        if rows.doubt[ROW] == 0:
            assert 0 < rows.bid_usd[ROW] < rows.ask_usd[ROW] < math.inf
            assert rows.iv_annual[ROW] > 0
            assert -1 <= rows.delta_per_share[ROW] <= 1
        others = np.arange(len(rows.doubt)) != ROW
        assert (rows.doubt[others] == 0).all() or at - NOW > 50 * SECOND
