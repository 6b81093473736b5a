"""A whole chain at once, against what the exchange itself computed from it."""

import msgspec
import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - its own documentation calls it so
from hypothesis import given, settings
from hypothesis import strategies as st

from thetawarden.domain.market.contracts import ExerciseStyle
from thetawarden.domain.pricing.american import american_price
from thetawarden.domain.pricing.reasons import NoVolatility
from thetawarden.domain.surface import reading
from thetawarden.domain.surface.analysis import analyse_chain, row_reason
from thetawarden.domain.surface.chain import ChainQuotes
from thetawarden.domain.surface.parity import ForwardGap, RatePrior
from thetawarden.domain.surface.reading import read_mids


@pytest.fixture(scope="module")
def real(analysed):
    return analysed("real_chain")


@pytest.fixture(scope="module")
def dead(analysed):
    return analysed("dead_chain")


def liquid(chain, days_min, days_max):
    quotes, file, found = chain
    days = 365 * quotes.tau_years[file.expiry_index]
    forward = found.forwards.forward_usd[file.expiry_index]
    return (
        (days > days_min)
        & (days < days_max)
        & (file.is_call == (file.strike_usd >= forward))
        & (np.abs(file.delta) > 0.02)
        & (file.iv_annual > 0.0)
        & ~np.isnan(found.implied.iv_annual)
    )


# The exchange fits a forward and a clock of its own. One index point of forward moves a delta by
# gamma (about 0.002 at 30 days), an IV by delta / vega (0.1 vol points); a quarter of an hour
# moves the IV of a two-day option by half a percent of itself. Hence the growth towards expiry.
@pytest.mark.parametrize(
    ("days_min", "days_max", "median_points", "p95_points"),
    [(1.5, 7.5, 0.06, 0.25), (7.5, 30, 0.02, 0.08), (30, 90, 0.02, 0.07), (90, 370, 0.02, 0.07)],
)
def test_volatilities_agree_with_the_exchanges_own(
    real, days_min, days_max, median_points, p95_points
):
    _, file, found = real
    rows = liquid(real, days_min, days_max)

    off = 100 * np.abs(found.implied.iv_annual - file.iv_annual)[rows]

    assert rows.sum() > 200
    assert np.median(off) < median_points
    assert np.quantile(off, 0.95) < p95_points


def test_deltas_and_gammas_agree_with_the_exchanges_own(real):
    _, file, found = real
    rows = liquid(real, 1.5, 370)

    off = np.abs(found.greeks.delta_per_share - file.delta)[rows]
    gamma_off = np.abs(found.greeks.gamma_per_usd - file.gamma)[rows]

    assert rows.sum() > 5000
    assert np.median(off) < 0.003
    assert off.max() < 0.01
    assert np.quantile(gamma_off, 0.99) < 3e-4


def test_smiles_of_the_real_chain_pass_through_the_quotes_without_arbitrage(real):
    _, file, found = real
    fitted = found.fit.smiles.fitted

    assert len(fitted) == len(file.expiry_names) - 1
    assert found.butterflies == ()
    assert np.median(found.fit.error_vol_points[fitted]) < 0.03
    assert found.fit.error_vol_points[fitted].max() < 0.3
    assert np.min(found.fit.within_fraction[fitted]) > 0.9
    assert np.mean(found.fit.within_fraction[fitted]) > 0.99


def test_calendar_breaches_of_the_real_chain_lie_where_spreads_are_wide(real):
    _, _, found = real

    assert len(found.calendars()) <= 12
    for breach in found.calendars():
        deviation = np.sqrt(found.fit.smiles.scale_variance[breach.near_expiry])
        assert abs(breach.log_moneyness) > 2.0 * deviation


def test_rows_without_a_quote_have_the_smiles_greeks_and_say_so(real):
    _, file, found = real
    alive = np.array([gap is None for gap in found.fit.smiles.gaps])[file.expiry_index]

    assert np.isfinite(found.greeks.delta_per_share[alive]).all()
    assert found.from_smile.sum() > 500
    assert not np.any(found.from_smile & ~np.isnan(found.implied.iv_annual))
    unquoted = found.from_smile & (file.bid_usd == 0.0) & ~file.is_call & (file.strike_usd < 2000)
    assert np.all(np.abs(found.greeks.delta_per_share[unquoted]) < 0.05)


