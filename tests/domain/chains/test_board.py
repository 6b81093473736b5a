"""The watcher's memory: own volatilities and Greeks, few at a time as good as all at once."""

import datetime as dt

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.watched import DAY, NOW, World
from thetawarden.domain.broker.lines import LineManner, LinePriority
from thetawarden.domain.broker.quote_rows import write_quotes
from thetawarden.domain.chains.board import Board, BoardState
from thetawarden.domain.chains.fitting import refresh_rows
from thetawarden.domain.chains.settings import Pace, WatchSettings
from thetawarden.domain.chains.view import judge_legs, pack_rows, read_rows, row_liquidity
from thetawarden.domain.instants import NS_PER_MINUTE, NS_PER_SECOND
from thetawarden.domain.market.contracts import ExerciseStyle

PACE = Pace()
FIGURES = (
    "iv_annual",
    "delta_per_share",
    "gamma_per_usd",
    "vega_usd_per_vol_point",
    "theta_usd_per_day",
)
ticks = st.lists(
    st.tuples(st.integers(0, 10_000), st.floats(-0.01, 0.02), st.floats(-0.002, 0.002)),
    max_size=12,
)


def look(board, world, *, now=NOW):
    return board.look(underlying=world.symbol, number=1, today=DAY, now=now)


def pause_of(world):
    american = world.series[0].style is ExerciseStyle.AMERICAN
    return PACE.fit_american_ns if american else PACE.fit_ns


def copy_of(board):
    packed = msgspec.msgpack.encode(board.at_rest())
    return Board(WatchSettings(), msgspec.msgpack.decode(packed, type=BoardState))


def test_volatilities_and_forwards_are_those_of_the_law_that_made_the_quotes(world, board):
    view = look(board, world)
    rows = read_rows(view)

    assert view.summary.usable == view.summary.rows == len(board.rows) > 100
    for series in view.series:
        carry = np.exp(0.03 * series.tau_years)
        assert series.forward_usd == pytest.approx(world.spot_usd * carry, rel=3e-4)
        assert series.atm_iv_annual == pytest.approx(0.15, abs=0.003)
        assert series.skew_normalised > 0.05
        assert (series.forward_gap, series.smile_gap, series.skew_gap) == ("", "", "")
        assert series.percentile_gap == "short_history"
    near = np.abs(rows.delta_per_share) > 0.1
    assert np.abs(rows.iv_annual - rows.smile_iv_annual)[near].max() < 0.01
    assert (np.sign(rows.delta_per_share) == np.where(rows.is_call, 1, -1)).all()


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ticks=ticks)
@pytest.mark.parametrize("style", ["european", "american"])
def test_rows_refreshed_as_they_tick_are_as_good_as_all_rows_computed_at_once(worlds, style, ticks):
    world = worlds[style]
    one_by_one, at_once = world.board(), world.board()
    for place, extra_iv, _ in ticks:
        row = place % len(one_by_one.rows)
        world.tell(one_by_one, [row], extra_iv=extra_iv)
        look(one_by_one, world)
        world.tell(at_once, [row], extra_iv=extra_iv)

    refresh_rows(
        at_once.table,
        at_once._fitted.model,
        np.arange(len(at_once.rows)),
        spot_usd=world.spot_usd,
    )

    for name in FIGURES:
        np.testing.assert_allclose(
            getattr(one_by_one.table, name), getattr(at_once.table, name), rtol=1e-9, atol=1e-9
        )


def test_a_row_is_priced_with_the_time_that_is_left_when_it_ticks(world):
    board = world.board()
    nearest = [at for at, row in enumerate(board.rows) if row.series == 0]
    at = NOW + (world.series[0].settles_ns - NOW) // 2
    world.tell_spot(board, at_ns=at)
    world.tell(board, nearest, at_ns=at)
    look(board, world, now=at)
    read = world.board()
    world.tell_spot(read, at_ns=at)
    world.tell(read, nearest, at_ns=at)
    read.fit(today=DAY, now=at)

    quoted = [row for row in nearest if abs(read.table.delta_per_share[row]) > 0.2]
    assert len(quoted) > 4
    for name, off in (("iv_annual", 0.005), ("delta_per_share", 0.01)):
        ours, theirs = getattr(board.table, name), getattr(read.table, name)
        np.testing.assert_allclose(ours[quoted], theirs[quoted], atol=off)


