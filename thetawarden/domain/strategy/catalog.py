"""Lists every strategy, and asks them all: what could be sold in a chain, the best first.

Adding a strategy is adding its module and its line here (docs/strategies.md).
"""

from __future__ import annotations

import msgspec

from thetawarden.domain.strategy import (
    condors,
    index_puts,
    put_spreads,
    stock_puts,
    strangles,
)
from thetawarden.domain.strategy.candidate import Candidate, Nothing
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.settings import StrategySettings
from thetawarden.domain.strategy.strategy import Strategy

STRATEGIES: tuple[Strategy, ...] = (
    index_puts.STRATEGY,
    stock_puts.STRATEGY,
    put_spreads.STRATEGY,
    strangles.STRATEGY,
    condors.STRATEGY,
)


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """Everything found in one chain: per strategy the best candidate first, and what was not."""

    candidates: tuple[Candidate, ...]
    nothing: tuple[Nothing, ...]

    def best(self) -> tuple[Candidate, ...]:
        """The best candidate of each strategy, the best strategy first; what fails comes last."""
        firsts: dict[str, Candidate] = {}
        for one in self.candidates:
            firsts.setdefault(one.strategy, one)
        return tuple(sorted(firsts.values(), key=lambda one: (not one.passes, -one.selector)))


def look(
    scene: Scene,
    settings: StrategySettings,
    *,
    strategies: tuple[Strategy, ...] = STRATEGIES,
) -> Looked:
    """Ask every strategy that trades this underlying."""
    candidates: list[Candidate] = []
    nothing: list[Nothing] = []
    for strategy in strategies:
        terms = settings.terms.get(strategy.name)
        if terms is None or scene.underlying not in terms.underlyings:
            continue
        found = strategy.find(scene, terms, settings)
        mine = [one for one in found if isinstance(one, Candidate)]
        nothing += [one for one in found if isinstance(one, Nothing)]
        candidates += sorted(mine, key=lambda one: (not one.passes, -one.score, one.expiry))
    return Looked(candidates=tuple(candidates), nothing=tuple(nothing))
