"""The market as a whole: what was read of it, and what leads it."""

from __future__ import annotations

import msgspec

from thetawarden.domain.context.beta import Beta
from thetawarden.domain.context.figures import Figures, Likenesses
from thetawarden.domain.context.leads import Changes, LeadStrength
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.regime.assess import RegimeInputs
from thetawarden.messages.base import Event


class HoldingsNamed(Event, frozen=True, kw_only=True):
    """These underlyings are held now, and no others."""

    underlyings: tuple[str, ...]


class ContextTaken(Event, frozen=True, kw_only=True):
    """Everything the regime looks at, as it stood."""

    inputs: RegimeInputs
    trading: bool


class FiguresComputed(Event, frozen=True, kw_only=True):
    """The daily figures of an instrument, after a session was added to its history."""

    symbol: str
    figures: Figures


class BetasMeasured(Event, frozen=True, kw_only=True):
    """How every instrument with a long enough history follows the benchmark; replaces the last."""

    betas: tuple[Beta, ...]


class LikenessesComputed(Event, frozen=True, kw_only=True):
    """How alike the held underlyings move."""

    likenesses: Likenesses


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """One future ahead of its follower."""

    future: str
    contract: str
    follower: str
    at_ns: UnixNs
    follower_price: float | None
    changes: Changes
    strength: LeadStrength


class LeadsViewed(Event, frozen=True, kw_only=True):
    """The index futures and what they say of the shares that follow; empty sides are unknown."""

    leads: tuple[Lead, ...]
