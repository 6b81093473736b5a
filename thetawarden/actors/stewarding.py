"""What the steward remembers: trades, what is under way for them, and the world as last told."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from thetawarden.domain.books.rows import PositionRow
from thetawarden.domain.broker.account import AccountValues
from thetawarden.domain.chains.view import ChainRows, ChainView, read_rows, without
from thetawarden.domain.context.figures import Figures
from thetawarden.domain.freshness import session_open_ns
from thetawarden.domain.instants import NS_PER_MINUTE, NS_PER_SECOND, UnixNs
from thetawarden.domain.managing.decision import Action, Decision, Rule
from thetawarden.domain.managing.limits import Ladder, ManagingLimits
from thetawarden.domain.managing.sight import NAN, TradeSight, look_at
from thetawarden.domain.market.sessions import Sessions
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.proposal import Proposal
from thetawarden.domain.orders.stages import ENDS, Stage
from thetawarden.domain.regime.assess import Regime
from thetawarden.domain.regime.derived import DerivedRegime
from thetawarden.domain.regime.term_structure import VolCurve
from thetawarden.domain.risk.demands import Demand
from thetawarden.domain.risk.passing import is_of_the_moment
from thetawarden.domain.risk.review import Review
from thetawarden.domain.risk.usage import LimitUse
from thetawarden.domain.strategy.prediction import Prediction
from thetawarden.domain.trades.attributing import DaySums, TradeMark
from thetawarden.domain.trades.ledger import Ledger, with_trade
from thetawarden.domain.trades.trade import HEDGE, Trade, TradeStage, TradeState
from thetawarden.domain.units import to_float
from thetawarden.messages.orders import OrderStageChanged, ProposeOrder

VIEWS_EVERY_NS = 15 * NS_PER_SECOND
LOST_AFTER_NS = 2 * NS_PER_MINUTE
"""So long after it is void an order nobody spoke of is taken to have come to nothing."""
REARRANGE_TRIES_MAX = 3
TOLD_AGAIN_NS = 30 * NS_PER_MINUTE


class StewardSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The limits, the calendar, and how the desk is to be named in what is written down.

    Views are looked at as they come, no more often than every `view_ns`.
    """

    limits: ManagingLimits
    sessions: Sessions
    view_ns: int = VIEWS_EVERY_NS
    fingerprint: str = ""
    software: str = ""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was asked for and is not known to be over; `seen` once it was intended.

    `again` is one that stands for another, which was refused for its price.
    """

    key: str
    trade: str
    action: Action
    rule: Rule
    expires_ns: UnixNs
    seen: bool = False
    again: bool = False


class Working(msgspec.Struct, frozen=True, kw_only=True):
    """An order of a trade that is not over."""

    trade: str
    role: OrderRole
    stage: Stage


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The latest decision about a trade, and why there was no order where there was none."""

    decision: Decision
    words: str
    at_ns: UnixNs


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """A trade's latest mark, what moved it today and in all, and when it was last written down."""

    mark: TradeMark
    today: DaySums
    ever: DaySums
    written_ns: UnixNs = UnixNs(0)


class StewardState(msgspec.Struct, kw_only=True):
    """Every trade that is not over, and what is known of the world around them.

    `waits` are trades that are let alone until an instant, `refused` what is no more to be tried
    for a trade, as `trade/action`. `told` is when an alarm was last told. `gaps` are differences
    between book and trades that were seen once; `over_ns` is since when a scenario is beyond its
    limit, 0 while none is. Premium and protection are of trades forgotten.
    """

    ledger: Ledger = Ledger()
    pending: dict[str, Pending] = {}
    working: dict[str, Working] = {}
    decisions: dict[str, Standing] = {}
    tallies: dict[str, Tally] = {}
    predictions: dict[str, tuple[Prediction, ...]] = {}
    attempts: dict[str, int] = {}
    waits: dict[str, int] = {}
    refused: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    blind: dict[str, int] = {}
    told: dict[str, int] = {}
    gaps: dict[int, Decimal] = {}
    premium: dict[str, Decimal] = {}
    protection: dict[str, Decimal] = {}
    number: int = 0
    day: str = ""
    spots_usd: dict[str, float] = {}
    looked: dict[str, int] = {}
    views: dict[str, ChainView] = {}
    figures: dict[str, Figures] = {}
    regime: Regime | None = None
    curve: VolCurve | None = None
    correlation: float | None = None
    uses: tuple[LimitUse, ...] = ()
    demands: tuple[Demand, ...] = ()
    rows: tuple[PositionRow, ...] = ()
    values: AccountValues | None = None
    halted: bool = False
    over_ns: UnixNs = UnixNs(0)
    quiet: bool = False


def open_trades(state: StewardState) -> tuple[Trade, ...]:
    """Return every trade that holds something, the oldest first."""
    over = {TradeState.CLOSED, TradeState.ABANDONED}
    return tuple(one for one in state.ledger.trades.values() if one.state not in over and one.held)


def untaken(state: StewardState, rows: ChainRows, *, by: str = "") -> ChainRows:
    """Return what no other trade holds: two on one contract would close each other's."""
    others = (one for one in open_trades(state) if one.name != by)
    return without(rows, {held.instrument.conid for one in others for held in one.held})


