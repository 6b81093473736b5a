import mpmath
import numpy as np
import pytest
import QuantLib

mpmath.mp.dps = 50


def _tails(x, s):
    x, s = mpmath.mpf(float(x)), mpmath.mpf(float(s))
    return x, mpmath.ncdf(x / s + s / 2), mpmath.ncdf(x / s - s / 2)


@pytest.fixture(scope="session")
def exact_normalised_black():
    """b(x, s) in fifty digits."""

    def price(x, s):
        x, upper, lower = _tails(x, s)
        return mpmath.exp(x / 2) * upper - mpmath.exp(-x / 2) * lower

    return price


@pytest.fixture(scope="session")
def exact_out_of_the_money_prices():
    """Undiscounted prices of out-of-the-money options, rounded once from fifty digits."""

    def prices(forward, strike, deviation):
        out = np.empty(forward.size)
        for i, row in enumerate(zip(forward, strike, deviation, strict=True)):
            f, k, s = (mpmath.mpf(float(number)) for number in row)
            h = mpmath.log(f / k) / s
            sign = 1 if f <= k else -1
            upper, lower = mpmath.ncdf(sign * (h + s / 2)), mpmath.ncdf(sign * (h - s / 2))
            out[i] = float(sign * (f * upper - k * lower))
        return out

    return prices


class AmericanReference:
    """QuantLib's engines over one option after another; days to expiry are whole."""

    def __init__(self):
        self._today = QuantLib.Date(2, 1, 2025)
        QuantLib.Settings.instance().evaluationDate = self._today
        self._days = QuantLib.Actual365Fixed()
        self._quotes = {
            name: QuantLib.SimpleQuote(0.1) for name in ("spot", "rate", "dividends", "iv")
        }
        handles = {name: QuantLib.QuoteHandle(quote) for name, quote in self._quotes.items()}
        self.process = QuantLib.BlackScholesMertonProcess(
            handles["spot"],
            self._curve(handles["dividends"]),
            self._curve(handles["rate"]),
            QuantLib.BlackVolTermStructureHandle(
                QuantLib.BlackConstantVol(
                    self._today, QuantLib.NullCalendar(), handles["iv"], self._days
                )
            ),
        )

    def _curve(self, handle):
        return QuantLib.YieldTermStructureHandle(
            QuantLib.FlatForward(self._today, handle, self._days)
        )

    def engine(self, scheme):
        schemes = QuantLib.QdFpAmericanEngine
        chosen = {
            "fast": schemes.fastScheme,
            "accurate": schemes.accurateScheme,
            "high_precision": schemes.highPrecisionScheme,
        }[scheme]
        return QuantLib.QdFpAmericanEngine(self.process, chosen())

    def dividend_engine(self, days, amounts, *, model, grid):
        dates = [self._today + int(day) for day in days]
        return QuantLib.FdBlackScholesVanillaEngine(
            self.process,
            QuantLib.DividendVector(dates, list(amounts)),
            grid,
            grid,
            0,
            QuantLib.FdmSchemeDesc.Douglas(),
            False,
            -1.0,
            getattr(QuantLib.FdBlackScholesVanillaEngine, model),
        )

    def prices(self, options, engine):
        columns = np.broadcast_arrays(
            *(
                options[name]
                for name in ("spot", "strike", "days", "iv", "rate", "dividends", "is_call")
            )
        )
        return np.array(
            [
                self._price([float(number) for number in row], engine)
                for row in zip(*columns, strict=True)
            ]
        )

    def _price(self, row, engine):
        spot, strike, days, iv, rate, dividends, is_call = row
        right = QuantLib.Option.Call if is_call else QuantLib.Option.Put
        option = QuantLib.VanillaOption(
            QuantLib.PlainVanillaPayoff(right, strike),
            QuantLib.AmericanExercise(self._today, self._today + int(days)),
        )
        for name, number in (("spot", spot), ("rate", rate), ("dividends", dividends), ("iv", iv)):
            self._quotes[name].setValue(number)
        option.setPricingEngine(engine)
        return option.NPV()


@pytest.fixture(scope="session")
def american_reference():
    return AmericanReference()
