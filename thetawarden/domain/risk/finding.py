"""Defines what a rule answers, and the arithmetic of a limit that bounds the number of units.

A finding either passes, or shrinks by a factor or to a maximum, or refuses. `sanity` marks the
few that also bind an order proved to reduce risk: the others are told, and waived, for it.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable

import msgspec
from typing_extensions import TypedDict, Unpack

from thetawarden.domain.regime.readings import Fault, InputFault

_NEARLY = 1e-9
_UNITS_MAX = 10**9


class RuleId(enum.StrEnum):
    """The rows of the specification."""

    R1 = "R1"
    R2 = "R2"
    R3 = "R3"
    R4 = "R4"
    R5 = "R5"
    R6 = "R6"
    R7 = "R7"
    R8 = "R8"
    R9 = "R9"
    R10 = "R10"
    R11 = "R11"
    R12 = "R12"
    R13 = "R13"
    R14 = "R14"
    R15 = "R15"
    R16 = "R16"


class Verdict(enum.StrEnum):
    """What a rule has to say, from nothing to no."""

    PASS = "pass"  # noqa: S105  (no password)
    WARN = "warn"
    SHRINK = "shrink"
    REFUSE = "refuse"


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a rule looked at; None when it was not there."""

    name: str
    value: float | str | None


class RuleFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One check of one rule: its inputs, its limit, what is used of it, what follows, in words.

    `used` and `per_unit` are in the unit of `limit`; `units_max` None sets no maximum.
    """

    rule: RuleId
    check: str
    verdict: Verdict
    words: str
    factor: float = 1.0
    units_max: int | None = None
    limit: float | None = None
    used: float | None = None
    per_unit: float | None = None
    inputs: tuple[Input, ...] = ()
    faults: tuple[Fault, ...] = ()
    sanity: bool = False

    @property
    def stops(self) -> bool:
        """Whether it lets nothing through."""
        refused = self.verdict is Verdict.REFUSE or self.units_max == 0
        return refused or not 0.0 < self.factor <= 1.0


class Told(TypedDict, total=False):
    """What a finding may tell besides its words."""

    inputs: tuple[Input, ...]
    limit: float | None
    used: float | None
    faults: tuple[Fault, ...]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Which rule speaks about what; `sanity` as in a finding."""

    rule: RuleId
    name: str
    sanity: bool = False

    def passes(self, words: str, **told: Unpack[Told]) -> RuleFinding:
        """Nothing stands against it."""
        return self._finding(Verdict.PASS, words, **told)

    def warns(self, words: str, **told: Unpack[Told]) -> RuleFinding:
        """It may be done, and a person should know this."""
        return self._finding(Verdict.WARN, words, **told)

    def refuses(self, words: str, **told: Unpack[Told]) -> RuleFinding:
        """It must not be done."""
        found = self._finding(Verdict.REFUSE, words, **told)
        return msgspec.structs.replace(found, factor=0.0, units_max=0)

    def cannot_see(self, name: str, fault: InputFault, words: str = "") -> RuleFinding:
        """An input is unusable, so the answer is no."""
        told = words or f"{name.replace('_', ' ')} is {fault.value.replace('_', ' ')}"
        return self.refuses(
            f"{told}: no new risk on what is not known",
            inputs=(Input(name=name, value=None),),
            faults=(Fault(name=name, fault=fault),),
        )

    def scales(self, factor: float, words: str, **told: Unpack[Told]) -> RuleFinding:
        """Sizes are multiplied by a factor from 0 to 1; a factor of 0 refuses."""
        if not 0.0 <= factor <= 1.0:
            return self.cannot_see("factor", InputFault.OUT_OF_RANGE)
        if factor == 0.0:
            return self.refuses(words, **told)
        verdict = Verdict.PASS if factor == 1.0 else Verdict.SHRINK
        return msgspec.structs.replace(self._finding(verdict, words, **told), factor=factor)

    def caps(self, usage: Usage, *, wanted: int, inputs: tuple[Input, ...] = ()) -> RuleFinding:
        """As many units as fit between what is used and the limit; unknown numbers fit none."""
        if not usage.is_known:
            return self.cannot_see(self.name, InputFault.NOT_FINITE)
        fit = usage.units
        after = usage.used + max(usage.per_unit, 0.0) * wanted
        verdict = Verdict.PASS
        if fit is not None and fit < wanted:
            verdict = Verdict.REFUSE if fit == 0 else Verdict.SHRINK
        elif usage.warn is not None and after > usage.warn + _NEARLY:
            verdict = Verdict.WARN
        words = usage.words(after=after, fit=fit, wanted=wanted)
        found = self._finding(verdict, words, inputs=inputs, limit=usage.limit, used=usage.used)
        factor = 0.0 if fit == 0 else 1.0
        return msgspec.structs.replace(found, factor=factor, units_max=fit, per_unit=usage.per_unit)

    def _finding(self, verdict: Verdict, words: str, **told: Unpack[Told]) -> RuleFinding:
        return RuleFinding(
            rule=self.rule,
            check=self.name,
            verdict=verdict,
            words=words,
            sanity=self.sanity,
            **told,
        )


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a limit is used, and how much more a unit would use; all in the limit's unit."""

    what: str
    used: float
    per_unit: float
    limit: float
    show: Callable[[float], str]
    warn: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether every number is one."""
        return all(map(math.isfinite, (self.used, self.per_unit, self.limit)))

    @property
    def units(self) -> int | None:
        """How many units fit; None when a unit uses nothing, however full the limit is."""
        if self.per_unit <= 0.0:
            return None
        left = (self.limit - self.used) / self.per_unit
        return int(min(max(left + _NEARLY, 0.0), _UNITS_MAX))

    def words(self, *, after: float, fit: int | None, wanted: int) -> str:
        """What a person reads."""
        show = self.show
        told = f"{self.what} {show(self.used)} now, {show(after)} with {wanted}"
        bound = f"at most {show(self.limit)}"
        if fit is None:
            return f"{told}; {bound}"
        return f"{told}; {bound}: {'all' if fit >= wanted else fit} fit"


def percent(fraction: float) -> str:
    """A fraction as people read it."""
    return f"{fraction * 100.0:.2f} %"


def usd(amount: float) -> str:
    """An amount as people read it."""
    return f"{amount:,.0f} USD"


def count(number: float) -> str:
    """A whole number as people read it."""
    return f"{number:,.0f}"


def multiple(number: float) -> str:
    """A multiple of net liquidation value as people read it."""
    return f"{number:.2f} x NLV"


def reaches(value: float, threshold: float) -> bool:
    """Whether a value is at a threshold or beyond, the last bits of a float not deciding."""
    return value >= threshold - _NEARLY


def given(**values: float | str | None) -> tuple[Input, ...]:
    """What a rule looked at."""
    return tuple(Input(name=name, value=value) for name, value in values.items())
