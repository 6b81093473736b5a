"""What the governor remembers, and what it makes of that; decides nothing of its own."""

from __future__ import annotations

import math

import msgspec

from thetawarden.domain.books.working import WorkingOrders
from thetawarden.domain.broker.account import AccountValues
from thetawarden.domain.context.beta import Beta
from thetawarden.domain.governing.market import KeptMarks, Seen, kept_of, market_of
from thetawarden.domain.governing.orders import KnownOrder, MarginAhead, pieces_of
from thetawarden.domain.governing.sights import Sight
from thetawarden.domain.governing.stock import Stock, take_stock
from thetawarden.domain.governing.terms import Terms
from thetawarden.domain.governing.trades import (
    HeldRow,
    Trade,
    auto_select_margin_usd,
    holdings_of,
)
from thetawarden.domain.halt import Latch
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs
from thetawarden.domain.orders.proposal import Proposal
from thetawarden.domain.regime.readings import Reading
from thetawarden.domain.risk.brakes import BrakeName
from thetawarden.domain.risk.candidate import WhatIf
from thetawarden.domain.risk.case import Desk, RegimeSeen
from thetawarden.domain.risk.demands import Demand
from thetawarden.domain.risk.equity import EquityState
from thetawarden.domain.risk.finding import RuleId, Verdict
from thetawarden.domain.risk.flow import LiveOrder, OrderFlow
from thetawarden.domain.risk.holdings import HeldBook, MarketView
from thetawarden.domain.risk.instrument import ConId
from thetawarden.domain.risk.intake import account_of, instrument_of, live_orders_of
from thetawarden.domain.risk.interlock import Connection, Readiness, interlock_gaps
from thetawarden.domain.risk.ledger import Ledger, Reservation, pending_orders
from thetawarden.domain.risk.limits import RiskLimits
from thetawarden.domain.risk.loosening import StatedLimit
from thetawarden.domain.risk.posture import Caution, Posture
from thetawarden.domain.risk.recovery import RecoveryState
from thetawarden.domain.risk.review import Review
from thetawarden.messages.risk import RiskTaken, StressTaken

LINK, BOOK, LIMITS = "link", "book", "limits"
LAPSED_MAX = 32
RECENT_MAX = 10


