"""Chains of options: what they look like, who cares for which of them, and how watching goes."""

from __future__ import annotations

from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.broker.lines import LinePriority
from thetawarden.domain.chains.condition import Condition
from thetawarden.domain.chains.view import ChainView
from thetawarden.messages.base import Event


class ChainViewed(Event, frozen=True, kw_only=True):
    """What a chain looks like now; takes the place of every earlier view of it."""

    underlying: str
    view: ChainView


class ChainStateChanged(Event, frozen=True, kw_only=True):
    """A watcher sees again, or does not see, and why not."""

    underlying: str
    state: Condition
    why: str


class InterestChanged(Event, frozen=True, kw_only=True):
    """The options of this underlying that matter to somebody now, in the place of those before."""

    underlying: str
    owner: str
    priority: LinePriority
    instruments: tuple[Instrument, ...]
