"""Directional movement against a bar-by-bar ledger of Wilder's rules, and by its limits."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from thetawarden.domain.indicators.adx import directional_movement


def ledger(high, low, close, window):
    """Wilder's worksheet, one bar a line, with running sums instead of averages."""
    plus, minus, ranges = [], [], []
    for i in range(1, len(close)):
        up, down = high[i] - high[i - 1], low[i - 1] - low[i]
        plus.append(up if up > down and up > 0 else 0.0)
        minus.append(down if down > up and down > 0 else 0.0)
        ranges.append(
            max(high[i] - low[i], abs(high[i] - close[i - 1]), abs(low[i] - close[i - 1]))
        )
    lines, dx, adx = [], [], None
    sums = [sum(series[:window]) for series in (plus, minus, ranges)]
    for i in range(window - 1, len(plus)):
        if i >= window:
            sums = [
                total - total / window + series[i]
                for total, series in zip(sums, (plus, minus, ranges), strict=True)
            ]
        p, m = 100 * sums[0] / sums[2], 100 * sums[1] / sums[2]
        dx.append(100 * abs(p - m) / (p + m))
        if len(dx) == window:
            adx = sum(dx) / window
        elif len(dx) > window:
            adx = (adx * (window - 1) + dx[-1]) / window
        lines.append((p, m, adx))
    return lines


@pytest.fixture(scope="module")
def bars(shared_data):
    table = pl.read_csv(shared_data / "equity_indices/SPY_1993_2025__silverlight.csv").tail(2_500)
    return {name.lower(): table[name].to_numpy() for name in ("High", "Low", "Close")}


@pytest.mark.parametrize("window", [5, 14])
def test_real_bars_give_the_lines_of_wilders_worksheet(bars, window):
    lines = directional_movement(**bars, window=window)

    expected = ledger(bars["high"], bars["low"], bars["close"], window)

    plus, minus, adx = zip(*expected, strict=True)
    np.testing.assert_allclose(lines.plus_di[window:], plus, rtol=1e-9)
    np.testing.assert_allclose(lines.minus_di[window:], minus, rtol=1e-9)
    np.testing.assert_allclose(
        lines.adx[2 * window - 1 :], np.array(adx[window - 1 :], dtype=float), rtol=1e-9
    )
    assert np.isnan(lines.adx[: 2 * window - 1]).all()
    assert np.isnan(lines.plus_di[:window]).all()


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_a_market_that_only_goes_one_way_is_wholly_directed(direction):
    close = 500.0 + direction * np.arange(60.0)

    lines = directional_movement(high=close + 1, low=close - 1, close=close)

    assert lines.adx[-1] == pytest.approx(100.0)
    assert (lines.plus_di[-1] > lines.minus_di[-1]) == (direction > 0)


def test_a_market_that_stands_still_has_no_direction():
    flat = np.full(60, 100.0)

    lines = directional_movement(high=flat, low=flat, close=flat)

    assert (lines.plus_di[-1], lines.minus_di[-1], lines.adx[-1]) == (0.0, 0.0, 0.0)


def test_a_bar_that_reaches_out_equally_on_both_sides_shows_no_direction():
    reach = np.arange(1.0, 61.0)
    close = np.full(60, 500.0)

    lines = directional_movement(high=close + reach, low=close - reach, close=close)

    assert (lines.plus_di[-1], lines.minus_di[-1], lines.adx[-1]) == (0.0, 0.0, 0.0)
    assert np.isnan(lines.adx[:27]).all()
    assert not np.isnan(lines.adx[27])


def test_a_hole_leaves_no_direction_after_it():
    close = 500.0 + np.arange(60.0)
    high = close + 1
    high[40] = np.nan

    lines = directional_movement(high=high, low=close - 1, close=close)

    assert not np.isnan(lines.adx[39])
    assert np.isnan(lines.adx[40:]).all()


@given(
    steps=arrays(float, st.integers(0, 80), elements=st.floats(-5, 5)),
    reach=st.floats(0.1, 5.0),
)
def test_every_line_stays_between_nothing_and_all(steps, reach):
    close = 1_000.0 + np.cumsum(steps)

    lines = directional_movement(high=close + reach, low=close - reach, close=close)

    for line in (lines.plus_di, lines.minus_di, lines.adx):
        known = line[~np.isnan(line)]
        assert len(line) == len(close)
        assert ((known >= -1e-9) & (known <= 100 + 1e-9)).all()