def rows_by_underlying(
    state: StewardState, names: Iterable[str] | None = None
) -> dict[str, ChainRows]:
    """Return the rows of every chain that is looked at, or of those named: reading them is dear."""
    wanted = state.views if names is None else dict.fromkeys(names)
    return {name: read_rows(state.views[name]) for name in wanted if name in state.views}


def sight_of(state: StewardState, trade: Trade, rows: dict[str, ChainRows]) -> TradeSight:
    """Return a trade as its chain shows it now."""
    return look_at(trade, state.views.get(trade.underlying), rows.get(trade.underlying))


def derived(state: StewardState) -> DerivedRegime | None:
    """Return the market's state, None while nobody knows it."""
    return None if state.regime is None else state.regime.derived


def vix_points(state: StewardState) -> float:
    """Return the VIX, NaN while nobody knows it."""
    reading = None if state.curve is None else state.curve.vix
    return NAN if reading is None else reading.value


def nlv_usd(state: StewardState) -> float:
    """Return what the account is worth, NaN while nobody knows it."""
    net = None if state.values is None else state.values.net_liquidation_usd
    return NAN if net is None else to_float(net)


def is_open(settings: StewardSettings, now: UnixNs) -> bool:
    """Whether the market is in its regular session: quotes of other hours decide nothing."""
    return session_open_ns(now, settings.sessions) is not None


def ask(state: StewardState, order: Proposal, *, action: Action, rule: Rule) -> ProposeOrder:
    """Ask for an order and remember that it is under way."""
    state.number += 1
    state.pending[order.key] = Pending(
        key=order.key,
        trade=order.trade,
        action=action,
        rule=rule,
        expires_ns=order.expires_ns,
    )
    trade = state.ledger.trades.get(order.trade)
    if trade is not None and action is Action.CLOSE and trade.stage is TradeStage.OPTIONS:
        closing = msgspec.structs.replace(trade, state=TradeState.CLOSING)
        state.ledger = with_trade(state.ledger, closing)
    return ProposeOrder(proposal=order)


def busy_with(state: StewardState, trade: str) -> str:
    """Return what is under way for a trade, or nothing."""
    for one in state.pending.values():
        if one.trade == trade:
            return f"to {one.action.value} it was asked for as {one.key}"
    for ref, order in state.working.items():
        entering = order.role in {OrderRole.ENTRY, OrderRole.EXIT, OrderRole.ROLL, OrderRole.HEDGE}
        if order.trade == trade and entering:
            return f"its order {ref} is {order.stage.value}"
    return ""


def take_profit_ref(state: StewardState, trade: str) -> str:
    """Return the order that takes the profit of a trade, or nothing."""
    refs = (
        ref
        for ref, one in state.working.items()
        if one.trade == trade and one.role is OrderRole.TAKE_PROFIT
    )
    return next(refs, "")


def note_order(state: StewardState, told: OrderStageChanged) -> None:
    """Keep what works, forget what is over."""
    state.working.pop(told.order_ref, None)
    if told.stage not in ENDS:
        state.working[told.order_ref] = Working(trade=told.trade, role=told.role, stage=told.stage)


def forget_lost(state: StewardState, now: int) -> None:
    """Let go of what was asked for, is void, and was never heard of again."""
    for key, one in list(state.pending.items()):
        if not one.seen and now > one.expires_ns + LOST_AFTER_NS:
            del state.pending[key]


def may_try(state: StewardState, trade: str, action: Action) -> bool:
    """Whether an action was not refused for a trade."""
    return f"{trade}/{action}" not in state.refused


def give_up(state: StewardState, trade: str, action: Action) -> None:
    """Do not try an action for a trade again."""
    state.refused = tuple(dict.fromkeys((*state.refused, f"{trade}/{action}")))


def not_now(
    state: StewardState, asked: Pending, review: Review | None, *, ladder: Ladder, now: int
) -> None:
    """Try a refused roll or rearrangement again where only its prices had moved; else never."""
    tries = state.attempts.get(asked.trade, 0) + 1
    if not is_of_the_moment(review) or tries >= REARRANGE_TRIES_MAX:
        give_up(state, asked.trade, asked.action)
        return
    state.attempts[asked.trade] = tries
    state.waits[asked.trade] = now + ladder.again_after_ns


def reopened(state: StewardState, name: str) -> None:
    """A trade whose closing came to nothing is open as before."""
    trade = state.ledger.trades.get(name)
    if trade is not None and trade.state is TradeState.CLOSING:
        open_again = msgspec.structs.replace(trade, state=TradeState.OPEN)
        state.ledger = with_trade(state.ledger, open_again)


def over(
    state: StewardState, asked: Pending, told: OrderStageChanged, *, ladder: Ladder, now: int
) -> None:
    """Take in how an order that was asked for has ended."""
    name = HEDGE if asked.action is Action.HEDGE else asked.trade
    reopened(state, asked.trade)
    if told.units_filled >= told.units:
        state.attempts.pop(asked.trade, None)
        mended = tuple(one for one in state.refused if not one.startswith(f"{asked.trade}/"))
        state.refused = mended
        return
    if asked.action in {Action.ROLL, Action.REBALANCE} and not told.units_filled:
        give_up(state, asked.trade, asked.action)
        return
    state.attempts[asked.trade] = state.attempts.get(asked.trade, 0) + 1
    state.waits[name] = now + ladder.again_after_ns