class GovernorSettings(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The limits, what is known of underlyings, and how often things are done, in market time.

    `connection` is what the desk was told to trade; the account is filled in when it is heard. A
    move of what is held, or of the VIX, that is a jump is not left to the next look.
    """

    limits: RiskLimits
    terms: Terms
    connection: Connection
    look_ns: int = 5 * NS_PER_SECOND
    say_ns: int = 60 * NS_PER_SECOND
    answer_ns: int = 10 * NS_PER_SECOND
    grace_ns: int = 5 * NS_PER_SECOND
    settle_ns: int = 60 * NS_PER_SECOND
    asked_max: int = 50
    keep_ns: int = 30 * 60 * NS_PER_SECOND
    jump_fraction: float = 0.002
    jump_vix_points: float = 1.0
    inline_rows_max: int = 20


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal that waits for the broker's word; `for_book` when for a book, else for margin."""

    proposal: Proposal
    for_book: bool


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One finding, as people are told it; `waived` when it does not bind what reduces risk."""

    rule: RuleId
    check: str
    verdict: Verdict
    words: str
    limit: float | None
    used: float | None
    waived: bool


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one candidate, with every finding; `units` 0 is a refusal."""

    at_ns: UnixNs
    key: str
    strategy: str
    underlying: str
    wanted: int
    units: int
    reducing: bool
    words: str
    binding: tuple[RuleId, ...]
    findings: tuple[Said, ...]


class GovernorState(msgspec.Struct, kw_only=True):
    """The latch, the ledger, the book and the losses, and the latest of all that was seen.

    Nothing is trusted before it was heard of. `market` is what the book was last measured by;
    `tripped` the brakes that have halted already and have not let go since; `limits_kept` what a
    person has acknowledged, `limits_stated` what this process was started with; `agreed_equity`
    what losses were measured from when the books last agreed; `kept` what was last known of the
    options that are held; `ahead` margin that the account's figures may not have yet.
    """

    latch: Latch = Latch()
    frozen: dict[str, str] = msgspec.field(
        default_factory=lambda: {
            LINK: "there is no link to the broker yet",
            BOOK: "the book has not been compared with the broker's yet",
        }
    )
    cautions: tuple[Caution, ...] = ()
    exits_frozen: bool = False
    epoch: int = 0
    index: Reading | None = None
    vix: Reading | None = None
    sights: dict[str, Sight] = {}
    betas: dict[str, Beta] = {}
    regime: RegimeSeen | None = None
    values: AccountValues | None = None
    rows: tuple[HeldRow, ...] = ()
    rows_ns: UnixNs = UnixNs(0)
    agreed_ns: UnixNs = UnixNs(0)
    reconciled: bool = False
    trades: dict[str, Trade] = {}
    orders: dict[str, KnownOrder] = {}
    working: WorkingOrders = WorkingOrders()
    ledger: Ledger = Ledger()
    lapsed: dict[str, Reservation] = {}
    ahead: tuple[MarginAhead, ...] = ()
    flow: OrderFlow = OrderFlow()
    equity: EquityState = EquityState()
    recovery: RecoveryState = RecoveryState()
    readiness: Readiness = Readiness(points=None)
    asked: dict[str, Asked] = {}
    market: MarketView | None = None
    market_ns: UnixNs = UnixNs(0)
    demands: tuple[Demand, ...] = ()
    tripped: tuple[BrakeName, ...] = ()
    taken: RiskTaken | None = None
    stress: StressTaken | None = None
    recent: tuple[Judged, ...] = ()
    limits_kept: tuple[StatedLimit, ...] = ()
    limits_stated: tuple[StatedLimit, ...] = ()
    agreed_equity: EquityState = EquityState()
    kept: dict[ConId, KeptMarks] = {}


def posture_of(state: GovernorState) -> Posture:
    """What the desk may do, and why not more; a frozen link or book counts as a caution."""
    frozen = tuple(Caution(reason=why, by=by, at_ns=UnixNs(0)) for by, why in state.frozen.items())
    return Posture(
        latch=state.latch, cautions=(*state.cautions, *frozen), frozen=state.exits_frozen
    )


def held_book_of(state: GovernorState) -> HeldBook:
    """What is filled, as the account shows it and our trades name it."""
    pieces = pieces_of(state.ledger, state.orders.values())
    agreed = state.reconciled and all(row.agreed for row in state.rows)
    return HeldBook(
        version=f"b{state.agreed_ns}.{state.rows_ns}",
        at_ns=state.agreed_ns,
        reconciled=agreed,
        holdings=holdings_of(state.rows, state.trades, in_pieces=pieces),
    )


def desk_of(state: GovernorState, settings: GovernorSettings) -> Desk:
    """What the desk knows of itself."""
    values = state.values
    account = None
    if values is not None:
        automatic = auto_select_margin_usd(state.trades)
        ahead_usd = math.fsum(one.usd for one in state.ahead)
        account = account_of(values, auto_select_margin_usd=automatic, ahead_usd=ahead_usd)
    connection = msgspec.structs.replace(
        settings.connection, account="" if values is None else values.account
    )
    return Desk(
        account=account,
        regime=state.regime,
        equity=state.equity,
        recovery=state.recovery,
        posture=posture_of(state),
        flow=state.flow,
        live_orders=live_orders(state),
        link_epoch=state.epoch,
        interlock=interlock_gaps(
            connection,
            readiness=state.readiness,
            readiness_min_points=settings.limits.live.readiness_min_points,
        ),
    )


def live_orders(state: GovernorState) -> tuple[LiveOrder, ...]:
    """Every order that may trade: what the broker lists, and what of ours it does not list yet.

    What is only approved cannot meet another order yet, but is about to.
    """
    listed = state.working.orders
    told = live_orders_of(listed.values())
    known, shown = set(), set()
    for order in state.orders.values():
        known.add(order.approval_key)
        if order.order_ref in listed:
            shown.add(order.approval_key)
    unlisted = []
    for key, held in state.ledger.reservations.items():
        if held.is_over or key in shown:
            continue
        single = len(held.legs) == 1 and key in known
        unlisted += [
            LiveOrder(
                con_id=leg.instrument.con_id,
                contracts=leg.ratio * held.units_counted,
                limit_usd=None,
                single=single,
            )
            for leg in held.legs
        ]
    return (*told, *unlisted)


def look_at_market(
    state: GovernorState, settings: GovernorSettings, *, now: UnixNs, proposal: Proposal | None
) -> None:
    """Take the market in as it was last seen; a measured book rests on it until the next look."""
    legs = () if proposal is None else proposal.legs
    also = [instrument_of(leg.instrument) for leg in legs]
    seen = Seen(
        index=state.index,
        vix=state.vix,
        sights=state.sights,
        betas=state.betas,
        rows=state.rows,
        rows_ns=state.rows_ns,
        pending=pending_orders(state.ledger),
        kept={
            con_id: one for con_id, one in state.kept.items() if now - one.at_ns <= settings.keep_ns
        },
    )
    state.market = market_of(
        seen, terms=settings.terms, also=[one for one in also if one is not None]
    )
    state.kept = kept_of(state.market, seen)
    state.market_ns = now


def is_in_sight(state: GovernorState, settings: GovernorSettings, now: UnixNs) -> bool:
    """Whether the last look at the market is fresh and shows everything that is held."""
    market = state.market
    if market is None or now - state.market_ns > settings.look_ns:
        return False
    priced = {one.symbol for one in market.underlyings if one.spot_usd > 0.0}
    return all(
        row.instrument.con_id in market.marks
        if row.instrument.is_option
        else row.instrument.underlying in priced
        for row in state.rows
    )


def has_jumped(state: GovernorState, settings: GovernorSettings) -> bool:
    """Whether what is held was last measured by a market that has moved far since."""
    market = state.market
    if market is None or not (state.rows or state.ledger.reservations):
        return False
    vix = math.nan if state.vix is None else state.vix.value
    if abs(vix - market.vix_points) >= settings.jump_vix_points:
        return True
    seen = {one.symbol: one.spot_usd for one in market.underlyings}
    return any(
        abs(state.sights[symbol].spot_usd / seen[symbol] - 1.0) >= settings.jump_fraction
        for symbol in dict.fromkeys(row.instrument.underlying for row in state.rows)
        if symbol in state.sights and seen.get(symbol, 0.0) > 0.0
    )


def measured(state: GovernorState, settings: GovernorSettings, last: Stock | None) -> Stock | None:
    """The book as it stands now by the market as last looked at; None before the first look."""
    if state.market is None:
        return None
    return take_stock(
        market=state.market,
        held=held_book_of(state),
        pending=pending_orders(state.ledger),
        limits=settings.limits,
        last=last,
    )


def remember(
    state: GovernorState, proposal: Proposal, *, review: Review | None, words: str, now: UnixNs
) -> None:
    """Keep what became of a proposal for people to look at; the log keeps all of them."""
    found = () if review is None else review.findings
    judged = Judged(
        at_ns=now,
        key=proposal.key,
        strategy=proposal.strategy,
        underlying=proposal.underlying,
        wanted=proposal.units,
        units=0 if review is None else review.units,
        reducing=review is not None and review.reduction.proved,
        words=words,
        binding=() if review is None else review.binding,
        findings=tuple(
            Said(
                rule=one.rule,
                check=one.check,
                verdict=one.verdict,
                words=one.words,
                limit=one.limit,
                used=one.used,
                waived=review is not None and not review.applies(one),
            )
            for one in found
        ),
    )
    state.recent = (*state.recent, judged)[-RECENT_MAX:]


def answered(asked: Asked, answer: WhatIf | None, words: str) -> str:
    """Why an answer of the broker is of no use, or nothing."""
    if answer is None:
        return f"the broker gave no margin for it: {words or 'no words'}"
    if answer.units != asked.proposal.units:
        return f"the broker's margin is for {answer.units} units, not {asked.proposal.units}"
    return ""
