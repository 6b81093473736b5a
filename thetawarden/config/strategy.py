"""The strategy section of the configuration: what is sold, where, when, and how far by itself.

Decides what exists and what range is sane; `selling` turns it into what the strategist keeps to.
Deltas are absolute and per share, prices USD per share, fractions of one. Times of day are New
York's; `_s` are seconds of the machine, `_market_s` of the market.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from msgspec import Meta

from thetawarden.config.chains import Symbol
from thetawarden.domain.strategy.level import Level


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What belongs together."""


def _symbols(words: str) -> Meta:
    return Meta(max_length=200, title="a list of symbols", description=words)


def _days(words: str) -> Meta:
    return Meta(ge=0, le=400, description=words)


def _delta(words: str) -> Meta:
    return Meta(gt=0, le=0.5, description=words)


def _part(words: str) -> Meta:
    return Meta(ge=0, le=1, description=words)


def _premium(words: str) -> Meta:
    return Meta(ge=0.01, le=1000, description=words)


Enabled = Annotated[bool, Meta(description="Whether it trades at all.")]
Units = Annotated[
    int,
    Meta(ge=1, le=1000, description="Units wanted; the governor makes it less, one often none."),
]
ProfitTarget = Annotated[
    float,
    Meta(gt=0, lt=1, description="Bought back at this profit, of the credit; regimes lower it."),
]
StopMultiple = Annotated[
    float, Meta(ge=0, le=20, description="Bought back at so many credits; 0 for no stop.")
]
LatestEntry = Annotated[dt.time, Meta(description="Nothing is entered later in the day.")]


class IndexPutsConfig(Section, frozen=True, kw_only=True):
    """S1: puts on a broad index, a few days to go."""

    enabled: Enabled = True
    underlyings: Annotated[tuple[Symbol, ...], _symbols("What it sells.")] = ("SPX", "XSP", "SPY")
    dte_min: Annotated[int, _days("Days to expiry at least.")] = 1
    dte_max: Annotated[int, _days("Days to expiry at most.")] = 4
    target_delta: Annotated[float, _delta("The delta aimed at in a normal market.")] = 0.065
    low_delta: Annotated[float, _delta("From here.")] = 0.055
    high_delta: Annotated[float, _delta("To here, before it is widened.")] = 0.075
    step_delta: Annotated[float, _delta("By so much the band is widened at a time.")] = 0.005
    floor_delta: Annotated[float, _delta("Never below this.")] = 0.03
    ceiling_delta: Annotated[float, _delta("Never above this.")] = 0.10
    premium_usd_min: Annotated[float, _premium("The least credit a share.")] = 0.05
    premium_spot_fraction_min: Annotated[
        float, Meta(ge=0, le=0.1, description="The least credit, of the underlying's price.")
    ] = 0.00005
    profit_target_fraction: ProfitTarget = 0.70
    stop_multiple: StopMultiple = 0.0
    latest_entry: LatestEntry = dt.time(15, 30)
    units: Units = 4


class StockPutsConfig(Section, frozen=True, kw_only=True):
    """S2: puts on stocks that rise, far out of the money, clear of earnings."""

    enabled: Enabled = False
    underlyings: Annotated[tuple[Symbol, ...], _symbols("The stocks it may sell.")] = ()
    dte_min: Annotated[int, _days("Days to expiry at least.")] = 1
    dte_max: Annotated[int, _days("Days to expiry at most.")] = 14
    target_delta: Annotated[float, _delta("The delta aimed at in a normal market.")] = 0.065
    low_delta: Annotated[float, _delta("From here.")] = 0.05
    high_delta: Annotated[float, _delta("To here.")] = 0.30
    otm_fraction_min: Annotated[float, _part("At least so far out of the money.")] = 0.10
    premium_usd_min: Annotated[float, _premium("The least credit a share.")] = 0.20
    profit_target_fraction: ProfitTarget = 0.80
    stop_multiple: StopMultiple = 0.0
    latest_entry: LatestEntry = dt.time(15, 30)
    units: Units = 4


