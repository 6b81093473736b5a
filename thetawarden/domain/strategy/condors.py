"""S6: a strangle with both sides bought further out: two spreads of which one can lose."""

from __future__ import annotations

from thetawarden.domain.strategy.assembling import Shape
from thetawarden.domain.strategy.strategy import shaped

STRATEGY = shaped(
    Shape(strategy="condors", rule="S6", calls=True, wings=True),
    does="sells a put spread and a far call spread of one expiry, before mid-afternoon",
)
