"""S6: a put and a call sold on the same expiry, the call at two to three delta."""

from __future__ import annotations

from thetawarden.domain.strategy.puts import every_expiry
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.settings import StrategySettings, Terms
from thetawarden.domain.strategy.strategy import Found, Strategy
from thetawarden.domain.strategy.two_sides import both_sides

NAME = "strangles"


def find(scene: Scene, terms: Terms, settings: StrategySettings) -> tuple[Found, ...]:
    """Return the strangle of every expiry."""
    return every_expiry(
        scene,
        terms,
        strategy=NAME,
        look=lambda series: both_sides(
            scene, series, strategy=NAME, winged=False, terms=terms, settings=settings
        ),
    )


STRATEGY = Strategy(
    name=NAME,
    does="sells a put and a far call of one expiry, before mid-afternoon",
    defined_risk=False,
    find=find,
)
