"""What is known of a series that cannot be read any more, and of an option that is new."""

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.watched import DAY, NOW
from thetawarden.domain.broker.lines import LinePriority
from thetawarden.domain.chains.board import Board, BoardState
from thetawarden.domain.chains.doubts import Doubt
from thetawarden.domain.chains.model import Fitted, SeriesModel, carried, smiles_of, with_known
from thetawarden.domain.chains.settings import Pace, WatchSettings
from thetawarden.domain.chains.view import read_rows, row_doubt
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.market.contracts import ExerciseStyle
from thetawarden.domain.surface.smile import smile_iv

PACE = Pace()
MINUTE = 60 * NS_PER_SECOND
EARLY = ("early_usd", "early_delta", "early_gamma", "early_vega", "early_theta")
ANY_WORLD = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def look(board, world, *, now):
    return board.look(underlying=world.symbol, number=1, today=DAY, now=now)


def pause_of(world):
    american = world.series[0].style is ExerciseStyle.AMERICAN
    return PACE.fit_american_ns if american else PACE.fit_ns


def rows_of(board, *series):
    return [at for at, row in enumerate(board.rows) if row.series in series]


def fit_without(board, world, *silent, now, drift=0.0):
    """All are quoted anew at another price of the underlying, and read; these for no size."""
    spot_usd = world.spot_usd * (1 + drift)
    world.tell_spot(board, spot_usd, at_ns=now)
    others = set(range(len(world.series))) - set(silent)
    world.tell(board, rows_of(board, *others), at_ns=now, spot_usd=spot_usd)
    world.tell(board, rows_of(board, *silent), at_ns=now, spot_usd=spot_usd, bid_size=0.0)
    return board.fit(today=DAY, now=now)


def test_a_series_that_cannot_be_read_any_more_keeps_what_was_read_of_it(world):
    board, now = world.board(), NOW + MINUTE
    before = look(board, world, now=NOW)
    is_news = fit_without(board, world, 0, now=now, drift=0.002)
    view = look(board, world, now=now)

    lost, others = view.series[0], view.series[1:]
    assert (lost.unread, lost.read_ns) == ("too_few_pairs", NOW)
    assert (lost.forward_gap, lost.smile_gap) == ("", "")
    assert lost.forward_usd == pytest.approx(1.002 * before.series[0].forward_usd, rel=1e-6)
    assert lost.atm_iv_annual == before.series[0].atm_iv_annual
    assert {(one.unread, one.read_ns) for one in others} == {("", now)}
    assert not is_news


@ANY_WORLD
@given(
    drift=st.floats(-0.0099, 0.0099),
    seconds=st.integers(1, 299),
    lost=st.sets(st.integers(1, 4), min_size=1),
)
@pytest.mark.parametrize("style", ["european", "american"])
def test_what_is_kept_tells_the_volatility_of_every_option_as_the_market_would(
    worlds, style, drift, seconds, lost
):
    world = worlds[style]
    board, now = world.board(), NOW + seconds * NS_PER_SECOND
    fit_without(board, world, *lost, now=now, drift=drift)

    rows, table = rows_of(board, *lost), board.table
    settles_ns = np.array([one.settles_ns for one in board.series])[table.series[rows]]
    deviations = np.log(table.strike_usd[rows] / (1 + drift) / world.spot_usd) / (
        0.15 * np.sqrt((settles_ns - now) / (365 * 24 * 60 * MINUTE))
    )
    law = 0.15 * np.sqrt(1.0 - 0.12 * deviations + 0.03 * deviations**2)
    quoted = np.abs(deviations) < 1.0
    assert quoted.sum() > 10
    np.testing.assert_allclose(table.smile_iv_annual[rows][quoted], law[quoted], atol=0.002)


def test_an_option_of_such_a_series_is_usable_as_soon_as_it_is_quoted(world):
    board, now = world.board(), NOW + MINUTE
    fit_without(board, world, 0, 1, now=now, drift=0.002)
    told = rows_of(board, 0)
    spot_usd = 1.002 * world.spot_usd
    silent = read_rows(look(board, world, now=now))
    world.tell(board, told, at_ns=now + NS_PER_SECOND, spot_usd=spot_usd)
    rows = read_rows(look(board, world, now=now + NS_PER_SECOND))

    assert not silent.usable[told].any()
    assert np.isnan(silent.iv_annual[told]).all()
    assert rows.usable[told].all()
    near = [row for row in told if abs(rows.delta_per_share[row]) > 0.1]
    np.testing.assert_allclose(rows.iv_annual[near], rows.smile_iv_annual[near], atol=0.01)


