"""The regime actor: says what the market's state allows, and when that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.regime.assess import Regime, RegimeLimits, assess
from thetawarden.domain.regime.derived import DerivedRegime
from thetawarden.domain.regime.factors import EntryPolicy
from thetawarden.domain.regime.vix_limits import VixBand
from thetawarden.messages.context import ContextTaken
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.market import RegimeAssessed
from thetawarden.messages.operations import NotifyPerson, Urgency

if TYPE_CHECKING:
    from thetawarden.domain.regime.factors import Factor

Hears = Begin | Quiesce | ContextTaken
Says = RegimeAssessed | NotifyPerson


class RegimeState(msgspec.Struct, kw_only=True):
    """The last verdict, the VIX band that hysteresis rests on, and what people were told."""

    band: VixBand | None = None
    regime: Regime | None = None
    assessed_ns: UnixNs = UnixNs(0)
    said_ns: UnixNs = UnixNs(0)
    told: tuple[DerivedRegime | None, EntryPolicy, bool] | None = None


class RegimeActor:
    """Assesses every context; says the verdict when it changes and on a cadence.

    Restart: safe; the band comes back from the log, so that a VIX at a boundary does not flap.
    """

    def __init__(self, *, limits: RegimeLimits, every_ns: int) -> None:
        self.state = RegimeState()
        self._limits = limits
        self._every_ns = every_ns

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        match message:
            case ContextTaken():
                return self._assess(message, now)
            case Begin() | Quiesce():
                return ()
            case _:
                assert_never(message)

    def _assess(self, context: ContextTaken, now: UnixNs) -> tuple[Says, ...]:
        state = self.state
        regime = assess(
            inputs=context.inputs, previous_band=state.band, now_ns=now, limits=self._limits
        )
        changed = state.regime is None or _gist(regime) != _gist(state.regime)
        state.regime, state.assessed_ns = regime, now
        state.band = regime.vix.band or state.band
        words = self._tell(regime) if context.trading else ()
        if not changed and now - state.said_ns < self._every_ns:
            return words
        state.said_ns = now
        return (RegimeAssessed(regime=regime), *words)

    def _tell(self, regime: Regime) -> tuple[Says, ...]:
        """Tell the person what changed, in a session only: at night every figure is old."""
        gist = (regime.derived, regime.entries, regime.close_naked)
        if gist == self.state.told:
            return ()
        first, self.state.told = self.state.told is None, gist
        if first and regime.entries is EntryPolicy.ALL:
            return ()
        text = f"regime {regime.derived or 'unknown'}, entries {regime.entries}"
        text += f", sizes x {regime.size_fraction:.2f}: {words_of(regime)}"
        if regime.close_naked:
            text = f"close all naked positions: {text}"
        return (NotifyPerson(urgency=_urgency(regime), topic="regime", text=text),)


def words_of(regime: Regime) -> str:
    """What each rule says, in one line."""
    return "; ".join(_factor_words(factor) for factor in regime.factors)


def _factor_words(factor: Factor) -> str:
    faults = ", ".join(f"{each.name} {each.fault}".replace("_", " ") for each in factor.faults)
    label = f"no entries ({faults})" if faults else str(factor.label).replace("_", " ")
    return f"{factor.rule} {label}"


def _urgency(regime: Regime) -> Urgency:
    if regime.close_naked or regime.derived is DerivedRegime.CRASH:
        return Urgency.CRITICAL
    return Urgency.HIGH if regime.entries is EntryPolicy.NONE else Urgency.NORMAL


def _gist(regime: Regime) -> tuple[object, ...]:
    """What must differ for a verdict to be another one."""
    labels = tuple((each.rule, each.label, each.entries) for each in regime.factors)
    sizes = (round(regime.size_fraction, 2), round(regime.delta_fraction, 2))
    return (regime.derived, regime.entries, regime.close_naked, sizes, labels, regime.faults)
