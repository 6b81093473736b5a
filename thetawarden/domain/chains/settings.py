"""Gathers everything that can be set about watching a chain; durations are market time."""

from __future__ import annotations

import msgspec

from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.chains.doubts import DoubtLimits
from thetawarden.domain.chains.fitting import FitHabits
from thetawarden.domain.chains.spot import SpotLimits
from thetawarden.domain.chains.windows import ExpiryWindow, StrikeWindow
from thetawarden.domain.instants import NS_PER_MINUTE, NS_PER_SECOND

INDEX_EXPIRIES = (
    ExpiryWindow(dte_max=7, expiries_max=5),
    ExpiryWindow(dte_min=25, dte_max=45, expiries_max=2),
)
SHARE_EXPIRIES = (
    ExpiryWindow(dte_max=10, expiries_max=2, expiries_min=2),
    ExpiryWindow(dte_min=21, dte_max=35, expiries_max=1),
)


class EntryZone(msgspec.Struct, frozen=True, kw_only=True):
    """Where entries are looked for: so many puts (and calls) next to these deltas, near expiries.

    These rows stream; all other rows of the window are snapshots.
    """

    put_delta: float = 0.065
    call_delta: float = 0.03
    puts: int = 3
    calls: int = 0
    expiries: int = 3


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often what is done; a view comes at once after quiet, else once in `view_ns` at most.

    Without anything new there is a view every `idle_view_ns`, because quotes age. A model that
    still holds is fitted anew after `fit_calm_pauses` times its pause only; what was read of a
    series that cannot be read any more stands for `model_kept_ns_max` at most.
    """

    view_ns: int = 2 * NS_PER_SECOND
    idle_view_ns: int = 10 * NS_PER_SECOND
    fit_ns: int = 5 * NS_PER_SECOND
    fit_american_ns: int = 20 * NS_PER_SECOND
    fit_calm_pauses: int = 4
    model_kept_ns_max: int = 5 * NS_PER_MINUTE
    replan_ns: int = 30 * NS_PER_SECOND
    stream_refresh_ns: int = 30 * NS_PER_SECOND
    scan_refresh_ns: int = 60 * NS_PER_SECOND
    skew_sample_ns: int = 15 * NS_PER_MINUTE
    answer_ns_max: int = 60 * NS_PER_SECOND
    retry_ns_min: int = 5 * NS_PER_SECOND
    retry_ns_max: int = 300 * NS_PER_SECOND
    complain_after_ns: int = 300 * NS_PER_SECOND


class WatchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of underlying is watched."""

    expiries_index: tuple[ExpiryWindow, ...] = INDEX_EXPIRIES
    expiries_share: tuple[ExpiryWindow, ...] = SHARE_EXPIRIES
    strikes: StrikeWindow = StrikeWindow()
    entries: EntryZone = EntryZone()
    limits: DoubtLimits = DoubtLimits()
    spot: SpotLimits = SpotLimits()
    habits: FitHabits = FitHabits()
    pace: Pace = Pace()
    skew_samples_max: int = 2000
    asked_at_once_max: int = 3

    def expiries(self, kind: InstrumentKind) -> tuple[ExpiryWindow, ...]:
        """The windows for this kind of underlying."""
        return self.expiries_index if kind is InstrumentKind.INDEX else self.expiries_share
