"""S6: a strangle with both sides bought further out: two spreads of which one can lose."""

from __future__ import annotations

from thetawarden.domain.strategy.puts import every_expiry
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.settings import StrategySettings, Terms
from thetawarden.domain.strategy.strategy import Found, Strategy
from thetawarden.domain.strategy.two_sides import both_sides

NAME = "condors"


def find(scene: Scene, terms: Terms, settings: StrategySettings) -> tuple[Found, ...]:
    """Return the iron condor of every expiry."""
    return every_expiry(
        scene,
        terms,
        strategy=NAME,
        look=lambda series: both_sides(
            scene, series, strategy=NAME, winged=True, terms=terms, settings=settings
        ),
    )


STRATEGY = Strategy(
    name=NAME,
    does="sells a put spread and a far call spread of one expiry, before mid-afternoon",
    defined_risk=True,
    find=find,
)