def test_it_is_read_again_as_soon_as_it_can_be(world):
    board, now = world.board(), NOW + MINUTE
    fit_without(board, world, 2, now=now)
    is_news = fit_without(board, world, now=now + MINUTE)

    series = look(board, world, now=now + MINUTE).series
    assert {(one.unread, one.read_ns) for one in series} == {("", now + MINUTE)}
    assert not is_news


def test_nothing_is_kept_for_long_nor_over_a_far_move_nor_where_little_time_is_left(world):
    nearest = min(one.settles_ns for one in world.series)

    def gap_after(wait_ns, *, read_ns=NOW, drift=0.0):
        board = world.board()
        fit_without(board, world, now=read_ns)
        fit_without(board, world, 0, now=read_ns + wait_ns, drift=drift)
        return look(board, world, now=read_ns + wait_ns).series[0].forward_gap

    assert gap_after(PACE.model_kept_ns_max) == ""
    assert gap_after(PACE.model_kept_ns_max + 1) == "too_few_pairs"
    assert gap_after(MINUTE, drift=0.0099) == gap_after(MINUTE, drift=-0.0099) == ""
    assert gap_after(MINUTE, drift=0.0102) == gap_after(MINUTE, drift=-0.0102) == "too_few_pairs"
    assert gap_after(MINUTE, read_ns=nearest - 6 * MINUTE) == ""
    assert gap_after(MINUTE, read_ns=nearest - 4 * MINUTE) == "too_few_pairs"


def test_however_often_it_is_tried_the_time_since_it_was_read_counts(world):
    board = world.board()
    gaps = []
    for minute in range(1, 8):
        fit_without(board, world, 3, now=NOW + minute * MINUTE, drift=0.0015 * minute)
        gaps.append(look(board, world, now=NOW + minute * MINUTE).series[3].forward_gap)

    assert gaps == ["", "", "", "", "", "too_few_pairs", "too_few_pairs"]


def test_what_was_never_read_has_a_gap_and_what_an_older_version_read_is_not_kept(world):
    board = Board(WatchSettings())
    board.hear_link(epoch=1, up=True, now=NOW - 1)
    world.tell_spot(board)
    board.replan(world.series, interest={}, today=DAY)
    fit_without(board, world, 1, now=NOW)
    never = look(board, world, now=NOW).series[1]
    state = world.board().at_rest()
    older = msgspec.structs.replace(state, gaps=msgspec.structs.replace(state.gaps, reads=()))
    board = Board(WatchSettings(), older)
    unknown = look(board, world, now=NOW).series[0]
    fit_without(board, world, 0, now=NOW + MINUTE)

    assert (never.forward_gap, never.read_ns) == ("too_few_pairs", 0)
    assert (unknown.forward_gap, unknown.read_ns, unknown.unread) == ("", 0, "")
    assert look(board, world, now=NOW + MINUTE).series[0].forward_gap == "too_few_pairs"


def stands_still(board, world, *, now, spot_usd, priced_usd):
    """Options without a partner follow the underlying, pairs are told at the price they had."""
    strikes = [(row.series, row.strike_at) for row in board.rows]
    alone = [at for at, strike in enumerate(strikes) if strikes.count(strike) == 1]
    pairs = [at for at, strike in enumerate(strikes) if strikes.count(strike) == 2]
    world.tell_spot(board, spot_usd, at_ns=now)
    world.tell(board, alone, at_ns=now, spot_usd=spot_usd)
    world.tell(board, pairs, at_ns=now, spot_usd=priced_usd, priced_ns=NOW)


def test_pairs_that_stood_still_are_not_read_however_long_ago_the_last_model_was_lost(world):
    board, usd, lost = world.board(), world.spot_usd, set()
    for number in range(1, 81):
        now, spot_usd = NOW + 6 * number * NS_PER_SECOND, usd * (1 + 0.0003 * number)
        stands_still(board, world, now=now, spot_usd=spot_usd, priced_usd=usd)
        board.fit(today=DAY, now=now)
        for series in look(board, world, now=now).series:
            if series.forward_usd is None:
                lost.add(series.expiry)
            else:
                carry = np.exp(0.03 * series.tau_years)
                assert series.forward_usd == pytest.approx(spot_usd * carry, rel=2.5e-3)
    for _ in range(3):  # a jump is to be confirmed
        now += NS_PER_SECOND
        world.tell_spot(board, spot_usd, at_ns=now)
        world.tell(board, range(len(board.rows)), at_ns=now, spot_usd=spot_usd)
    board.fit(today=DAY, now=now)

    assert lost == {one.key.expiry for one in world.series}
    for series in look(board, world, now=now).series:
        assert series.forward_usd == pytest.approx(spot_usd * np.exp(0.03 * series.tau_years), 5e-4)


