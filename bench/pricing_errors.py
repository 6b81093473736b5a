"""`python -m bench.pricing_errors`: measure the error tables of docs/option-mathematics.md anew.

Each bound is the largest error among the options drawn, and half as much again, rounded up to
1, 2 or 5.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import QuantLib

from bench.figures.american import STRIKE, TODAY, Options, quantlib_loop, random_options
from bench.figures.pricing import right_of
from thetawarden.domain.pricing.american import FINE, SWIFT, american_greeks
from thetawarden.domain.pricing.dividends import CashDividends, dividend_american_price

if TYPE_CHECKING:
    from thetawarden.domain.pricing.arrays import FloatArray
    from thetawarden.domain.pricing.black import Greeks

DOCUMENT = Path(__file__).parents[1] / "docs" / "option-mathematics.md"
DAYS = ((1, 30), (30, 182), (182, 365), (365, 1095))
VOLS = ((0.05, 0.15), (0.15, 0.40), (0.40, 1.00), (1.00, 2.00))
AMOUNTS = (0.25, 0.5, 1.0)
EX_DAYS = (35, 126)
DRAWN = 1_500
DRAWN_WITH_DIVIDENDS = 60
GRID = 800
_NO_LOCAL_VOL = (False, -1.0)  # as QuantLib's positional overload wants it


def main() -> None:
    """Write both tables between their markers."""
    text = DOCUMENT.read_text()
    for name, table in (("continuous", continuous_table()), ("discrete", discrete_table())):
        begin, end = f"<!-- {name} begin -->", f"<!-- {name} end -->"
        text = re.sub(
            f"{re.escape(begin)}.*?{re.escape(end)}",
            f"{begin}\n{table}{end}",
            text,
            flags=re.DOTALL,
        )
    DOCUMENT.write_text(text)


def draw(days: tuple[int, int], vols: tuple[float, float], *, size: int, seed: int) -> Options:
    """Draw options of one row of the table."""
    return random_options(size=size, seed=seed, days=(float(days[0]), float(days[1])), iv=vols)


def reference(options: Options) -> FloatArray:
    """Price by QuantLib's high-precision scheme."""
    return np.array(quantlib_loop(options, QuantLib.QdFpAmericanEngine.highPrecisionScheme())())


def continuous_table() -> str:
    lines = [
        "| days | volatility | SWIFT price | FINE price | SWIFT delta | SWIFT vega, per point |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for days in DAYS:
        for vols in VOLS:
            options = draw(days, vols, size=DRAWN, seed=51)
            exact = reference(options)
            swift, fine = _greeks(options, fine=False), _greeks(options, fine=True)
            errors = [
                swift.price_usd - exact,
                fine.price_usd - exact,
                swift.delta_per_share - fine.delta_per_share,
                swift.vega_usd_per_vol_point - fine.vega_usd_per_vol_point,
            ]
            cells = [f"{days[0]} to {days[1]}", f"{vols[0]:.0%} to {vols[1]:.0%}"]
            cells += [_bound(error) for error in errors]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def discrete_table() -> str:
    lines = [
        "| two payments of | same model | a spot that drops |",
        "| --- | --- | --- |",
    ]
    for amount in AMOUNTS:
        options = draw((10, 182), (0.10, 0.40), size=DRAWN_WITH_DIVIDENDS, seed=52)
        ours = dividend_american_price(
            spot=options.spot,
            strike=STRIKE,
            tau_years=options.days / 365.0,
            iv_annual=options.iv,
            rate_annual=options.rate,
            is_call=options.is_call,
            dividends=CashDividends(
                ex_tau_years=np.array(EX_DAYS) / 365.0, amount_usd=np.full(len(EX_DAYS), amount)
            ),
        )
        cells = [f"{amount:g} % of the strike"]
        cells += [
            _bound(ours - _finite_differences(options, amount, model))
            for model in ("Escrowed", "Spot")
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _greeks(options: Options, *, fine: bool) -> Greeks:
    return american_greeks(
        spot=options.spot,
        strike=STRIKE,
        tau_years=options.days / 365.0,
        iv_annual=options.iv,
        rate_annual=options.rate,
        yield_annual=options.dividends,
        is_call=options.is_call,
        scheme=FINE if fine else SWIFT,
    )


def _bound(errors: FloatArray) -> str:
    largest = 1.5 * float(np.max(np.abs(errors)))
    power = 10.0 ** math.floor(math.log10(largest))
    digit = next(d for d in (1, 2, 5, 10) if largest <= d * power)
    return f"{digit * power:.0e}"


def _finite_differences(options: Options, amount: float, model: str) -> FloatArray:
    engine_of = QuantLib.FdBlackScholesVanillaEngine
    day_count = QuantLib.Actual365Fixed()
    QuantLib.Settings.instance().evaluationDate = TODAY
    prices = []
    for spot, days, iv, rate, is_call in zip(
        options.spot.tolist(),
        options.days.tolist(),
        options.iv.tolist(),
        options.rate.tolist(),
        options.is_call,
        strict=True,
    ):
        flat = QuantLib.YieldTermStructureHandle(QuantLib.FlatForward(TODAY, rate, day_count))
        surface = QuantLib.BlackConstantVol(TODAY, QuantLib.NullCalendar(), iv, day_count)
        process = QuantLib.BlackScholesProcess(
            QuantLib.QuoteHandle(QuantLib.SimpleQuote(spot)),
            flat,
            QuantLib.BlackVolTermStructureHandle(surface),
        )
        dates = [TODAY + day for day in EX_DAYS if day <= days]
        dividends = QuantLib.DividendVector(dates, [amount] * len(dates))
        option = QuantLib.VanillaOption(
            QuantLib.PlainVanillaPayoff(right_of(is_call), STRIKE),
            QuantLib.AmericanExercise(TODAY, TODAY + int(days)),
        )
        scheme = QuantLib.FdmSchemeDesc.Douglas()
        cash_model = getattr(engine_of, model)
        option.setPricingEngine(
            engine_of(process, dividends, GRID, GRID, 0, scheme, *_NO_LOCAL_VOL, cash_model)
        )
        prices.append(option.NPV())
    return np.array(prices)


if __name__ == "__main__":
    main()
