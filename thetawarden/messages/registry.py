"""The closed union of all messages, its codec, and the routing table: who receives what.

A role is an actor's name up to the first slash. Besides roles a message may go to `SENDER` (the
actor who asked), `HOST` (the host that runs the asking actor), an `effect:NAME` (the adapter of
that name, and only once the message is durable), or to nobody: then it is there to be read in the
log, which must be said with `RECORD`. A route with a `key` picks the instance of a role: what
says underlying SPX goes to `chain/SPX` alone.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Union

import msgspec
from typing_extensions import override

from thetawarden.messages import (
    books,
    chains,
    context,
    lake,
    lifecycle,
    lines,
    link,
    market,
    operations,
    orders,
    risk,
    steward,
    strategy,
    timers,
    trading,
)
from thetawarden.messages.base import Lane, Message

SENDER = "@sender"
HOST = "@host"
RECORD = "@record"
EFFECT_PREFIX = "effect:"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message goes, in which lane, and which of its fields tell two of them apart.

    With `conflate_by`, a newer message replaces a waiting one that agrees in these fields. What was
    not handled when the process died is delivered by the next one, except market data, and except
    where `after_crash` is false: such messages concern one incarnation or one process only. With
    `key`, of the instances of a role only the one that this field of the message names gets it.
    """

    to: tuple[str, ...]
    lane: Lane
    conflate_by: tuple[str, ...] | None = None
    after_crash: bool = True
    key: str | None = None


_EVERY_ACTOR = (
    *("watchdog", "connection", "keeper", "governor", "executor", "steward"),
    *("slots", "context", "futures", "regime", "universe", "chain"),
    *("strategist", "archivist", "scheduler", "notifier"),
)