def pairs_of(board, series):
    strikes = [(row.series, row.strike_at) for row in board.rows]
    return [at for at in rows_of(board, series) if strikes.count(strikes[at]) == 2]


def test_nor_is_a_smile_read_off_what_stood_still_when_its_own_is_kept_no_more(worlds):
    world = worlds["european"]
    board, usd = world.board(), world.spot_usd
    ticking = pairs_of(board, 3)[:6]
    still = [at for at in rows_of(board, 3) if at not in ticking]
    seen = []
    for number in range(1, 70):
        now, spot_usd = NOW + 6 * number * NS_PER_SECOND, usd * (1 + 0.0001 * number)
        world.tell_spot(board, spot_usd, at_ns=now)
        world.tell(board, [*rows_of(board, 0, 1, 2, 4), *ticking], at_ns=now, spot_usd=spot_usd)
        world.tell(board, still, at_ns=now, spot_usd=usd, priced_ns=NOW)
        board.fit(today=DAY, now=now)
        seen.append(look(board, world, now=now).series[3])

    assert seen[-1].smile_gap == "too_few_quotes"
    assert {one.unread for one in seen} >= {"", "too_few_quotes"}
    for one in seen:
        carry = np.exp(0.03 * one.tau_years)
        assert one.atm_iv_annual is None or one.atm_iv_annual == pytest.approx(0.15, abs=0.006)
        assert one.forward_usd == pytest.approx(usd * carry, rel=0.0075)


def test_a_forward_without_a_smile_is_not_read_anew_off_pairs_that_stand_still(world):
    board = Board(WatchSettings())
    board.hear_link(epoch=1, up=True, now=NOW - 1)
    world.tell_spot(board)
    board.replan(world.series, interest={}, today=DAY)
    told = pairs_of(board, 3)[:8]
    world.tell(board, told)
    board.fit(today=DAY, now=NOW)
    off = []
    for number in range(1, 40):
        now, spot_usd = NOW + 6 * number * NS_PER_SECOND, world.spot_usd * (1 + 0.0003 * number)
        world.tell_spot(board, spot_usd, at_ns=now)
        world.tell(board, told, at_ns=now, priced_ns=NOW)
        board.fit(today=DAY, now=now)
        series = look(board, world, now=now).series[3]
        if series.forward_usd is not None:
            off.append(series.forward_usd / spot_usd / np.exp(0.03 * series.tau_years) - 1.0)

    assert len(off) > 20
    assert np.abs(off).max() < 0.0015


def test_what_is_worth_next_to_nothing_may_stand_still_without_a_model_and_be_left(world):
    board, usd = world.board(), world.spot_usd
    begin = world.series[0].settles_ns - 70 * MINUTE
    cheap = [at for at in rows_of(board, 0) if at not in pairs_of(board, 0)]
    for number in range(121):
        now = begin + 10 * number * NS_PER_SECOND
        spot_usd = usd * (1 - 0.011 * min(number, 60) / 60)
        world.tell_spot(board, spot_usd, at_ns=now)
        world.tell(board, rows_of(board, 1, 2, 3, 4), at_ns=now, spot_usd=spot_usd)
        world.tell(board, pairs_of(board, 0), at_ns=now, spot_usd=spot_usd, bid_size=0.0)
        world.tell(board, cheap, at_ns=now, spot_usd=spot_usd)
        board.fit(today=DAY, now=now)
    view = look(board, world, now=now)
    calls = [at for at in cheap if board.table.is_call[at]]

    assert view.series[0].forward_gap == "too_few_pairs"
    assert len(calls) > 2
    assert read_rows(view).leavable[calls].all()


