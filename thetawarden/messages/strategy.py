"""What could be sold, and what was known when something was."""

from __future__ import annotations

from thetawarden.domain.strategy.offer import Offer
from thetawarden.domain.strategy.prediction import Prediction
from thetawarden.domain.strategy.snapshot import EntrySnapshot
from thetawarden.messages.base import Event


class CandidatesViewed(Event, frozen=True, kw_only=True):
    """What could be sold on an underlying, for and against; takes the place of what was before."""

    underlying: str
    offer: Offer


class EntrySnapshotTaken(Event, frozen=True, kw_only=True):
    """The world as it was when an entry was approved, and every factor of its size."""

    snapshot: EntrySnapshot


class PredictionMade(Event, frozen=True, kw_only=True):
    """What is expected of an entry, said before anybody can know."""

    prediction: Prediction
