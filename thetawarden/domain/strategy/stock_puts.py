"""S2: puts on a stock that rises, at least a tenth out of the money, clear of earnings."""

from __future__ import annotations

from thetawarden.domain.strategy.assembling import Shape
from thetawarden.domain.strategy.strategy import shaped

STRATEGY = shaped(
    Shape(strategy="stock_puts", rule="S2"),
    does="sells a put on a rising stock, a tenth or more out of the money, clear of earnings",
)