def test_nearly_every_row_of_the_dead_chain_is_a_named_reason(dead):
    _, file, found = dead
    reasons = [row_reason(found, row) for row in range(len(file.is_call))]

    numbered = sum(reason is None for reason in reasons)

    assert reasons.count(NoVolatility.ZERO_BID) > 18_000
    assert reasons.count(ForwardGap.TOO_FEW_PAIRS) > 100
    assert numbered == np.sum(~np.isnan(found.implied.iv_annual)) < 760
    assert len(found.fit.smiles.fitted) <= 5
    assert found.forwards.gaps.count(None) <= 5


FLOATS = st.floats(allow_nan=True, allow_infinity=True)


@given(
    rows=st.lists(st.tuples(st.integers(0, 2), FLOATS, st.booleans(), FLOATS, FLOATS), max_size=16),
    taus=st.tuples(FLOATS, FLOATS, FLOATS),
    style=st.sampled_from(ExerciseStyle),
)
@settings(max_examples=200)
def test_any_chain_at_all_is_analysed_without_a_crash(analysis_settings, rows, taus, style):
    columns = list(zip(*rows, strict=True)) or [()] * 5
    quotes = ChainQuotes(
        spot_usd=100.0,
        tau_years=np.array(taus),
        expiry_index=np.array(columns[0], dtype=int),
        strike_usd=np.array(columns[1], dtype=float),
        is_call=np.array(columns[2], dtype=bool),
        bid_usd=np.array(columns[3], dtype=float),
        ask_usd=np.array(columns[4], dtype=float),
        quote_age_ns=0,
        exercise=style,
    )

    found = analyse_chain(quotes, settings=analysis_settings)

    for row in range(len(rows)):
        known = not np.isnan(found.implied.iv_annual[row])
        assert known == (row_reason(found, row) is None)


def american_quotes(*, rate, dividends, spread_usd, days=(7, 30, 91)):
    """Mids by QuantLib on a skewed smile, strikes every percent; a quoted chain around them."""
    today = ql.Date(7, 2, 2023)
    ql.Settings.instance().evaluationDate = today
    clock, calendar = ql.Actual365Fixed(), ql.NullCalendar()
    iv_quote = ql.SimpleQuote(0.2)

    def curve(level):
        return ql.YieldTermStructureHandle(ql.FlatForward(0, calendar, level, clock))

    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(400.0)),
        curve(dividends),
        curve(rate),
        ql.BlackVolTermStructureHandle(
            ql.BlackConstantVol(0, calendar, ql.QuoteHandle(iv_quote), clock)
        ),
    )
    engine = ql.QdFpAmericanEngine(process, ql.QdFpAmericanEngine.accurateScheme())
    rows = []
    for expiry, life in enumerate(days):
        reach = int(400 * 0.2 * np.sqrt(life / 365) * 2.5 / 4)
        for strike in 400.0 + 4.0 * np.arange(-reach, reach + 1):
            for kind in (ql.Option.Call, ql.Option.Put):
                iv_quote.setValue(0.2 - 0.3 * np.log(strike / 400))
                option = ql.VanillaOption(
                    ql.PlainVanillaPayoff(kind, strike), ql.AmericanExercise(today, today + life)
                )
                option.setPricingEngine(engine)
                is_call = kind == ql.Option.Call
                rows.append((expiry, strike, is_call, iv_quote.value(), option.NPV()))
    expiry, strike, is_call, iv, worth = (np.array(column) for column in zip(*rows, strict=True))
    quotes = ChainQuotes(
        spot_usd=400.0,
        tau_years=np.array(days) / 365,
        expiry_index=expiry,
        strike_usd=strike,
        is_call=is_call,
        bid_usd=np.maximum(worth - spread_usd / 2, 0.0),
        ask_usd=worth + spread_usd / 2,
        quote_age_ns=0,
        exercise=ExerciseStyle.AMERICAN,
    )
    return quotes, iv


