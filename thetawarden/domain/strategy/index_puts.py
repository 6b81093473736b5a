"""S1: puts on a broad index, one to four days to go, at about 6.5 delta."""

from __future__ import annotations

from thetawarden.domain.strategy.assembling import Shape
from thetawarden.domain.strategy.strategy import shaped

STRATEGY = shaped(
    Shape(strategy="index_puts", rule="S1"),
    does="sells a put on a broad index, a few days to go, far out of the money",
)