def test_a_refreshed_row_agrees_with_a_fit_of_everything(world):
    quick, fitted = world.board(), world.board()
    at = NOW + NS_PER_SECOND // 10
    for board in (quick, fitted):
        world.tell(board, [3, 40], at_ns=at, extra_iv=0.004)

    look(quick, world, now=at)
    fitted.fit(today=DAY, now=at)

    for name in FIGURES:
        ours, theirs = getattr(quick.table, name), getattr(fitted.table, name)
        np.testing.assert_allclose(ours[[3, 40]], theirs[[3, 40]], rtol=5e-3, atol=1e-4)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ticks=ticks, put_away_after=st.integers(0, 12))
@pytest.mark.parametrize("style", ["european", "american"])
def test_what_a_board_says_does_not_depend_on_having_been_put_away(
    worlds, style, ticks, put_away_after
):
    world = worlds[style]
    kept, woken = world.board(), world.board()
    for number, (place, extra_iv, drift) in enumerate(ticks):
        if number == put_away_after:
            woken = copy_of(woken)
        at = NOW + number * NS_PER_SECOND
        for board in (kept, woken):
            world.tell_spot(board, world.spot_usd * (1 + drift), at_ns=at)
            world.tell(board, [place % len(board.rows)], at_ns=at, extra_iv=extra_iv)
            if number % 5 == 3:
                board.fit(today=DAY, now=at)

        assert look(kept, world, now=at) == look(woken, world, now=at)
    assert msgspec.msgpack.encode(kept.at_rest()) == msgspec.msgpack.encode(woken.at_rest())


def test_a_tick_changes_its_own_row_and_no_other(world, board):
    before = read_rows(look(board, world))

    row = int(np.argmin(np.abs(np.abs(before.delta_per_share) - 0.5)))

    world.tell(board, [row], at_ns=NOW + 1, extra_iv=0.01)
    after = read_rows(look(board, world, now=NOW + 1))

    assert np.flatnonzero(before.iv_annual != after.iv_annual).tolist() == [row]
    assert after.iv_annual[row] > before.iv_annual[row]


def test_forwards_go_along_with_the_underlying_between_two_fits(worlds):
    world = worlds["european"]
    board = world.board()
    moved = world.spot_usd * 1.004
    at = NOW + NS_PER_SECOND
    before = read_rows(look(board, world))

    world.tell_spot(board, moved, at_ns=at)
    world.tell(board, range(len(board.rows)), at_ns=at, spot_usd=moved)
    after = read_rows(look(board, world, now=at))
    board.fit(today=DAY, now=at)
    fitted = read_rows(look(board, world, now=at))

    near = (np.abs(before.delta_per_share) > 0.1) & (after.doubt == 0)
    assert near.sum() > 30
    np.testing.assert_allclose(after.iv_annual[near], fitted.iv_annual[near], atol=2e-3)


def test_a_position_far_outside_the_window_is_watched_and_streams(world, board):
    far = world.series[0].contracts.puts[0]
    scanned = [want for want in board.wants(world.underlying) if want.instrument.conid == far]

    board.replan(world.series, interest={far: LinePriority.POSITION}, today=DAY)

    wants = {want.instrument.conid: want for want in board.wants(world.underlying)}
    assert scanned == []
    assert wants[far].priority is LinePriority.POSITION
    assert wants[far].manner is LineManner.STREAM


def test_the_underlying_comes_first_then_entries_then_pairs_at_the_money_then_snapshots(
    world, board
):
    first, *options = board.wants(world.underlying)

    assert first.instrument == world.underlying
    assert first.manner is LineManner.STREAM
    entries = [want for want in options if want.priority is LinePriority.ENTRY]
    days = {want.instrument.expiry for want in entries}
    assert len(entries) == 9
    assert len(days) == 3
    assert all(want.manner is LineManner.STREAM for want in entries)
    scanned = [want for want in options if want.priority is LinePriority.SCAN]
    streamed = [want for want in scanned if want.manner is LineManner.STREAM]
    money = [abs(float(want.instrument.strike) / world.spot_usd - 1) for want in streamed]
    assert len(streamed) == 3 * 2 * WatchSettings().strikes.pairs
    assert {want.instrument.expiry for want in streamed} == days
    assert max(money) < 0.01
    assert scanned[: len(streamed)] == streamed
    rows = read_rows(look(board, world))
    streamed = np.isin(rows.conid, [want.instrument.conid for want in entries])
    assert ((rows.delta_per_share > -0.10) & (rows.delta_per_share < -0.03))[streamed].all()