ROUTES: Mapping[type[Message], Route] = {
    # lifecycle
    lifecycle.Begin: Route(to=_EVERY_ACTOR, lane=Lane.CONTROL, after_crash=False),
    lifecycle.Quiesce: Route(to=_EVERY_ACTOR, lane=Lane.CONTROL, after_crash=False),
    lifecycle.WatchUnderlyings: Route(
        to=("effect:children",), lane=Lane.CONTROL, after_crash=False
    ),
    lifecycle.ChildrenChanged: Route(to=("slots", "watchdog"), lane=Lane.CONTROL),
    lifecycle.DeskStarted: Route(to=(RECORD,), lane=Lane.CONTROL),
    lifecycle.ActorStarted: Route(to=("watchdog",), lane=Lane.CONTROL),
    lifecycle.ActorEnded: Route(to=("watchdog",), lane=Lane.CONTROL),
    lifecycle.GroupGaveUp: Route(to=("watchdog",), lane=Lane.CONTROL),
    lifecycle.MessageParked: Route(to=("watchdog",), lane=Lane.CONTROL),
    lifecycle.MailboxOverflowed: Route(to=("watchdog",), lane=Lane.CONTROL),
    lifecycle.MessageUnclaimed: Route(to=("watchdog",), lane=Lane.CONTROL),
    lifecycle.EffectFailed: Route(to=("watchdog",), lane=Lane.CONTROL),
    lifecycle.ActorPaused: Route(to=("notifier",), lane=Lane.CONTROL),
    lifecycle.ActorUnpaused: Route(to=("notifier",), lane=Lane.CONTROL),
    # timers
    timers.StartTimer: Route(to=(HOST,), lane=Lane.TIMER),
    timers.CancelTimer: Route(to=(HOST,), lane=Lane.TIMER),
    timers.TimerFired: Route(to=(SENDER,), lane=Lane.TIMER, after_crash=False),
    # trading
    trading.Halt: Route(to=("governor",), lane=Lane.CONTROL),
    trading.AdoptHaltFlag: Route(to=("governor",), lane=Lane.CONTROL),
    trading.Resume: Route(to=("governor",), lane=Lane.CONTROL),
    trading.TradingHalted: Route(
        to=("effect:halt_flag", "effect:broker", "executor", "steward", "strategist", "notifier"),
        lane=Lane.CONTROL,
    ),
    trading.TradingResumed: Route(
        to=(
            *("effect:halt_flag", "effect:broker", "executor", "steward", "strategist"),
            *("notifier", "watchdog"),
        ),
        lane=Lane.CONTROL,
    ),
    trading.ResumeRefused: Route(to=("notifier",), lane=Lane.CONTROL),
    trading.CancelAll: Route(to=("executor",), lane=Lane.CONTROL),
    trading.Flatten: Route(to=("executor",), lane=Lane.CONTROL),
    # orders: one lane with the books, as a fill must not overtake the order it fills. What goes to
    # the broker is not done again by a later process: the executor finds out what became of it
    orders.ProposeOrder: Route(to=("governor",), lane=Lane.ORDERS),
    orders.OrderRefused: Route(to=("executor", "steward", "strategist"), lane=Lane.ORDERS),
    orders.OrderApproved: Route(to=("executor", "steward", "strategist"), lane=Lane.ORDERS),
    orders.PreviewMargin: Route(to=("effect:broker",), lane=Lane.ORDERS, after_crash=False),
    orders.MarginPreviewed: Route(
        to=("governor", "strategist"), lane=Lane.ORDERS, after_crash=False
    ),
    orders.SubmitOrder: Route(to=("effect:broker",), lane=Lane.ORDERS, after_crash=False),
    orders.ModifyOrder: Route(to=("effect:broker",), lane=Lane.ORDERS, after_crash=False),
    orders.CancelOrder: Route(to=("effect:broker",), lane=Lane.ORDERS, after_crash=False),
    orders.OrderSent: Route(to=("executor",), lane=Lane.ORDERS),
    orders.OrderWithheld: Route(to=("executor",), lane=Lane.ORDERS),
    orders.OrderTroubled: Route(to=("executor",), lane=Lane.ORDERS),
    orders.OrderStageChanged: Route(
        to=("governor", "steward", "strategist", "notifier"), lane=Lane.ORDERS
    ),
    orders.OrdersReconciled: Route(to=("governor",), lane=Lane.ORDERS),
    orders.ProtectionChanged: Route(to=(RECORD,), lane=Lane.ORDERS),
    orders.ReviseExits: Route(to=("executor",), lane=Lane.ORDERS),
    # what is held
    steward.PositionDecided: Route(to=(RECORD,), lane=Lane.TIMER),
    steward.TradeChanged: Route(to=("effect:lake",), lane=Lane.TIMER),
    steward.TradeSnapshotTaken: Route(to=("effect:lake",), lane=Lane.TIMER),
    steward.ProfitAttributed: Route(to=(RECORD,), lane=Lane.TIMER),
    steward.PredictionJudged: Route(to=("effect:lake",), lane=Lane.TIMER),
    # strategy
    strategy.CandidatesViewed: Route(to=(RECORD,), lane=Lane.TIMER),
    strategy.BuildLineup: Route(to=("strategist",), lane=Lane.TIMER),
    strategy.LineupBuilt: Route(to=(RECORD,), lane=Lane.TIMER),
    strategy.ApproveLineup: Route(to=("strategist",), lane=Lane.TIMER),
    strategy.LineupApproved: Route(to=(RECORD,), lane=Lane.TIMER),
    strategy.LineupRefused: Route(to=(RECORD,), lane=Lane.TIMER),
    strategy.LineupChanged: Route(to=(RECORD,), lane=Lane.TIMER),
    strategy.EntrySnapshotTaken: Route(to=("effect:lake",), lane=Lane.TIMER),
    strategy.PredictionMade: Route(to=("steward", "effect:lake"), lane=Lane.TIMER),
    # risk
    risk.RiskDemanded: Route(to=("executor", "steward"), lane=Lane.CONTROL),
    risk.RiskTaken: Route(to=("steward", "strategist", "notifier"), lane=Lane.TIMER),
    risk.TakeStress: Route(to=("governor",), lane=Lane.TIMER),
    risk.ComputeStress: Route(to=("effect:stress",), lane=Lane.TIMER),
    risk.StressTaken: Route(to=("governor", "effect:lake"), lane=Lane.TIMER),
    risk.BeCautious: Route(to=("governor",), lane=Lane.CONTROL),
    risk.LiftCaution: Route(to=("governor",), lane=Lane.CONTROL),
    risk.FreezeExits: Route(to=("governor", "effect:broker"), lane=Lane.CONTROL),
    risk.UnlockStrategy: Route(to=("governor",), lane=Lane.CONTROL),
    risk.ReviewDrawdown: Route(to=("governor",), lane=Lane.CONTROL),
    risk.LimitsStated: Route(to=("governor",), lane=Lane.CONTROL),
    risk.AcceptLimits: Route(to=("governor",), lane=Lane.CONTROL),
    risk.OverrideReadiness: Route(to=("governor",), lane=Lane.CONTROL),
    # link
    link.OpenLink: Route(to=("effect:broker",), lane=Lane.CONTROL, after_crash=False),
    link.CloseLink: Route(to=("effect:broker",), lane=Lane.CONTROL, after_crash=False),
    link.ProbeLink: Route(to=("effect:broker",), lane=Lane.CONTROL, after_crash=False),
    link.FetchBook: Route(to=("effect:broker",), lane=Lane.ORDERS, after_crash=False),
    link.LinkOpened: Route(to=("connection",), lane=Lane.CONTROL, after_crash=False),
    link.LinkLost: Route(to=("connection",), lane=Lane.CONTROL, after_crash=False),
    link.LinkProbed: Route(to=("connection", "watchdog"), lane=Lane.CONTROL, after_crash=False),
    link.BrokerNoticed: Route(to=("connection",), lane=Lane.CONTROL),
    link.DecodingFailed: Route(to=("connection", "watchdog"), lane=Lane.CONTROL),
    link.LinkChanged: Route(
        to=(
            *("keeper", "slots", "chain", "context", "futures"),
            *("governor", "executor", "strategist", "watchdog"),
        ),
        lane=Lane.CONTROL,
    ),
    # books: one lane for all, as a fill and the position it makes must not overtake each other
    books.BookFetched: Route(to=("keeper", "connection", "governor", "executor"), lane=Lane.ORDERS),
    books.OrderReported: Route(to=("keeper", "governor", "executor"), lane=Lane.ORDERS),
    books.ExecutionReported: Route(to=("keeper", "executor"), lane=Lane.ORDERS),
    books.CommissionReported: Route(to=("keeper",), lane=Lane.ORDERS),
    books.PositionReported: Route(to=("keeper",), lane=Lane.ORDERS),
    books.AccountReported: Route(to=("keeper", "governor", "effect:lake"), lane=Lane.ORDERS),
    books.RefreshBook: Route(to=("connection",), lane=Lane.ORDERS),
    books.BookJudged: Route(to=("connection", "governor", "executor"), lane=Lane.ORDERS),
    books.PositionExplained: Route(
        to=("executor", "governor", "steward", "notifier", "effect:lake"), lane=Lane.ORDERS
    ),
    books.AcceptBook: Route(to=("keeper",), lane=Lane.ORDERS),
    books.FillBooked: Route(to=("governor", "steward", "effect:lake"), lane=Lane.ORDERS),
    books.PositionsValued: Route(
        to=("governor", "executor", "steward", "strategist", "watchdog", "effect:lake"),
        lane=Lane.ORDERS,
    ),
    books.MarkObserved: Route(to=("keeper",), lane=Lane.MARKET, conflate_by=("conid",)),
    # market
    market.WantLines: Route(to=("slots",), lane=Lane.TIMER),
    market.SubscribeLine: Route(to=("effect:broker",), lane=Lane.TIMER, after_crash=False),
    market.UnsubscribeLine: Route(to=("effect:broker",), lane=Lane.TIMER, after_crash=False),
    lines.RedirectLine: Route(to=("effect:broker",), lane=Lane.TIMER, after_crash=False),
    lines.LinesReleased: Route(to=("slots",), lane=Lane.TIMER),
    market.SnapshotLines: Route(to=("effect:broker",), lane=Lane.TIMER, after_crash=False),
    market.LineRefused: Route(to=("slots",), lane=Lane.TIMER),
    market.SnapshotsTaken: Route(to=("slots",), lane=Lane.TIMER, after_crash=False),
    market.LinesShared: Route(to=(RECORD,), lane=Lane.TIMER),
    market.QuotesObserved: Route(to=("chain",), lane=Lane.MARKET, key="underlying"),
    market.ContextObserved: Route(to=("context", "futures"), lane=Lane.MARKET),
    market.FindInstrument: Route(to=("effect:broker",), lane=Lane.TIMER, after_crash=False),
    market.InstrumentsFound: Route(to=("context", "futures", "effect:lake"), lane=Lane.TIMER),
    market.DiscoverChain: Route(to=("effect:broker",), lane=Lane.TIMER, after_crash=False),
    market.ChainDiscovered: Route(to=("chain", "effect:lake"), lane=Lane.TIMER, key="underlying"),
    market.QualifySeries: Route(to=("effect:broker",), lane=Lane.TIMER, after_crash=False),
    market.SeriesQualified: Route(to=("chain", "effect:lake"), lane=Lane.TIMER, key="underlying"),
    market.DiscoveryFailed: Route(to=("chain",), lane=Lane.TIMER, key="underlying"),
    market.FetchHistory: Route(to=("effect:broker",), lane=Lane.TIMER, after_crash=False),
    market.HistoryFetched: Route(to=("context", "effect:lake"), lane=Lane.TIMER),
    market.RegimeAssessed: Route(
        to=("governor", "steward", "strategist", "effect:lake"), lane=Lane.TIMER
    ),
    # chains
    chains.ChainViewed: Route(
        to=("keeper", "governor", "executor", "steward", "strategist", "watchdog", "effect:lake"),
        lane=Lane.MARKET,
        conflate_by=("underlying",),
    ),
    chains.ChainStateChanged: Route(to=(RECORD,), lane=Lane.TIMER),
    chains.InterestChanged: Route(
        to=("chain",), lane=Lane.MARKET, key="underlying", conflate_by=("underlying", "owner")
    ),
    # context
    context.HoldingsNamed: Route(to=("context", "universe"), lane=Lane.TIMER),
    context.ContextTaken: Route(
        to=("regime", "governor", "steward", "strategist", "watchdog"), lane=Lane.TIMER
    ),
    context.FiguresComputed: Route(to=("steward", "strategist"), lane=Lane.TIMER),
    context.BetasMeasured: Route(to=("governor",), lane=Lane.TIMER),
    context.LikenessesComputed: Route(to=(RECORD,), lane=Lane.TIMER),
    context.LeadsViewed: Route(to=("effect:lake",), lane=Lane.TIMER),
    # lake
    lake.FlushLake: Route(to=("effect:lake",), lane=Lane.TIMER, after_crash=False),
    lake.MaintainLake: Route(to=("effect:lake",), lane=Lane.TIMER, after_crash=False),
    lake.RebuildTable: Route(to=("effect:lake",), lane=Lane.TIMER, after_crash=False),
    lake.LakeCommitted: Route(to=("archivist",), lane=Lane.TIMER, after_crash=False),
    lake.LakeUnavailable: Route(to=("archivist", "watchdog"), lane=Lane.TIMER, after_crash=False),
    lake.LakeFellBehind: Route(to=("archivist", "watchdog"), lane=Lane.TIMER, after_crash=False),
    lake.LakeSkipped: Route(to=("archivist",), lane=Lane.TIMER, after_crash=False),
    lake.LakeRebuilt: Route(to=("archivist",), lane=Lane.TIMER, after_crash=False),
    lake.LakeMaintained: Route(to=("archivist",), lane=Lane.TIMER, after_crash=False),
    # operations
    operations.VitalsTaken: Route(to=("watchdog",), lane=Lane.MARKET, conflate_by=()),
    operations.HealthChanged: Route(to=(RECORD,), lane=Lane.CONTROL),
    operations.TradingDayStarted: Route(to=("effect:log_rotation", "archivist"), lane=Lane.TIMER),
    operations.NotifyPerson: Route(to=("notifier", "effect:lake"), lane=Lane.TIMER),
    operations.DeliverAlert: Route(to=("effect:alerts",), lane=Lane.TIMER),
    operations.AlertDelivered: Route(to=("notifier",), lane=Lane.TIMER),
    operations.AlertFailed: Route(to=("notifier", "watchdog"), lane=Lane.TIMER),
    operations.DayEventCame: Route(to=(RECORD,), lane=Lane.TIMER),
}