@pytest.mark.parametrize("dividends", [0.0, 0.015, 0.08])
def test_an_american_chain_gives_back_the_yield_and_the_volatilities_it_was_made_with(
    analysis_settings, dividends
):
    quotes, iv = american_quotes(rate=0.047, dividends=dividends, spread_usd=0.02)

    found = analyse_chain(quotes, settings=analysis_settings)

    forward = 400.0 * np.exp((0.047 - dividends) * quotes.tau_years)
    assert found.forwards.gaps == (None,) * 3
    assert found.forwards.forward_usd == pytest.approx(forward, rel=1e-5)
    otm = quotes.is_call == (quotes.strike_usd >= 400.0)
    known = otm & ~np.isnan(found.implied.iv_annual)
    assert known.sum() > 0.9 * otm.sum()
    assert np.abs(found.implied.iv_annual - iv)[known].max() < 1e-3
    assert np.abs(found.smile_iv_annual - iv)[known].max() < 3e-3
    assert np.nanmax(found.greeks.delta_per_share) <= 1.0


def constant_american_quotes(*, rate, dividends, iv, days):
    """Mids by our own pricer at one volatility, two cents wide."""
    tau, strikes = np.array(days) / 365, 400.0 + 10.0 * np.arange(-6, 7)
    expiry, strike, is_call = (
        np.array(column)
        for column in zip(
            *((at, usd, call) for at in range(len(days)) for usd in strikes for call in (1, 0)),
            strict=True,
        )
    )
    worth = american_price(
        spot=400.0,
        strike=strike,
        tau_years=tau[expiry],
        iv_annual=iv,
        rate_annual=rate,
        yield_annual=dividends,
        is_call=is_call == 1,
    )
    return ChainQuotes(
        spot_usd=400.0,
        tau_years=tau,
        expiry_index=expiry,
        strike_usd=strike,
        is_call=is_call == 1,
        bid_usd=worth - 0.01,
        ask_usd=worth + 0.01,
        quote_age_ns=0,
        exercise=ExerciseStyle.AMERICAN,
    )


@pytest.mark.parametrize(
    ("rate", "dividends", "iv", "days"),
    [
        (0.06, 0.0, 0.15, (365, 730)),
        (0.08, 0.01, 0.1, (365, 730)),
        (0.05, 0.0, 0.2, (30, 730)),
        (0.03, 0.05, 0.12, (9, 180, 700)),
    ],
)
def test_early_exercise_is_found_out_however_much_of_a_price_it_is(rate, dividends, iv, days):
    quotes = constant_american_quotes(rate=rate, dividends=dividends, iv=iv, days=days)

    found = read_mids(quotes, usable=np.isfinite(quotes.bid_usd), prior=RatePrior(rate_annual=0.04))

    tau = np.array(days) / 365
    forward = 400.0 * np.exp((rate - dividends) * tau)
    assert found.forwards.forward_usd == pytest.approx(forward, rel=1e-6)
    assert -np.log(found.forwards.discount[-1]) / tau[-1] == pytest.approx(rate, abs=1e-4)


def test_what_has_not_settled_is_known_no_better_than_it_still_moves(monkeypatch):
    quotes = constant_american_quotes(rate=0.08, dividends=0.01, iv=0.1, days=(365, 730))
    usable, prior = np.isfinite(quotes.bid_usd), RatePrior(rate_annual=0.04)
    settled = read_mids(quotes, usable=usable, prior=prior).forwards

    monkeypatch.setattr(reading, "_ROUNDS_MAX", 6)
    early = read_mids(quotes, usable=usable, prior=prior).forwards

    off = np.abs(early.forward_usd - settled.forward_usd)
    assert (off > settled.forward_error_usd).any()
    assert (off <= early.forward_error_usd).all()


def test_reading_an_american_chain_as_european_would_miss_its_volatilities(analysis_settings):
    quotes, iv = american_quotes(rate=0.047, dividends=0.0, spread_usd=0.02)
    wrong = msgspec.structs.replace(quotes, exercise=ExerciseStyle.EUROPEAN)
    puts = ~quotes.is_call & (quotes.strike_usd > 392.0) & (quotes.strike_usd < 400.0)

    errors = [
        np.nanmax(
            np.abs(analyse_chain(chain, settings=analysis_settings).implied.iv_annual - iv)[puts]
        )
        for chain in (quotes, wrong)
    ]

    assert errors[1] > 5 * errors[0]
