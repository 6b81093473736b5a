"""What may be asked at the control socket, and what is answered.

Not part of the vocabulary of actors: these are typed once, here, for the server and its clients
alike. Keys are a contract that scripts rely on: they may gain company, they do not change.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Why = Annotated[str, msgspec.Meta(max_length=500)]


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Anything a person asks for."""


class HaltRequest(Request, frozen=True, kw_only=True):
    """Stop taking risk now; `cautious` opens nothing but latches nothing either.

    `exits_too` holds back even what reduces risk, until a person resumes.
    """

    reason: Reason
    cautious: bool = False
    exits_too: bool = False


class ResumeRequest(Request, frozen=True, kw_only=True):
    """Lift the halt of this epoch; without one, of the halt in force as it is shown now.

    Whatever else is named is done first: one's own caution lifted, a drawdown reviewed, a strategy
    unlocked, the readiness score overridden, looser limits accepted by the fingerprint they were
    shown with. Then only that is done while nothing is halted.
    """

    reason: Reason
    epoch: int | None = None
    cautious: bool = False
    review_drawdown: bool = False
    override_readiness: bool = False
    unlock: Annotated[str, msgspec.Meta(max_length=200)] = ""
    limits: Annotated[str, msgspec.Meta(max_length=40)] = ""

    @property
    def asks_more(self) -> bool:
        """Whether anything but a halt is to be lifted."""
        named = (self.cautious, self.review_drawdown, self.override_readiness)
        return any(named) or bool(self.unlock or self.limits)


class StopRequest(Request, frozen=True, kw_only=True):
    """End the desk gracefully."""

    reason: Reason = "asked to stop"


class AcceptBookRequest(Request, frozen=True, kw_only=True):
    """Take the broker's word for everything our book cannot explain."""

    reason: Reason


class ApproveLineupRequest(Request, frozen=True, kw_only=True):
    """Let the line-up of this name be entered."""

    lineup: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class FlattenRequest(Request, frozen=True, kw_only=True):
    """Halt, cancel all and close what the desk holds; everything, or one underlying."""

    reason: Reason
    underlying: str = ""


class HaltView(msgspec.Struct, frozen=True, kw_only=True):
    """A halt as shown to people; `at` is an ISO instant."""

    epoch: int
    reason: str
    by: str
    at: str


class LinkView(msgspec.Struct, frozen=True, kw_only=True):
    """The connection to the broker; `none` when this desk has none."""

    state: str
    epoch: int


class ActorCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many actors are up, on their way, and given up."""

    running: int
    restarting: int
    failed: int


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that will happen; `at` is an ISO instant."""

    name: str
    at: str


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What `thetawarden status` shows; null means not known, never zero.

    `condition` is healthy, erring (it lives, and something fails) or halted; `erring` are failures
    of late that the desk lives with, `ailments` what is wrong right now.
    """

    mode: str
    trading_state: str
    halt: HaltView | None
    link: LinkView
    reconciled: bool
    market_time: str
    speed: float
    gateway: str | None
    nlv_usd: float | None
    positions: int | None
    working_orders: int | None
    actors: ActorCounts
    next_events: tuple[EventView, ...]
    pid: int
    started_at: str
    ailments: tuple[str, ...]
    entries_frozen: tuple[str, ...] = ()
    condition: str = "healthy"
    erring: tuple[str, ...] = ()


class Lanes(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages wait in each lane."""

    control: int
    orders: int
    timer: int
    market: int


class ActorView(msgspec.Struct, frozen=True, kw_only=True):
    """One actor as `thetawarden inspect` shows it; `group` is restarted by one policy."""

    name: str
    state: str
    incarnation: int
    restarts: int
    lanes: Lanes
    handled: int
    rate_per_s: float
    handler_us_p99: float
    last_handled_at: str | None
    group: str = ""


class Inspection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All actors; of one asked for by name also its whole state."""

    actors: tuple[ActorView, ...]
    actor_state: Any = msgspec.UNSET


class ScenarioView(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario; losses in USD, > 0 lost; null where something cannot be valued."""

    name: str
    loss_usd: float | None
    with_pending_usd: float | None
    percent_of_nlv: float | None


class PositionStressView(msgspec.Struct, frozen=True, kw_only=True):
    """One position or pending order: its loss in each scenario, in their order."""

    name: str
    underlying: str
    losses_usd: tuple[float | None, ...]


class GridView(msgspec.Struct, frozen=True, kw_only=True):
    """What the whole book would make: a row an index return, a column a shock in VIX points."""

    index_returns: tuple[float, ...]
    vix_points: tuple[float, ...]
    profit_usd: tuple[tuple[float, ...], ...]


class StressView(msgspec.Struct, frozen=True, kw_only=True):
    """The book in every scenario, as `thetawarden stress` shows it."""

    run: str
    at: str
    nlv_usd: float | None
    verdict: str
    unknown: tuple[str, ...]
    scenarios: tuple[ScenarioView, ...]
    positions: tuple[PositionStressView, ...]
    grid: GridView | None


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked has been done, or was already so."""

    what: str
    halt: HaltView | None = None


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked was not done; `error` is one line for a person."""

    error: str