KINDS: Mapping[str, type[Message]] = {kind.__name__: kind for kind in ROUTES}

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Union[tuple(ROUTES)])  # noqa: UP007  # built at run time from the table

encode = _encoder.encode
decode = _decoder.decode


def role_of(actor: str) -> str:
    """The role an actor plays: `chain` for `chain/SPX`."""
    return actor.partition("/")[0]


def instance_of(actor: str) -> str:
    """Which instance of its role an actor is: `SPX` for `chain/SPX`, nothing for `keeper`."""
    return actor.partition("/")[2]


def is_meant(actor: str, body: Message, route: Route) -> bool:
    """Whether a message that goes to an actor's role is for this instance of it."""
    instance = instance_of(actor)
    return route.key is None or not instance or getattr(body, route.key) == instance


class Refused(enum.StrEnum):
    """Why a vocabulary does not fit the routing table."""

    NOBODY_PLAYS = "nobody_plays"
    NOT_HANDLED = "not_handled"
    NO_ROUTE = "no_route"
    NO_ADAPTER = "no_adapter"


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """What one actor, or something outside the actors, hears and says."""

    name: str
    hears: frozenset[type[Message]]
    says: frozenset[type[Message]]


class Misfit(msgspec.Struct, frozen=True, kw_only=True):
    """One message with nowhere to go, or one actor that would not understand."""

    why: Refused
    kind: str
    speaker: str
    listener: str

    @override
    def __str__(self) -> str:
        """One line for people."""
        return _WORDS[self.why].format(self)


