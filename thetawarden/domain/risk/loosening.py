"""Finds what a changed configuration allows that a person has not yet been asked about.

Pure. What was acknowledged stays the measure until a person acknowledges something else; a limit
that was tightened is the new measure at once, so that loosening it again asks again.
"""

from __future__ import annotations

import enum
import hashlib

import msgspec

FINGERPRINT_BYTES = 4
TOLD_MAX = 5


class Looser(enum.StrEnum):
    """Which way a limit must change to allow more."""

    MORE = "more"
    LESS = "less"
    ANY = "any"


class StatedLimit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit as a person wrote it; `amount` is its number where it has one."""

    name: str
    words: str
    looser: Looser
    amount: float | None = None

    def allows_more_than(self, before: StatedLimit) -> bool:
        """Whether anything passes now that did not pass before."""
        if self.looser is Looser.ANY or self.amount is None or before.amount is None:
            return self.words != before.words
        if self.looser is Looser.MORE:
            return not self.amount <= before.amount
        return not self.amount >= before.amount


class Loosened(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that allows more than was acknowledged."""

    name: str
    before: str
    after: str

    @property
    def words(self) -> str:
        """The change in one phrase."""
        return f"{self.name} {self.before} -> {self.after}"


def loosened(
    acknowledged: tuple[StatedLimit, ...], stated: tuple[StatedLimit, ...]
) -> tuple[Loosened, ...]:
    """Return the limits that allow more than was acknowledged; one never seen before is no change.

    Nothing acknowledged yet is a new store: what it starts with is its measure.
    """
    known = {one.name: one for one in acknowledged}
    return tuple(
        Loosened(name=one.name, before=known[one.name].words, after=one.words)
        for one in stated
        if one.name in known and one.allows_more_than(known[one.name])
    )


def fingerprint_of(stated: tuple[StatedLimit, ...]) -> str:
    """Return eight hex digits that name exactly these limits, for a person to say back."""
    told = "\n".join(f"{one.name}={one.words}" for one in sorted(stated, key=lambda one: one.name))
    return hashlib.blake2b(told.encode(), digest_size=FINGERPRINT_BYTES).hexdigest()


def question_of(changes: tuple[Loosened, ...], *, fingerprint: str) -> str:
    """What a person is told and asked; empty when there is nothing to ask."""
    if not changes:
        return ""
    told = "; ".join(one.words for one in changes[:TOLD_MAX])
    more = f" and {len(changes) - TOLD_MAX} more" if len(changes) > TOLD_MAX else ""
    return (
        f"the configuration allows more than before: {told}{more}. If you mean it:"
        f" thetawarden resume --limits {fingerprint} --reason WHY"
    )