def test_where_a_forward_is_read_it_stands_and_the_smile_of_before_with_it(world):
    board, now, usd = world.board(), NOW + MINUTE, 1.003 * world.spot_usd
    strikes = [(row.series, row.strike_at) for row in board.rows]
    pairs = [at for at in rows_of(board, 3) if strikes.count(strikes[at]) == 2][:6]
    world.tell_spot(board, usd, at_ns=now)
    world.tell(board, rows_of(board, 0, 1, 2, 4), at_ns=now, spot_usd=usd)
    others = [at for at in rows_of(board, 3) if at not in pairs]
    world.tell(board, others, at_ns=now, spot_usd=usd, bid_size=0.0)
    world.tell(board, pairs, at_ns=now, spot_usd=usd * 1.0002)  # what a forward alone tells
    board.fit(today=DAY, now=now)
    series = look(board, world, now=now).series[3]

    assert (series.unread, series.read_ns, series.smile_gap) == ("too_few_quotes", NOW, "")
    assert series.atm_iv_annual == pytest.approx(0.15, abs=0.003)
    forward_usd = 1.0002 * usd * np.exp(0.03 * series.tau_years)
    assert series.forward_usd == pytest.approx(forward_usd, rel=5e-5)
    assert np.isfinite(board.table.smile_iv_annual[rows_of(board, 3)]).all()


@pytest.mark.parametrize(
    ("forward", "smile", "kept"),
    [
        ("too_few_pairs", "no_forward", True),
        ("", "too_few_quotes", True),
        ("implausible", "no_forward", False),
        ("expired", "expired", False),
        ("", "not_positive", False),
    ],
)
def test_only_silence_is_made_up_for(world, forward, smile, kept):
    before = world.board()._fitted
    columns = {name: getattr(before.model, name).copy() for name in before.model.__struct_fields__}
    columns["atm_iv_annual"][2] = np.nan
    if forward:
        columns["forward_usd"][2] = np.nan
    words = {"forward": forward, "smile": smile}
    gaps = {
        name: tuple(words[name] if at == 2 else "" for at in range(len(world.series)))
        for name in words
    }
    found = Fitted(SeriesModel(**columns), msgspec.structs.replace(before.gaps, **gaps))

    _, these = with_known(found, before, now_ns=NOW + 1, kept_ns_max=MINUTE)

    assert these.tolist() == [at == 2 and kept for at in range(len(world.series))]


