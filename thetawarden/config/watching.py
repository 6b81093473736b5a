"""Turns the section `chains` into what a watcher keeps to; apart, as it loads the models."""

from __future__ import annotations

from thetawarden.config.chains import CadenceConfig, ChainsConfig, ExpiriesConfig, QuotesConfig
from thetawarden.domain.chains.doubts import DoubtLimits
from thetawarden.domain.chains.fitting import FitHabits
from thetawarden.domain.chains.settings import EntryZone, Pace, WatchSettings
from thetawarden.domain.chains.spot import SpotLimits
from thetawarden.domain.chains.windows import ExpiryWindow, StrikeWindow
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.surface.parity import RatePrior


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
        model_kept_ns_max=_ns(cadence.model_kept_s_max, speed),
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
