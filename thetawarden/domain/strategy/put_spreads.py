"""S5: what S1 and S2 sell, with a lower put bought, so that the loss has a bound."""

from __future__ import annotations

from thetawarden.domain.market.contracts import UnderlyingKind
from thetawarden.domain.strategy.puts import every_expiry, put_spread
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.settings import StrategySettings, Terms
from thetawarden.domain.strategy.stock_puts import company_reasons
from thetawarden.domain.strategy.strategy import Found, Strategy

NAME = "put_spreads"


def find(scene: Scene, terms: Terms, settings: StrategySettings) -> tuple[Found, ...]:
    """Return the spread of every expiry; a stock must pass what S2 asks of it."""
    more = company_reasons if scene.kind is UnderlyingKind.STOCK else None
    return every_expiry(
        scene,
        terms,
        strategy=NAME,
        look=lambda series: put_spread(
            scene, series, strategy=NAME, rule="S5", terms=terms, settings=settings, more=more
        ),
    )


STRATEGY = Strategy(
    name=NAME,
    does="sells a put and buys one further out: its loss is the width less the credit",
    defined_risk=True,
    find=find,
)