def test_planning_again_without_a_reason_changes_nothing_and_a_new_plan_keeps_what_is_known(
    world, board
):
    before = read_rows(look(board, world))

    assert not board.replan(world.series, interest={}, today=DAY)
    assert board.replan(world.series[:-1], interest={}, today=DAY)

    after = read_rows(look(board, world))
    kept = np.isin(before.conid, after.conid)
    assert 0 < kept.sum() == len(after.conid)
    np.testing.assert_array_equal(before.iv_annual[kept], after.iv_annual)
    assert [one.expiry for one in look(board, world).series] == [
        one.key.expiry for one in world.series[:-1]
    ]


def test_a_series_that_came_after_the_fit_says_so(world):
    board = world.board()
    board.replan(world.series[:2], interest={}, today=DAY)
    board.fit(today=DAY, now=NOW)
    board.replan(world.series, interest={}, today=DAY)

    view = look(board, world)

    assert [one.forward_gap for one in view.series] == ["", "", *["not_fitted"] * 3]
    assert view.series[2].forward_usd is None


def test_a_fit_is_due_where_the_model_no_longer_tells_what_the_market_does(world, board):
    pause_ns = pause_of(world)
    calm_ns = PACE.fit_calm_pauses * pause_ns

    def due(after_ns, *, spot=1.0, rows=(0,)):
        at = NOW + after_ns
        world.tell_spot(board, world.spot_usd * spot, at_ns=at)
        world.tell(board, rows, at_ns=at, spot_usd=world.spot_usd * spot)
        return board.is_fit_due(at)

    board.fit(today=DAY, now=NOW)

    assert not due(pause_ns // 2, spot=1.002)
    assert not due(pause_ns, spot=1.0005)
    assert due(pause_ns, spot=1.002)
    assert due(pause_ns, spot=0.998)
    assert not due(calm_ns - 1)
    assert due(calm_ns)


def test_a_fit_is_due_as_soon_as_may_be_where_a_series_is_new_to_the_model(world):
    board = world.board()
    board.replan(world.series[:2], interest={}, today=DAY)
    board.fit(today=DAY, now=NOW)
    at = NOW + pause_of(world)
    world.tell_spot(board, at_ns=at)
    world.tell(board, [0], at_ns=at)
    before = board.is_fit_due(at)
    board.replan(world.series, interest={}, today=DAY)

    assert (before, board.is_fit_due(at)) == (False, True)


def test_a_fit_is_due_as_soon_as_may_be_while_a_series_has_no_forward(world):
    board, at = Board(WatchSettings()), NOW + pause_of(world)
    board.hear_link(epoch=1, up=True, now=NOW - 1)
    world.tell_spot(board)
    board.replan(world.series, interest={}, today=DAY)
    world.tell(board, [at for at, row in enumerate(board.rows) if row.series == 0])
    board.fit(today=DAY, now=NOW)
    world.tell_spot(board, at_ns=at)
    world.tell(board, range(len(board.rows)), at_ns=at)
    due = board.is_fit_due(at)
    board.fit(today=DAY, now=at)
    world.tell_spot(board, at_ns=at + pause_of(world))
    world.tell(board, range(len(board.rows)), at_ns=at + pause_of(world))

    assert due
    assert not board.is_fit_due(at + pause_of(world))


def test_a_fit_is_due_as_soon_as_may_be_where_an_expiry_is_near(world):
    nearest = min(one.settles_ns for one in world.series)
    later = PACE.fit_calm_pauses * pause_of(world) - NS_PER_SECOND
    told = {}
    for left_ns in (9 * later, 11 * later):
        board, at = world.board(), nearest - left_ns
        for now in (at, at + later):
            world.tell_spot(board, at_ns=now)
            world.tell(board, range(len(board.rows)), at_ns=now)
            if now == at:
                board.fit(today=DAY, now=at)
        told[left_ns] = board.is_fit_due(at + later)

    assert told == {9 * later: True, 11 * later: False}


def test_forwards_are_shown_at_the_price_of_the_view(world, board):
    before = look(board, world)
    world.tell_spot(board, world.spot_usd * 1.001, at_ns=NOW + 1)

    after = look(board, world, now=NOW + 1)

    assert after.spot_usd == pytest.approx(1.001 * before.spot_usd)
    for one, other in zip(before.series, after.series, strict=True):
        assert other.forward_usd == pytest.approx(1.001 * one.forward_usd, rel=1e-12)


def test_what_somebody_cares_for_is_asked_for_oftener_and_keeps_what_is_known(world, board):
    scanned = next(row for row in board.rows if row.priority is LinePriority.SCAN)
    before = read_rows(look(board, world))

    changed = board.replan(
        world.series, interest={scanned.conid: LinePriority.ENTRY}, today=DAY, choose=False
    )

    at = board.table.conid.tolist().index(scanned.conid)
    assert changed
    assert board.table.refresh_ns[at] == PACE.stream_refresh_ns < PACE.scan_refresh_ns
    assert look(board, world).columns == pack_rows(msgspec.structs.asdict(before))
    (want,) = (
        one for one in board.wants(world.underlying) if one.instrument.conid == scanned.conid
    )
    assert (want.priority, want.manner) == (LinePriority.ENTRY, LineManner.STREAM)


def test_of_two_quotes_of_one_option_in_a_message_the_last_counts_and_strangers_do_not(world):
    one_by_one, at_once = world.board(), world.board()
    (other,) = world.quotes(at_once, [1], at_ns=NOW)
    stranger = msgspec.structs.replace(other, conid=999_999_999)
    (first,) = world.quotes(at_once, [0], at_ns=NOW, extra_iv=0.02)
    (last,) = world.quotes(at_once, [0], at_ns=NOW, extra_iv=0.001)

    def tell(board, *quotes):
        return board.observe(
            write_quotes(quotes), epoch=board.epoch, underlying=world.underlying, now=NOW
        )

    assert tell(at_once, stranger, first, other, last, stranger)
    assert tell(one_by_one, other)
    assert tell(one_by_one, last)
    assert not tell(one_by_one, stranger)
    assert one_by_one.at_rest() == at_once.at_rest()


def test_skew_has_a_percentile_once_there_is_history(worlds):
    world = worlds["european"]
    board = Board(WatchSettings(pace=Pace(skew_sample_ns=NS_PER_MINUTE)))
    board.hear_link(epoch=1, up=True, now=NOW - 1)
    for minute in range(25):
        at = NOW + minute * NS_PER_MINUTE
        world.tell_spot(board, at_ns=at)
        board.replan(world.series, interest={}, today=DAY)
        world.tell(board, range(len(board.rows)), at_ns=at)
        board.fit(today=DAY, now=at)

    view = look(board, world, now=at)

    assert len(board.skews) in {24, 25}
    assert all(0.0 <= one.skew_percentile <= 1.0 for one in view.series)


def test_liquidity_is_graded_by_spread_interest_and_volume_and_doubt_scores_nothing(world, board):
    world.tell(board, [0], at_ns=NOW + 1, bid_usd=None)
    graded = row_liquidity(read_rows(look(board, world, now=NOW + 1)))

    assert graded.score[0] == 0.0
    assert np.median(graded.score) > 0.8


def test_m05_a_spread_is_as_doubtful_as_its_worst_leg_and_as_old_as_its_oldest(world, board):
    world.tell(board, [0], at_ns=NOW + 20 * NS_PER_SECOND)
    world.tell_spot(board, at_ns=NOW + 20 * NS_PER_SECOND)
    fresh, old, other = (row.conid for row in board.rows[:3])
    soon = look(board, world, now=NOW + 25 * NS_PER_SECOND)
    world.tell_spot(board, at_ns=NOW + 200 * NS_PER_SECOND)
    world.tell(board, [0], at_ns=NOW + 200 * NS_PER_SECOND)
    late = look(board, world, now=NOW + 200 * NS_PER_SECOND)

    together = judge_legs(soon, (fresh, old))
    stale = judge_legs(late, (fresh, old))
    unknown = judge_legs(late, (fresh, -5))

    assert together.usable
    assert together.age_ns == 25 * NS_PER_SECOND
    assert not stale.usable
    assert stale.doubts == ((old, "stale"),)
    assert (unknown.usable, unknown.age_ns, unknown.doubts) == (False, None, ((-5, "not_watched"),))
    assert not judge_legs(late, ()).usable
    assert judge_legs(late, (fresh,)).usable
    assert other != old


def test_american_and_european_chains_are_both_what_they_are(worlds):
    styles = {name: world.board().series[0].style for name, world in worlds.items()}

    assert styles == {"european": ExerciseStyle.EUROPEAN, "american": ExerciseStyle.AMERICAN}
    assert World("SPY", expiries=(DAY + dt.timedelta(days=1),)).board().table.early_usd.max() > 0
