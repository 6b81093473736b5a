"""S6: a put and a call sold on the same expiry, the call at two to three delta."""

from __future__ import annotations

from thetawarden.domain.strategy.assembling import Shape
from thetawarden.domain.strategy.strategy import shaped

STRATEGY = shaped(
    Shape(strategy="strangles", rule="S6", calls=True),
    does="sells a put and a far call of one expiry, before mid-afternoon",
)
