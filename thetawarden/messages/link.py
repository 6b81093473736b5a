"""The link to the broker: what the connection actor orders and what it is told.

An epoch counts the links of this desk; whatever carries an older one belongs to a link that is
gone.
"""

from __future__ import annotations

from thetawarden.domain.link.notices import Service
from thetawarden.domain.link.states import LinkState, LinkTrouble
from thetawarden.messages.base import Command, Event


class OpenLink(Command, frozen=True, kw_only=True):
    """Connect to the broker as this epoch."""

    epoch: int


class CloseLink(Command, frozen=True, kw_only=True):
    """Give the link of this epoch up."""

    epoch: int
    reason: str


class ProbeLink(Command, frozen=True, kw_only=True):
    """Ask the broker for a sign of life."""

    epoch: int
    number: int


class FetchBook(Command, frozen=True, kw_only=True):
    """Ask for all orders, executions, positions and values; answered by `BookFetched`."""

    epoch: int
    round: int


class LinkOpened(Event, frozen=True, kw_only=True):
    """The broker answered: with which version, for which accounts."""

    epoch: int
    server_version: int
    accounts: tuple[str, ...]


class LinkLost(Event, frozen=True, kw_only=True):
    """There is no link any more, or there never was: `words` is what was found."""

    epoch: int
    trouble: LinkTrouble
    words: str


class LinkProbed(Event, frozen=True, kw_only=True):
    """The broker gave a sign of life.

    `broker_ns` is what its clock told, in whole seconds, and `clock_ns` what ours showed as the
    answer came; both 0 where it was not asked.
    """

    epoch: int
    number: int
    round_trip_ns: int
    broker_ns: int = 0
    clock_ns: int = 0


class BrokerNoticed(Event, frozen=True, kw_only=True):
    """The broker said something about itself; `code` is its number for it."""

    epoch: int
    code: int
    words: str


class DecodingFailed(Event, frozen=True, kw_only=True):
    """Something the broker sent could not be read, so that something may be missing."""

    epoch: int
    words: str


class LinkChanged(Event, frozen=True, kw_only=True):
    """The link is in another state; `entries` tells whether new risk may rest on it.

    `closed` names the services whose data farms do not work.
    """

    epoch: int
    state: LinkState
    entries: bool
    why: str
    closed: tuple[Service, ...] = ()
