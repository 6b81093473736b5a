"""What could be sold, tonight's line-up, and what was known when something was."""

from __future__ import annotations

from thetawarden.domain.strategy.lineup import Lineup
from thetawarden.domain.strategy.offer import Offer
from thetawarden.domain.strategy.prediction import Prediction
from thetawarden.domain.strategy.snapshot import EntrySnapshot
from thetawarden.messages.base import Command, Event


class CandidatesViewed(Event, frozen=True, kw_only=True):
    """What could be sold on an underlying, for and against; takes the place of what was before."""

    underlying: str
    offer: Offer


class BuildLineup(Command, frozen=True, kw_only=True):
    """Choose what to enter at the next open, within the margin budget, by the broker's previews."""

    by: str


class LineupBuilt(Event, frozen=True, kw_only=True):
    """A line-up is staged; it trades nothing before a person approves it."""

    lineup: Lineup


class ApproveLineup(Command, frozen=True, kw_only=True):
    """Enter what this line-up stages, adapted to the open. A person says it."""

    lineup: str
    by: str


class LineupApproved(Event, frozen=True, kw_only=True):
    """A line-up will be entered, or is being entered, until it expires."""

    lineup: Lineup
    by: str


class LineupRefused(Event, frozen=True, kw_only=True):
    """Nothing came of building or approving a line-up, and why."""

    lineup: str
    words: str
    by: str


class LineupChanged(Event, frozen=True, kw_only=True):
    """Something staged was proposed, adapted or cancelled; the reason stands with each item."""

    lineup: Lineup


class EntrySnapshotTaken(Event, frozen=True, kw_only=True):
    """The world as it was when an entry was approved, and every factor of its size."""

    snapshot: EntrySnapshot


class PredictionMade(Event, frozen=True, kw_only=True):
    """What is expected of an entry, said before anybody can know."""

    prediction: Prediction