class PutSpreadsConfig(Section, frozen=True, kw_only=True):
    """S5: the same with a lower put bought: the loss has a bound."""

    enabled: Enabled = True
    underlyings: Annotated[tuple[Symbol, ...], _symbols("What it sells.")] = ("SPX", "XSP")
    dte_min: Annotated[int, _days("Days to expiry at least.")] = 1
    dte_max: Annotated[int, _days("Days to expiry at most.")] = 4
    target_delta: Annotated[float, _delta("The short put's delta in a normal market.")] = 0.065
    low_delta: Annotated[float, _delta("From here.")] = 0.055
    high_delta: Annotated[float, _delta("To here, before it is widened.")] = 0.075
    floor_delta: Annotated[float, _delta("Never below this.")] = 0.03
    ceiling_delta: Annotated[float, _delta("Never above this.")] = 0.10
    width_points_min: Annotated[
        float, Meta(ge=1, le=1000, description="Bought so far below, in points of SPX, at least.")
    ] = 50.0
    width_points_max: Annotated[
        float, Meta(ge=1, le=1000, description="And at most; XSP and SPY take a tenth.")
    ] = 100.0
    width_fraction_min: Annotated[float, _part("Of a stock: below the strike, at least.")] = 0.05
    width_fraction_max: Annotated[float, _part("Of a stock: below the strike, at most.")] = 0.10
    premium_usd_min: Annotated[float, _premium("The least credit a share.")] = 0.05
    profit_target_fraction: ProfitTarget = 0.70
    stop_multiple: StopMultiple = 0.0
    latest_entry: LatestEntry = dt.time(15, 30)
    units: Units = 4


class TwoSidedConfig(Section, frozen=True, kw_only=True):
    """S6: what sells calls besides, a long way out."""

    enabled: Enabled = False
    underlyings: Annotated[tuple[Symbol, ...], _symbols("What it sells.")] = ("SPX", "XSP")
    dte_min: Annotated[int, _days("Days to expiry at least.")] = 1
    dte_max: Annotated[int, _days("Days to expiry at most.")] = 4
    target_delta: Annotated[
        float, _delta("The short put's delta in a normal market; its band grows with it.")
    ] = 0.065
    low_call_delta: Annotated[float, _delta("The short call's delta from here.")] = 0.02
    high_call_delta: Annotated[float, _delta("The short call's delta to here.")] = 0.03
    width_points_min: Annotated[
        float, Meta(ge=1, le=1000, description="Wings so far out, in points of SPX, at least.")
    ] = 50.0
    width_points_max: Annotated[
        float, Meta(ge=1, le=1000, description="And at most; XSP and SPY take a tenth.")
    ] = 100.0
    premium_usd_min: Annotated[float, _premium("The least credit a share.")] = 0.05
    profit_target_fraction: ProfitTarget = 0.70
    stop_multiple: StopMultiple = 0.0
    latest_entry: LatestEntry = dt.time(15, 0)
    units: Units = 4


def _weight(words: str) -> Meta:
    return Meta(ge=0, le=1000, description=words)


class ScoresConfig(Section, frozen=True, kw_only=True):
    """S3: what picks a strike. Only the proportion of the weights matters."""

    safety_weight: Annotated[float, _weight("Distance and small delta.")] = 40.0
    liquidity_weight: Annotated[float, _weight("How easily it is bought back.")] = 30.0
    judgement_weight: Annotated[float, _weight("The stated rule.")] = 20.0
    efficiency_weight: Annotated[float, _weight("Premium on risk or margin, a year.")] = 10.0


class SelectorConfig(Section, frozen=True, kw_only=True):
    """S16: what picks between strategies. Only the proportion of the weights matters."""

    return_on_risk_weight: Annotated[float, _weight("Credit over what could be lost.")] = 20.0
    profit_probability_weight: Annotated[float, _weight("Chance of a profit.")] = 30.0
    skew_weight: Annotated[float, _weight("Whether the side sold is dear.")] = 10.0
    regime_weight: Annotated[float, _weight("What the market's state leaves.")] = 15.0
    liquidity_weight: Annotated[float, _weight("How easily it is bought back.")] = 15.0
    portfolio_fit_weight: Annotated[float, _weight("What is held already.")] = 10.0


