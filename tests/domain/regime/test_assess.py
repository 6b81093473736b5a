"""The whole verdict: names, products, strictness, and blindness."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.market.events import DayNote, MacroKind, MacroNote, Nearness
from thetawarden.domain.regime.assess import Regime, RegimeInputs, RegimeLimits, assess
from thetawarden.domain.regime.derived import DerivedRegime
from thetawarden.domain.regime.factors import EntryPolicy
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.regime.term_structure import VolCurve
from thetawarden.domain.regime.trend import TrendInputs
from thetawarden.domain.regime.vix_limits import VixBand

LIMITS = RegimeLimits()
NOW_NS = 1_790_000_000_000_000_000
CALM = {
    "vix": 17.0,
    "vix3m": 20.0,
    "first_future": 18.0,
    "second_future": 19.5,
    "price": 110.0,
    "sma20": 105.0,
    "sma50": 100.0,
    "sma200": 90.0,
    "adx": 22.0,
    "breadth": 0.1,
    "average_correlation": 0.2,
}
CURVE = ("vix", "vix3m", "first_future", "second_future")
TREND = ("price", "sma20", "sma50", "sma200", "adx", "breadth")


def read(value):
    return None if value is None else Reading(value=value, at_ns=NOW_NS)


def judge(*, macro=(), days=(), previous=None, **changes):
    figures = CALM | changes
    inputs = RegimeInputs(
        curve=VolCurve(**{name: read(figures[name]) for name in CURVE}),
        trend=TrendInputs(**{name: read(figures[name]) for name in TREND}),
        underlyings=3,
        average_correlation=read(figures["average_correlation"]),
        macro=macro,
        days=days,
    )
    return assess(inputs=inputs, previous_band=previous, now_ns=NOW_NS, limits=LIMITS)


@pytest.mark.parametrize(
    ("changes", "derived"),
    [
        ({}, "normal"),
        ({"adx": 25.0}, "trending"),
        ({"adx": 15.0, "price": 100.5}, "range_bound"),
        ({"vix": 15.9}, "low_volatility"),
        ({"vix": 10.0, "adx": 40.0}, "low_volatility"),
        ({"vix": 25.0, "vix3m": 27.0, "second_future": 27.0}, "high_volatility"),
        ({"vix": 39.0, "vix3m": 41.0, "second_future": 41.0}, "high_volatility"),
        ({"first_future": 26.0}, "high_volatility"),
        ({"vix": 41.0, "vix3m": 43.0, "second_future": 43.0}, "crash"),
        ({"vix": 36.0, "price": 80.0}, "crash"),
    ],
)
def test_states_of_the_market_have_their_names(changes, derived):
    assert judge(**changes).derived == derived


def test_a_calm_market_allows_everything_at_full_size_with_every_reason_given():
    regime = judge()

    assert (regime.size_fraction, regime.delta_fraction) == (1.0, 1.0)
    assert regime.entries is EntryPolicy.ALL
    assert [(one.rule.value, one.label) for one in regime.factors] == [
        ("vix", "normal"),
        ("term_structure", "contango"),
        ("trend", "strong_up"),
        ("correlation", "diverse"),
        ("events", "quiet"),
    ]
    evidence = {one.name: one.value for one in regime.evidence}
    assert evidence["vix_points"] == 17.0
    assert evidence["trend"] == "strong_up"
    assert evidence["inversion_points"] == pytest.approx(-1.5)


def test_sizes_multiply_and_the_strictest_policy_wins():
    regime = judge(
        vix=26.0,
        vix3m=25.9,
        second_future=26.0,
        price=98.0,
        adx=30.0,
        average_correlation=0.6,
        macro=(MacroNote(kind=MacroKind.CPI, nearness=Nearness.DAY_OF),),
        days=(DayNote.BEFORE_HOLIDAY,),
    )

    inverted = 0.6 - 0.1 * 0.1 / 5.0
    assert regime.size_fraction == pytest.approx(0.5 * inverted * 0.5 * 0.75 * 0.75)
    assert regime.delta_fraction == pytest.approx(0.8 * 0.8 * 0.8)
    assert regime.entries is EntryPolicy.ALL


def test_a_deep_inversion_closes_what_is_naked_and_opens_only_defined_risk():
    regime = judge(vix=33.0, vix3m=27.0, second_future=30.0, first_future=31.0)

    assert regime.close_naked
    assert regime.entries is EntryPolicy.DEFINED_RISK_ONLY


@given(
    name=st.sampled_from([name for name in CALM if name != "breadth"]),
    bad=st.sampled_from([None, math.nan, math.inf, -math.inf]),
)
def test_blindness_in_any_figure_is_never_benign(name, bad):
    regime = judge(**{name: bad})

    assert regime.size_fraction == 0.0
    assert regime.entries is EntryPolicy.NONE
    assert name in {one.name for one in regime.faults}


def test_a_high_vix_names_the_regime_even_when_the_trend_is_unknown():
    assert judge(vix=45.0, price=None).derived is DerivedRegime.CRASH
    assert judge(vix=28.0, price=None).derived is DerivedRegime.HIGH_VOLATILITY
    assert judge(vix=17.0, price=None).derived is None
    assert judge(vix=None).derived is None


def test_the_previous_band_is_remembered_by_the_caller():
    first = judge(vix=20.1)

    second = judge(vix=19.9, previous=first.vix.band)

    assert second.vix.band is VixBand.ELEVATED
    assert second.vix.terms.delta_per_share_max == 0.06


@given(
    vix=st.floats(12.0, 80.0),
    rise=st.floats(0.0, 30.0),
    price=st.floats(60.0, 130.0),
    average=st.floats(-0.2, 1.0),
)
def test_a_higher_vix_never_gives_a_bigger_size(vix, rise, price, average):
    calm = judge(vix=vix, price=price, average_correlation=average, adx=30.0)
    worse = judge(vix=vix + rise, price=price, average_correlation=average, adx=30.0)

    assert worse.size_fraction <= calm.size_fraction
    assert list(EntryPolicy).index(worse.entries) >= list(EntryPolicy).index(calm.entries)


def test_a_verdict_and_its_limits_survive_being_written_and_read():
    regime = judge(vix=None, macro=(MacroNote(kind=MacroKind.NFP, nearness=Nearness.UNKNOWN),))

    assert msgspec.msgpack.decode(msgspec.msgpack.encode(regime), type=Regime) == regime
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(LIMITS), type=RegimeLimits) == LIMITS