_WORDS = {
    Refused.NOBODY_PLAYS: "{0.speaker} says {0.kind} to {0.listener}, which nobody plays",
    Refused.NOT_HANDLED: "{0.speaker} says {0.kind} to {0.listener}, which does not handle it",
    Refused.NO_ROUTE: "{0.speaker} says {0.kind}, which has no route",
    Refused.NO_ADAPTER: "{0.speaker} says {0.kind} to {0.listener}, and no such adapter is there",
}


def check_vocabularies(
    vocabularies: Iterable[Vocabulary],
    *,
    adapters: Iterable[str],
    routes: Mapping[type[Message], Route] = ROUTES,
) -> tuple[Misfit, ...]:
    """Everything that could be said and would not be understood; empty when all fits."""
    speakers = tuple(vocabularies)
    hears_by_role = {role_of(speaker.name): speaker.hears for speaker in speakers}
    known_adapters = {EFFECT_PREFIX + name for name in adapters}
    misfits = []
    for speaker in speakers:
        for kind in sorted(speaker.says, key=lambda each: each.__name__):
            route = routes.get(kind)
            listeners = (RECORD,) if route is None else route.to
            for listener in listeners:
                why = _misfit(listener, kind, route, speaker, hears_by_role, known_adapters)
                if why is not None:
                    misfits.append(
                        Misfit(why=why, kind=kind.__name__, speaker=speaker.name, listener=listener)
                    )
    return tuple(misfits)


def _misfit(  # noqa: PLR0917
    listener: str,
    kind: type[Message],
    route: Route | None,
    speaker: Vocabulary,
    hears_by_role: Mapping[str, frozenset[type[Message]]],
    known_adapters: set[str],
) -> Refused | None:
    if route is None:
        return Refused.NO_ROUTE
    if listener == RECORD:
        return None
    if listener == HOST:
        return None if timers.TimerFired in speaker.hears else Refused.NOT_HANDLED
    if listener == SENDER:
        return None if kind in speaker.hears else Refused.NOT_HANDLED
    if listener.startswith(EFFECT_PREFIX):
        return None if listener in known_adapters else Refused.NO_ADAPTER
    if listener not in hears_by_role:
        return Refused.NOBODY_PLAYS
    return None if kind in hears_by_role[listener] else Refused.NOT_HANDLED
