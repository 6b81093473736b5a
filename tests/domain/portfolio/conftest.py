"""Books of every kind of position, drawn from a seed, and QuantLib as the judge of their worth."""

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - its own documentation calls it so

from thetawarden.domain.portfolio.book import KINDS, Book, PositionKind, Underlyings

TODAY = ql.Date(7, 2, 2023)


def draw_underlyings(generator, size):
    return Underlyings(
        spot_usd=np.append(4000.0, generator.uniform(20, 600, size - 1)),
        beta=np.append(1.0, generator.uniform(0.3, 1.9, size - 1)),
        iv_beta=np.append(1.0, generator.uniform(0.7, 1.5, size - 1)),
        sector=np.append(0, generator.integers(1, 4, size - 1)),
    )


def draw_book(generator, underlyings, size, kinds=KINDS):
    """Whole days to expiry, because QuantLib counts in days."""
    kind = generator.choice([KINDS.index(k) for k in kinds], size).astype(np.int8)
    underlying = generator.integers(0, len(underlyings.spot_usd), size)
    days = generator.integers(2, 200, size)
    iv = generator.uniform(0.1, 0.6, size)
    stretch = generator.normal(0.0, 1.2, size) * iv * np.sqrt(days / 365)
    return Book(
        kind=kind,
        underlying=underlying,
        contracts=generator.choice([-5.0, -2.0, -1.0, 1.0, 3.0], size),
        multiplier=np.where(kind == KINDS.index(PositionKind.LINEAR), 1.0, 100.0),
        strike_usd=underlyings.spot_usd[underlying] * np.exp(stretch),
        is_call=generator.random(size) < 0.5,
        tau_years=days / 365,
        iv_annual=iv,
        rate_annual=generator.uniform(0.0, 0.06, size),
        yield_annual=generator.uniform(0.0, 0.04, size),
    )


class Judge:
    """One QuantLib process and its engines, quotes set anew for every question."""

    def __init__(self):
        ql.Settings.instance().evaluationDate = TODAY
        day, calendar = ql.Actual365Fixed(), ql.NullCalendar()
        self.spot, self.iv = ql.SimpleQuote(1.0), ql.SimpleQuote(0.1)
        self.rate, self.dividends = ql.SimpleQuote(0.0), ql.SimpleQuote(0.0)

        def curve(quote):
            return ql.YieldTermStructureHandle(
                ql.FlatForward(0, calendar, ql.QuoteHandle(quote), day)
            )

        self.process = ql.BlackScholesMertonProcess(
            ql.QuoteHandle(self.spot),
            curve(self.dividends),
            curve(self.rate),
            ql.BlackVolTermStructureHandle(
                ql.BlackConstantVol(0, calendar, ql.QuoteHandle(self.iv), day)
            ),
        )

    def price(self, *, american, spot, strike, days, iv, rate, dividends, is_call):
        for quote, value in (
            (self.spot, spot),
            (self.iv, iv),
            (self.rate, rate),
            (self.dividends, dividends),
        ):
            quote.setValue(float(value))
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if is_call else ql.Option.Put, float(strike))
        expiry = TODAY + int(days)
        exercise = ql.AmericanExercise(TODAY, expiry) if american else ql.EuropeanExercise(expiry)
        option = ql.VanillaOption(payoff, exercise)
        option.setPricingEngine(
            ql.QdFpAmericanEngine(self.process, ql.QdFpAmericanEngine.accurateScheme())
            if american
            else ql.AnalyticEuropeanEngine(self.process)
        )
        return option.NPV()


@pytest.fixture(scope="session")
def judge():
    return Judge()


@pytest.fixture(scope="session")
def draws():
    """Underlyings and a book from a seed."""

    def draw(seed, size=8, kinds=KINDS):
        generator = np.random.default_rng(seed)
        underlyings = draw_underlyings(generator, 4)
        return draw_book(generator, underlyings, size, kinds), underlyings

    return draw


@pytest.fixture(scope="session")
def option_book():
    """A book of options on one underlying at 100, written leg by leg."""

    def build(*legs, spot=100.0, shares=0.0, tau_years=0.1, iv=0.25, kind="european"):
        strike, is_call, contracts = zip(*legs, strict=True) if legs else ((), (), ())
        size = len(legs) + (shares != 0.0)
        pad = [0.0] * (size - len(legs))
        number = KINDS.index(PositionKind(kind))
        book = Book(
            kind=np.array([number] * len(legs) + [0] * len(pad), dtype=np.int8),
            underlying=np.zeros(size, dtype=int),
            contracts=np.array([*contracts, *([shares] if pad else [])], dtype=float),
            multiplier=np.array([100.0] * len(legs) + [1.0] * len(pad)),
            strike_usd=np.array([*strike, *pad], dtype=float),
            is_call=np.array([*is_call, *[False] * len(pad)], dtype=bool),
            tau_years=np.full(size, tau_years),
            iv_annual=np.full(size, iv),
            rate_annual=np.zeros(size),
            yield_annual=np.zeros(size),
        )
        underlyings = Underlyings(
            spot_usd=np.array([spot]),
            beta=np.ones(1),
            iv_beta=np.ones(1),
            sector=np.zeros(1, dtype=int),
        )
        return book, underlyings

    return build
