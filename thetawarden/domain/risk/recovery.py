"""Leads the desk back after a drawdown halt (R8), by the calendar and by results.

Weeks are counted from the day of the halt: the first day is in week 1. A phase is left only when
both its weeks are over and its condition holds: half size must have been profitable, three quarters
end when enough of the drawdown is recovered. Pure; the state survives restarts with its keeper.
"""

from __future__ import annotations

import datetime as dt
import enum
import math

import msgspec

from thetawarden.domain.risk.limits import RecoveryLimits


class RecoveryPhase(enum.StrEnum):
    """How far the way back has come."""

    NONE = "none"
    PAUSE = "pause"
    HALF = "half"
    MOST = "most"


class RecoveryState(msgspec.Struct, frozen=True, kw_only=True):
    """Since when, from which peak, to which trough, and what the phase began with."""

    phase: RecoveryPhase = RecoveryPhase.NONE
    began: dt.date | None = None
    peak_usd: float = 0.0
    trough_usd: float = 0.0
    phase_start_usd: float = 0.0


def begin_recovery(
    state: RecoveryState, *, day: dt.date, nlv_usd: float, peak_usd: float
) -> RecoveryState:
    """A drawdown halt: from the start again, whatever had been reached; the higher peak stays."""
    peak = max(peak_usd, state.peak_usd if state.phase is not RecoveryPhase.NONE else peak_usd)
    return RecoveryState(
        phase=RecoveryPhase.PAUSE,
        began=day,
        peak_usd=peak,
        trough_usd=nlv_usd,
        phase_start_usd=nlv_usd,
    )


def advance_recovery(
    state: RecoveryState, *, day: dt.date, nlv_usd: float, limits: RecoveryLimits
) -> RecoveryState:
    """Take in a day's figure; a figure that is no number moves nothing."""
    began = state.began
    if state.phase is RecoveryPhase.NONE or began is None or not math.isfinite(nlv_usd):
        return state
    state = msgspec.structs.replace(state, trough_usd=min(state.trough_usd, nlv_usd))
    weeks = (day - began).days // 7
    match state.phase:
        case RecoveryPhase.PAUSE if weeks >= limits.pause_weeks:
            return _enter(state, RecoveryPhase.HALF, nlv_usd)
        case RecoveryPhase.HALF if weeks >= limits.half_until_weeks:
            profitable = nlv_usd > state.phase_start_usd
            return _enter(state, RecoveryPhase.MOST, nlv_usd) if profitable else state
        case RecoveryPhase.MOST if weeks >= limits.most_until_weeks:
            return RecoveryState() if _is_recovered(state, nlv_usd, limits) else state
    return state


def shift_recovery(state: RecoveryState, *, amount_usd: float) -> RecoveryState:
    """Money paid in or out moves every reference."""
    if state.phase is RecoveryPhase.NONE or not math.isfinite(amount_usd):
        return state
    return msgspec.structs.replace(
        state,
        peak_usd=state.peak_usd + amount_usd,
        trough_usd=state.trough_usd + amount_usd,
        phase_start_usd=state.phase_start_usd + amount_usd,
    )


def phase_fraction(phase: RecoveryPhase, limits: RecoveryLimits) -> float:
    """Part of the normal size, and of the normal number of positions, that a phase allows."""
    return {
        RecoveryPhase.NONE: 1.0,
        RecoveryPhase.PAUSE: 0.0,
        RecoveryPhase.HALF: limits.half_size_fraction,
        RecoveryPhase.MOST: limits.most_size_fraction,
    }[phase]


def drawdown_factor(
    drawdown_fraction: float, *, limit_fraction: float, limits: RecoveryLimits
) -> float:
    """Size by the depth of the drawdown: clamp(1 - drawdown / limit, least, 1); unknown is 0."""
    if not math.isfinite(drawdown_fraction):
        return 0.0
    depth = drawdown_fraction / limit_fraction if limit_fraction > 0.0 else 1.0
    return min(1.0, max(limits.drawdown_factor_min_fraction, 1.0 - depth))


def _enter(state: RecoveryState, phase: RecoveryPhase, nlv_usd: float) -> RecoveryState:
    return msgspec.structs.replace(state, phase=phase, phase_start_usd=nlv_usd)


def _is_recovered(state: RecoveryState, nlv_usd: float, limits: RecoveryLimits) -> bool:
    depth = state.peak_usd - state.trough_usd
    return nlv_usd >= state.trough_usd + limits.recovered_fraction * depth
