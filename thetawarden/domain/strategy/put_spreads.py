"""S5: what S1 and S2 sell, with a lower put bought, so that the loss has a bound."""

from __future__ import annotations

from thetawarden.domain.strategy.assembling import Shape
from thetawarden.domain.strategy.strategy import shaped

STRATEGY = shaped(
    Shape(strategy="put_spreads", rule="S5", wings=True),
    does="sells a put and buys one further out: its loss is the width less the credit",
)
