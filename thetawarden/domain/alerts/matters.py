"""Names what a person is told of and how urgent it is: the table, as data.

A matter that is not in the table is as urgent as whoever reports it says. `threshold` is a fraction
of net liquidation (losses) or of what may be used (margin), where the matter has one.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

import msgspec


class Urgency(enum.StrEnum):
    """How soon a person should know."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    CRITICAL = "critical"


RISING = (Urgency.LOW, Urgency.NORMAL, Urgency.HIGH, Urgency.CRITICAL)
"""From what can wait to what cannot."""


class Matter(enum.StrEnum):
    """What a person is told of."""

    FILLED = "filled"
    PROFIT_TAKEN = "profit_taken"
    NEAR_STOP = "near_stop"
    DAY_LOSS = "day_loss"
    MARGIN_USED = "margin_used"
    ASSIGNED = "assigned"
    HALTED = "halted"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table."""

    urgency: Urgency
    about: str
    said_by: str
    threshold: float | None = None


TABLE: Mapping[Matter, Row] = MappingProxyType(
    {
        Matter.FILLED: Row(
            urgency=Urgency.LOW,
            about="an order that opens or closes something is filled",
            said_by="OrderStageChanged",
        ),
        Matter.PROFIT_TAKEN: Row(
            urgency=Urgency.LOW, about="a profit target is hit", said_by="OrderStageChanged"
        ),
        Matter.NEAR_STOP: Row(
            urgency=Urgency.NORMAL,
            about="a position is half way to its stop",
            said_by="NotifyPerson",
            threshold=0.5,
        ),
        Matter.DAY_LOSS: Row(
            urgency=Urgency.NORMAL,
            about="more than this part of the account is lost today",
            said_by="RiskTaken",
            threshold=0.01,
        ),
        Matter.MARGIN_USED: Row(
            urgency=Urgency.NORMAL,
            about="more than this part of the margin is used",
            said_by="RiskTaken",
            threshold=0.5,
        ),
        Matter.ASSIGNED: Row(
            urgency=Urgency.HIGH, about="shares were delivered", said_by="PositionExplained"
        ),
        Matter.HALTED: Row(
            urgency=Urgency.CRITICAL, about="trading is halted", said_by="TradingHalted"
        ),
    }
)
