"""Defines what a strategy is: a name, what it does, and how it finds candidates in a scene."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from thetawarden.domain.strategy.assembling import Shape, every_expiry
from thetawarden.domain.strategy.candidate import Candidate, Nothing
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.settings import StrategySettings, Terms

Found = Candidate | Nothing


class Strategy(msgspec.Struct, frozen=True, kw_only=True):
    """One way of selling premium; `find` answers for every expiry its terms allow.

    What fails the strategy's own criteria is answered as well, with the reason against it; where
    there is nothing to name at all the answer is `Nothing`. Without a shape what was staged is
    not adapted to the open.
    """

    name: str
    does: str
    find: Callable[[Scene, Terms, StrategySettings], tuple[Found, ...]]
    shape: Shape | None = None


def shaped(shape: Shape, *, does: str) -> Strategy:
    """Return the strategy that sells one shape on every expiry of its terms."""

    def find(scene: Scene, terms: Terms, settings: StrategySettings) -> tuple[Found, ...]:
        return every_expiry(scene, shape, terms=terms, settings=settings)

    return Strategy(name=shape.strategy, does=does, find=find, shape=shape)
