"""S1: puts on a broad index, one to four days to go, at about 6.5 delta."""

from __future__ import annotations

from thetawarden.domain.strategy.puts import every_expiry, short_put
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.settings import StrategySettings, Terms
from thetawarden.domain.strategy.strategy import Found, Strategy

NAME = "index_puts"


def find(scene: Scene, terms: Terms, settings: StrategySettings) -> tuple[Found, ...]:
    """Return the put of every expiry."""
    return every_expiry(
        scene,
        terms,
        strategy=NAME,
        look=lambda series: short_put(
            scene, series, strategy=NAME, rule="S1", terms=terms, settings=settings
        ),
    )


STRATEGY = Strategy(
    name=NAME,
    does="sells a put on a broad index, a few days to go, far out of the money",
    defined_risk=False,
    find=find,
)