@ANY_WORLD
@given(shorter=st.floats(0.05, 1.0), drift=st.floats(-0.05, 0.05), away=st.floats(-2.0, 2.0))
def test_rate_yield_and_volatility_stay_while_a_model_is_carried(worlds, shorter, drift, away):
    fitted = worlds["european"].board()._fitted
    old = fitted.model
    new = carried(old, spot_usd=old.spot_usd * (1 + drift), tau_years=old.tau_years * shorter)

    def rates(model):
        rate = -np.log(model.discount) / model.tau_years
        return rate, np.log(model.forward_usd / model.spot_usd) / model.tau_years

    def volatility(model):
        deviation = model.atm_iv_annual * np.sqrt(model.tau_years)
        return smile_iv(
            smiles_of(Fitted(model, fitted.gaps)),
            expiry=np.arange(len(deviation)),
            strike_usd=model.forward_usd * np.exp(away * deviation),
        )

    np.testing.assert_allclose(rates(new), rates(old), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(volatility(new), volatility(old), rtol=1e-9)


def test_what_early_exercise_adds_is_kept_with_an_american_expiry(worlds):
    world = worlds["american"]
    board = world.board()
    rows = rows_of(board, 4)
    before = {name: getattr(board.table, name)[rows].copy() for name in EARLY}
    fit_without(board, world, 4, now=NOW + MINUTE, drift=0.002)

    assert before["early_usd"].max() > 0.01
    for name in EARLY:
        np.testing.assert_array_equal(getattr(board.table, name)[rows], before[name])


def test_no_option_of_an_expiry_without_a_model_is_shown_with_greeks(world):
    board, now = world.board(), NOW + PACE.model_kept_ns_max + 1
    fit_without(board, world, 0, now=now)
    rows = read_rows(look(board, world, now=now))
    lost = rows_of(board, 0)

    for name in ("delta_per_share", "gamma_per_usd", "iv_annual", "smile_iv_annual"):
        assert np.isnan(getattr(rows, name)[lost]).all()


def test_the_history_of_skew_is_of_what_was_read(world):
    board, read_ns = world.board(), NOW + PACE.skew_sample_ns - MINUTE
    fit_without(board, world, now=read_ns)
    fit_without(board, world, 0, 1, 3, 4, now=read_ns + MINUTE)

    assert len(board.skews) == 2
    assert board.skews[-1] == board._fitted.model.skew_normalised[2]


@pytest.mark.parametrize("drift", [0.0, 0.005])
def test_a_board_that_keeps_something_comes_back_as_it_was(world, drift):
    kept = world.board()
    fit_without(kept, world, 0, 3, now=NOW + MINUTE, drift=drift)
    packed = msgspec.msgpack.encode(kept.at_rest())
    woken = Board(WatchSettings(), msgspec.msgpack.decode(packed, type=BoardState))

    for board in (kept, woken):
        fit_without(board, world, 3, now=NOW + 2 * MINUTE, drift=drift)
        board.replan(world.series[1:], interest={}, today=DAY)

    assert look(kept, world, now=NOW + 2 * MINUTE) == look(woken, world, now=NOW + 2 * MINUTE)
    assert look(kept, world, now=NOW + 2 * MINUTE).series[2].read_ns == NOW
    assert msgspec.msgpack.encode(kept.at_rest()) == msgspec.msgpack.encode(woken.at_rest())


def unwatched(board, *, low, high):
    """A put of the last series that no window holds, its strike within these parts of the spot."""
    series, spot_usd = board.series[-1], board.spot.price_usd
    watched = set(board.table.conid.tolist())
    return next(
        conid
        for strike, conid in zip(series.strikes_usd(), series.contracts.puts, strict=True)
        if low <= strike / spot_usd <= high and conid not in watched
    )


def told_of_late(board, world, conid):
    """Somebody cares for it, and it is quoted a pause after the last fit."""
    board.replan(world.series, interest={conid: LinePriority.POSITION}, today=DAY, choose=False)
    row, at = board.table.conid.tolist().index(conid), NOW + pause_of(world)
    world.tell_spot(board, at_ns=at)
    world.tell(board, [row], at_ns=at)
    return row, at


def fitted_anew(board, world, at):
    world.tell(board, range(len(board.rows)), at_ns=at)
    board.fit(today=DAY, now=at)
    return read_rows(look(board, world, now=at))


def test_an_option_between_others_is_modelled_at_once_by_what_these_tell(world):
    board = world.board()
    row, at = told_of_late(board, world, unwatched(board, low=0.93, high=1.0))
    due = board.is_fit_due(at)
    seen = read_rows(look(board, world, now=at))
    early = [float(getattr(board.table, name)[row]) for name in EARLY]
    fitted = fitted_anew(board, world, at)

    assert not due
    assert seen.usable[row]
    for name, off in (("iv_annual", 1e-4), ("smile_iv_annual", 3e-4), ("delta_per_share", 2e-3)):
        assert getattr(seen, name)[row] == pytest.approx(getattr(fitted, name)[row], abs=off)
    read = [float(getattr(board.table, name)[row]) for name in EARLY]
    assert early == pytest.approx(read, rel=0.1, abs=1e-12)
    assert (early[0] > 0) is (world.series[0].style is ExerciseStyle.AMERICAN)


def test_an_option_between_others_has_greeks_before_it_is_quoted(world):
    board = world.board()
    conid = unwatched(board, low=0.93, high=1.0)
    board.replan(world.series, interest={conid: LinePriority.POSITION}, today=DAY, choose=False)
    row = board.table.conid.tolist().index(conid)
    rows = read_rows(look(board, world, now=NOW))

    assert -0.5 < rows.delta_per_share[row] < 0
    assert np.isnan(rows.iv_annual[row])
    assert row_doubt(rows, row) is Doubt.NO_QUOTE


def test_beyond_all_others_early_exercise_is_unknown_until_a_fit_which_is_due_then(worlds):
    for style, world in worlds.items():
        board = world.board()
        row, at = told_of_late(board, world, unwatched(board, low=1.05, high=1.06))
        due = board.is_fit_due(at)
        seen = read_rows(look(board, world, now=at))
        fitted = fitted_anew(board, world, at)

        assert due is (style == "american")
        assert np.isnan(seen.smile_iv_annual[row]) == (style == "american")
        assert np.isfinite(fitted.smile_iv_annual[row])


def test_an_option_that_lives_no_more_makes_no_fit_due(world):
    board, at = world.board(), min(one.settles_ns for one in world.series)
    left = [number for number, one in enumerate(world.series) if one.settles_ns > at]
    gone = rows_of(board, *set(range(len(world.series))) - set(left))
    told, later = {}, at + pause_of(world)
    for now in (at, later):
        world.tell_spot(board, at_ns=now)
        world.tell(board, rows_of(board, *left), at_ns=now)
        world.tell(board, gone, at_ns=now, priced_ns=NOW)
        if now == at:
            board.fit(today=DAY, now=at)
        told[now] = board.is_fit_due(now)

    assert 0 < len(gone) < len(board.rows)
    assert np.isnan(board.table.smile_iv_annual[gone]).all()
    assert told == {at: False, later: False}