class TargetsConfig(Section, frozen=True, kw_only=True):
    """S9: the profit aimed at by regime; a strategy's own target is never raised by it."""

    crash_fraction: Annotated[float, _part("Of the credit.")] = 0.40
    high_volatility_fraction: Annotated[float, _part("Of the credit.")] = 0.50
    normal_fraction: Annotated[float, _part("Of the credit.")] = 0.80
    range_bound_fraction: Annotated[float, _part("Of the credit.")] = 0.80
    trending_fraction: Annotated[float, _part("Of the credit.")] = 0.85
    low_volatility_fraction: Annotated[float, _part("Of the credit.")] = 0.90


class EntriesConfig(Section, frozen=True, kw_only=True):
    """When entries are asked for, and how patiently."""

    times: Annotated[
        tuple[Annotated[dt.time, Meta(title='a time of day such as "09:40"')], ...],
        Meta(
            max_length=50,
            title='a list of times of day such as ["09:40", "11:30"]',
            description="At each of them one entry an underlying is asked for.",
        ),
    ] = (dt.time(9, 40), dt.time(10, 10), dt.time(10, 40), dt.time(11, 30), dt.time(13, 0))
    open_market_s: Annotated[
        float, Meta(ge=10, le=21600, description="So long after it an entry is still tried.")
    ] = 1500.0
    again_market_s: Annotated[
        float, Meta(ge=1, le=86400, description="After a refusal a strategy rests so long.")
    ] = 600.0
    same_again_market_s: Annotated[
        float, Meta(ge=1, le=86400, description="The very same, with nothing changed, so long.")
    ] = 3600.0
    unseen_again_market_s: Annotated[
        float,
        Meta(ge=1, le=86400, description="After a refusal for what was not known yet, so long."),
    ] = 60.0
    answer_s: Annotated[
        float, Meta(ge=1, le=600, description="A proposal is void after so long.")
    ] = 30.0
    quote_age_s_max: Annotated[
        float, Meta(ge=0.1, le=600, description="Legs are not older than this when asked for.")
    ] = 10.0
    concede_spread_fraction: Annotated[
        float,
        Meta(ge=0, le=1, description="Below the middle: of the half spread at most."),
    ] = 1.0
    concede_mid_fraction: Annotated[
        float, Meta(ge=0, le=0.5, description="And of the middle at most.")
    ] = 0.08
    concede_fine_usd: Annotated[
        float, Meta(ge=0, le=1, description="But so much is conceded whatever the middle.")
    ] = 0.05
    skew_shift_delta: Annotated[
        float, Meta(ge=0, le=0.05, description="S11: the richer side gets so much delta more.")
    ] = 0.01


class LineupConfig(Section, frozen=True, kw_only=True):
    """S3: tonight's line-up."""

    budget_fraction: Annotated[float, _part("Margin of all that is selected, of NLV.")] = 0.20
    over_allocation_fraction: Annotated[
        float, Meta(ge=0, le=0.2, description="S15: staged beyond it; 0 for off.")
    ] = 0.0
    adapt_from: Annotated[dt.time, Meta(description="Entered from this time of the day on.")] = (
        dt.time(9, 35)
    )
    strikes_away_max: Annotated[
        int, Meta(ge=0, le=20, description="S12: adapted by so many strikes at most.")
    ] = 3


class StrategyConfig(Section, frozen=True, kw_only=True):
    """What is sold, on what, when, and how far the desk goes by itself."""

    level: Annotated[
        Level,
        Meta(
            description="suggest only shows; approve enters line-ups a person approved;"
            " automatic enters by itself."
        ),
    ] = Level.AUTOMATIC
    entries: EntriesConfig = EntriesConfig()
    index_puts: IndexPutsConfig = IndexPutsConfig()
    stock_puts: StockPutsConfig = StockPutsConfig()
    put_spreads: PutSpreadsConfig = PutSpreadsConfig()
    strangles: Annotated[
        TwoSidedConfig, Meta(description="S6: a put and a far call; its loss has no bound.")
    ] = TwoSidedConfig()
    condors: Annotated[
        TwoSidedConfig, Meta(description="S6: both with wings: one side's width can be lost.")
    ] = TwoSidedConfig(enabled=True, underlyings=("XSP",))
    scores: ScoresConfig = ScoresConfig()
    selector: SelectorConfig = SelectorConfig()
    targets: TargetsConfig = TargetsConfig()
    lineup: LineupConfig = LineupConfig()
