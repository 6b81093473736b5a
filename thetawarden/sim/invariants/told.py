"""Remembers what was told of contracts as long as a decision may rest on it.

Judged apart from the desk, by what came over the link: a quote can be rested on while it has two
sides that are not crossed, and for the time of grace after it has become so.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from thetawarden.domain.broker.quote_rows import quote_rows
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.messages.market import QuotesObserved

if TYPE_CHECKING:
    from thetawarden.sim.world import World


class _Bundle(msgspec.Struct, frozen=True):
    heard_ns: int
    epoch: int
    rows: bytes


class _Sides(msgspec.Struct, frozen=True):
    heard_ns: int
    at_ns: int
    bid_usd: float
    ask_usd: float


class Told:
    """The quotes of late, all contracts together; looked through only when an entry leaves."""

    def __init__(self, world: World) -> None:
        config, machine_ns = world.settings.config, world.clock.speed * NS_PER_SECOND
        self._grace_ns = round(config.chains.quotes.crossed_grace_s * machine_ns)
        self._kept_ns = round(config.risk.orders.quote_age_s_max * machine_ns) + self._grace_ns
        self._bundles: deque[_Bundle] = deque()

    def take(self, told: QuotesObserved, now_ns: int) -> None:
        """Keep what is told now, and forget what nothing can rest on any more."""
        bundles = self._bundles
        bundles.append(_Bundle(now_ns, told.epoch, told.rows))
        while bundles[0].heard_ns < now_ns - self._kept_ns:
            bundles.popleft()

    def sound_ns(self, conid: int, *, epoch: int) -> int:
        """Of when the last quote is that could be rested on, 0 for none."""
        sound_ns, crossed_ns, was_sound = 0, 0, False
        for one in self._of(conid, epoch):
            two_sided = 0.0 < one.bid_usd < math.inf and 0.0 < one.ask_usd < math.inf
            crossed = two_sided and one.bid_usd >= one.ask_usd
            crossed_ns = (crossed_ns or one.heard_ns) if crossed else 0
            is_patient = was_sound and one.heard_ns - crossed_ns <= self._grace_ns
            if two_sided and (not crossed or is_patient):
                sound_ns, was_sound = one.at_ns, True
        return sound_ns

    def _of(self, conid: int, epoch: int) -> Iterator[_Sides]:
        for bundle in self._bundles:
            rows = quote_rows(bundle.rows)
            for row in rows[rows["conid"] == conid] if bundle.epoch == epoch else ():
                at_ns, bid_usd, ask_usd = (
                    row[name].item() for name in ("at_ns", "bid_usd", "ask_usd")
                )
                yield _Sides(bundle.heard_ns, at_ns, bid_usd, ask_usd)
