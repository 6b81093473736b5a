"""Every number of watching chains that a person may set, and the settings that follow from them.

Deltas are absolute and per share, fractions of the mid or of the spot. Durations are seconds of the
machine, except where they say of the market.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from thetawarden.domain.chains.doubts import DoubtLimits
from thetawarden.domain.chains.model import FitHabits
from thetawarden.domain.chains.settings import EntryZone, Pace, WatchSettings
from thetawarden.domain.chains.spot import SpotLimits
from thetawarden.domain.chains.windows import ExpiryWindow, StrikeWindow
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.surface.parity import RatePrior

Symbol = Annotated[
    str,
    Meta(pattern=r"^[A-Z][A-Z0-9 .]{0,11}$", title='a symbol such as "SPX"'),
]


def _days(words: str) -> Meta:
    return Meta(ge=0, le=400, description=words)


def _seconds(words: str) -> Meta:
    return Meta(ge=0.05, le=86_400, description=words)


class ExpiriesConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which expiries are watched, by calendar days to go: a near window and a far one."""

    near_days_max: Annotated[int, _days("The near window reaches from today to so many days.")] = 7
    near_min: Annotated[
        int, Meta(ge=0, le=20, description="With fewer expiries the near window reaches on.")
    ] = 1
    near_max: Annotated[int, Meta(ge=0, le=20, description="Expiries of the near window.")] = 5
    far_days_min: Annotated[int, _days("The far window begins so many days away.")] = 25
    far_days_max: Annotated[int, _days("The far window ends so many days away.")] = 35
    far_max: Annotated[int, Meta(ge=0, le=20, description="Expiries of the far window.")] = 1


SHARE_EXPIRIES = ExpiriesConfig(
    near_days_max=10, near_min=2, near_max=2, far_days_min=21, far_days_max=35, far_max=1
)


class StrikesConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which strikes are watched around the spot."""

    delta_min: Annotated[
        float, Meta(ge=0.0001, le=0.5, description="Out to this delta on both sides.")
    ] = 0.02
    otm_week_fraction: Annotated[
        float,
        Meta(
            ge=0.001, le=0.9, description="Before there is a smile: so far from spot, for a week."
        ),
    ] = 0.05
    count_min: Annotated[
        int, Meta(ge=1, le=500, description="With fewer on a side the window widens by itself.")
    ] = 8
    count_max: Annotated[
        int, Meta(ge=5, le=2000, description="With more of an expiry they are thinned out.")
    ] = 40
    put_delta: Annotated[
        float, Meta(ge=0.001, le=0.5, description="Puts next to this delta are streamed.")
    ] = 0.065
    call_delta: Annotated[
        float, Meta(ge=0.001, le=0.5, description="Calls next to this delta are streamed.")
    ] = 0.03
    puts_max: Annotated[int, Meta(ge=0, le=50, description="Puts streamed of an expiry.")] = 3
    calls_max: Annotated[int, Meta(ge=0, le=50, description="Calls streamed of an expiry.")] = 0
    expiries_max: Annotated[
        int, Meta(ge=0, le=20, description="Nearest expiries of which any are streamed.")
    ] = 3


class QuotesConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a quote may be used."""

    age_s_max: Annotated[
        float, _seconds("An option's quote may be so old, beyond the time it is refreshed in.")
    ] = 60.0
    spot_age_s_max: Annotated[float, _seconds("The underlying's price may be so old.")] = 30.0
    spread_fraction_max: Annotated[
        float, Meta(ge=0.01, le=2, description="The widest usable spread, of the mid.")
    ] = 0.5
    spread_fine_usd: Annotated[
        float, Meta(ge=0, le=10, description="A spread up to this is usable whatever the mid.")
    ] = 0.10
    crossed_grace_s: Annotated[
        float, _seconds("A crossed or locked quote is borne so long on the prices before.")
    ] = 1.0
    jump_fraction: Annotated[
        float, Meta(ge=0.01, le=10, description="An unexplained jump, of an option's price.")
    ] = 0.12
    spot_jump_fraction: Annotated[
        float, Meta(ge=0.001, le=1, description="A jump of the underlying, of its price.")
    ] = 0.02
    confirmations_min: Annotated[
        int, Meta(ge=1, le=100, description="Further quotes that make a jump believed.")
    ] = 2
    frozen_widths_min: Annotated[
        float,
        Meta(ge=0.5, le=100, description="Frozen: the underlying's move is worth so many spreads."),
    ] = 3.0
    iv_difference_fraction: Annotated[
        float, Meta(ge=0.01, le=10, description="The broker's volatility may differ so much.")
    ] = 0.35
    delta_difference_max: Annotated[
        float, Meta(ge=0.001, le=1, description="The broker's delta may differ so much.")
    ] = 0.10


class CadenceConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often what is done."""

    view_s: Annotated[float, _seconds("Between two views; after quiet one comes at once.")] = 2.0
    fit_s: Annotated[float, _seconds("Between two fits of European chains.")] = 5.0
    fit_american_s: Annotated[float, _seconds("Between two fits of American chains.")] = 20.0
    scan_s: Annotated[float, _seconds("What is not streamed is asked for again after this.")] = 60.0
    replan_s: Annotated[float, _seconds("Between two looks at the windows.")] = 30.0
    answer_s: Annotated[float, _seconds("The broker's time to answer about contracts.")] = 120.0
    complain_s: Annotated[float, _seconds("A chain not found for so long is told to a person.")] = (
        300.0
    )


class ChainsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Chains of options: which are watched, how much of them, and which quotes are usable."""

    underlyings: Annotated[
        tuple[Symbol, ...],
        Meta(
            max_length=200,
            title="a list of symbols",
            description="Always watched; whatever is held is watched besides.",
        ),
    ] = ("SPX", "XSP", "SPY")
    rate_annual: Annotated[
        float, Meta(ge=-0.05, le=0.5, description="The interest rate believed beforehand.")
    ] = 0.04
    index: Annotated[ExpiriesConfig, Meta(description="Expiries of indices.")] = ExpiriesConfig()
    share: Annotated[ExpiriesConfig, Meta(description="Expiries of ETFs and shares.")] = (
        SHARE_EXPIRIES
    )
    strikes: StrikesConfig = StrikesConfig()
    quotes: QuotesConfig = QuotesConfig()
    cadence: CadenceConfig = CadenceConfig()


def watch_settings(config: ChainsConfig, *, speed: float = 1.0) -> WatchSettings:
    """Return how chains are watched on a market that runs `speed` times as fast as we do."""
    strikes = config.strikes
    return WatchSettings(
        expiries_index=_windows(config.index),
        expiries_share=_windows(config.share),
        strikes=StrikeWindow(
            delta_min=strikes.delta_min,
            otm_fraction_week=strikes.otm_week_fraction,
            strikes_min=strikes.count_min,
            strikes_max=strikes.count_max,
        ),
        entries=EntryZone(
            put_delta=strikes.put_delta,
            call_delta=strikes.call_delta,
            puts=strikes.puts_max,
            calls=strikes.calls_max,
            expiries=strikes.expiries_max,
        ),
        limits=_doubt_limits(config.quotes, speed),
        spot=SpotLimits(
            age_ns_max=_ns(config.quotes.spot_age_s_max, speed),
            jump_fraction_max=config.quotes.spot_jump_fraction,
            confirmations=config.quotes.confirmations_min,
        ),
        habits=FitHabits(rate_prior=RatePrior(rate_annual=config.rate_annual)),
        pace=_pace(config.cadence, speed),
    )


def _windows(expiries: ExpiriesConfig) -> tuple[ExpiryWindow, ...]:
    near = ExpiryWindow(
        dte_max=expiries.near_days_max,
        expiries_min=expiries.near_min,
        expiries_max=expiries.near_max,
    )
    far = ExpiryWindow(
        dte_min=expiries.far_days_min,
        dte_max=expiries.far_days_max,
        expiries_min=min(1, expiries.far_max),
        expiries_max=expiries.far_max,
    )
    return near, far


def _doubt_limits(quotes: QuotesConfig, speed: float) -> DoubtLimits:
    usual = DoubtLimits()
    return DoubtLimits(
        age_ns_max=_ns(quotes.age_s_max, speed),
        future_ns_max=round(usual.future_ns_max * max(1.0, speed)),
        spread_fraction_max=quotes.spread_fraction_max,
        spread_usd_always_fine=quotes.spread_fine_usd,
        crossed_grace_ns=_ns(quotes.crossed_grace_s, speed),
        jump_fraction=quotes.jump_fraction,
        confirmations=quotes.confirmations_min,
        confirm_after_ns=round(usual.confirm_after_ns * speed),
        frozen_widths=quotes.frozen_widths_min,
        frozen_after_ns=round(usual.frozen_after_ns * speed),
        iv_fraction_max=quotes.iv_difference_fraction,
        delta_difference_max=quotes.delta_difference_max,
    )


def _pace(cadence: CadenceConfig, speed: float) -> Pace:
    usual = Pace()
    view_ns = _ns(cadence.view_s, speed)
    return Pace(
        view_ns=view_ns,
        idle_view_ns=max(view_ns, round(usual.idle_view_ns * speed)),
        fit_ns=_ns(cadence.fit_s, speed),
        fit_american_ns=_ns(cadence.fit_american_s, speed),
        replan_ns=_ns(cadence.replan_s, speed),
        stream_refresh_ns=round(usual.stream_refresh_ns * speed),
        scan_refresh_ns=_ns(cadence.scan_s, speed),
        skew_sample_ns=usual.skew_sample_ns,
        answer_ns_max=_ns(cadence.answer_s, speed),
        retry_ns_min=round(usual.retry_ns_min * speed),
        retry_ns_max=round(usual.retry_ns_max * speed),
        complain_after_ns=_ns(cadence.complain_s, speed),
    )


def _ns(seconds: float, speed: float) -> int:
    return round(seconds * speed * NS_PER_SECOND)
