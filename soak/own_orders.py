"""Orders from approval to end and what their fills have made of the book, off the log alone."""

from __future__ import annotations

import math

import msgspec

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.proposal import Proposal
from thetawarden.domain.orders.stages import ENDS, Stage
from thetawarden.messages.base import Message
from thetawarden.messages.books import FillBooked, PositionExplained
from thetawarden.messages.orders import (
    MarginPreviewed,
    OrderApproved,
    OrderStageChanged,
    SubmitOrder,
)

STANDING = frozenset({OrderRole.TAKE_PROFIT, OrderRole.STOP})
LAPSE_NS = 3_600_000_000_000
"""How long after its approval ran out an order that was never sent still counts."""
Lots = dict[int, float]


class Live(msgspec.Struct, kw_only=True):
    """One approval: what it may fill, what has filled of it by contract, and whether it is over."""

    key: str
    proposal: Proposal
    units: int
    reducing: bool
    margin_usd: float
    expires_ns: int
    ref: str = ""
    over: bool = False
    units_told: int = 0
    filled: Lots = msgspec.field(default_factory=dict)

    @property
    def units_whole(self) -> int:
        """Units of which every leg stands in the book."""
        return min(
            math.floor(abs(self.filled.get(leg.instrument.conid, 0.0)) / abs(leg.ratio) + 1e-9)
            for leg in self.proposal.legs
        )

    @property
    def units_left(self) -> int:
        """Units that may be held and are not whole in the book."""
        may = 0 if self.over else self.units
        return max(may, self.units_told) - self.units_whole

    @property
    def pieces(self) -> Lots:
        """Legs that have filled ahead of their unit: they count with it, not in the book."""
        whole = self.units_whole
        return {
            leg.instrument.conid: rest
            for leg in self.proposal.legs
            if (rest := self.filled.get(leg.instrument.conid, 0.0) - whole * leg.ratio)
        }


class Trade(msgspec.Struct, kw_only=True):
    """What a trade holds, by contract, and the margin its entries were given."""

    lots: Lots = msgspec.field(default_factory=dict)
    margin_usd: float = 0.0
    auto: bool = False

    @property
    def size(self) -> float:
        """Contracts of any kind and sign."""
        return math.fsum(map(abs, self.lots.values()))


class OwnOrders:
    """Every approval, every trade, by their names."""

    def __init__(self) -> None:
        self.approved: dict[str, Live] = {}
        self.trades: dict[str, Trade] = {}
        self.known: dict[int, Instrument] = {}
        self.previews: dict[str, float] = {}
        self._of_ref: dict[str, tuple[str, str]] = {}
        self._fills: dict[str, float] = {}

    def hear(self, body: Message) -> str:
        """Take in a message; return what kind of thing it has moved."""
        match body:
            case MarginPreviewed(key=key, answer=answer):
                if answer is not None:
                    change = max(answer.initial_change_usd, answer.maintenance_change_usd, 0.0)
                    self.previews[key] = change / answer.units
                return ""
            case OrderApproved():
                self._approve(body)
                return "exit" if body.approval.reducing else "entry"
            case SubmitOrder(intent=intent, exits=exits, gate=gate):
                self._of_ref[intent.order_ref] = (intent.trade, gate.approval_key)
                for one in exits:
                    self._of_ref[one.order_ref] = (one.trade, "")
                return ""
            case OrderStageChanged():
                return self._stage(body)
            case FillBooked():
                return self._fill(body)
            case PositionExplained():
                return self._explained(body)
            case _:
                return ""

    def live(self, now_ns: UnixNs) -> tuple[Live, ...]:
        """Every approval that may yet bring something; what was never sent in time lapses."""
        for key, one in list(self.approved.items()):
            lapsed = not one.ref and now_ns > one.expires_ns + LAPSE_NS
            if lapsed or (one.over and one.units_left <= 0):
                del self.approved[key]
        return tuple(one for one in self.approved.values() if one.units_left > 0)

    def held(self) -> dict[str, Lots]:
        """What is in the book, by trade; legs ahead of their unit are left with their order."""
        found = {name: dict(one.lots) for name, one in self.trades.items()}
        for live in self.approved.values():
            lots = found.get(live.proposal.trade, {})
            for conid, rest in live.pieces.items():
                lots[conid] = lots.get(conid, 0.0) - rest
        return {
            name: kept
            for name, lots in found.items()
            if (kept := {conid: n for conid, n in lots.items() if abs(n) > 1e-9})
        }

    def counts(self) -> Lots:
        """What is held of each contract."""
        total: Lots = {}
        for trade in self.trades.values():
            for conid, n in trade.lots.items():
                total[conid] = total.get(conid, 0.0) + n
        return {conid: n for conid, n in total.items() if abs(n) > 1e-9}

    def _approve(self, body: OrderApproved) -> None:
        proposal, approval = body.proposal, body.approval
        for leg in proposal.legs:
            self.known[leg.instrument.conid] = leg.instrument
        margin = 0.0 if approval.reducing else self.previews.get(proposal.key, math.nan)
        self.approved[approval.key] = Live(
            key=approval.key,
            proposal=proposal,
            units=approval.units,
            reducing=approval.reducing,
            margin_usd=margin,
            expires_ns=approval.expires_ns,
        )

    def _stage(self, body: OrderStageChanged) -> str:
        self._of_ref.setdefault(body.order_ref, (body.trade, body.approval_key))
        live = self.approved.get(body.approval_key)
        if live is None:
            return ""
        if body.role in STANDING:
            del self.approved[body.approval_key]
            return "exit"
        live.ref, live.over = body.order_ref, body.stage in ENDS
        live.units_told = max(live.units_told, body.units_filled)
        if body.stage is Stage.WITHHELD:
            live.units_told = live.units_whole
        return "order"

    def _fill(self, body: FillBooked) -> str:
        one = body.execution
        if one.instrument.kind is InstrumentKind.COMBO:
            return ""
        before = self._fills.get(body.fill, 0.0)
        change = float(body.quantity) - before
        self._fills[body.fill] = float(body.quantity)
        if not change:
            return ""
        conid = one.instrument.conid
        self.known[conid] = one.instrument
        trade, key = self._of_ref.get(one.order_ref, (one.order_ref or str(conid), ""))
        live = self.approved.get(key)
        margin, auto = 0.0, False
        if live is not None:
            live.filled[conid] = live.filled.get(conid, 0.0) + change
            if not live.reducing:
                legs = sum(abs(leg.ratio) for leg in live.proposal.legs)
                margin, auto = live.margin_usd * abs(change) / legs, live.proposal.auto_selected
        self._hold(trade, conid, change, margin_usd=margin, auto=auto)
        return "fill"

    def _hold(self, name: str, conid: int, change: float, *, margin_usd: float, auto: bool) -> None:
        trade = self.trades.setdefault(name, Trade())
        before = trade.size
        trade.lots[conid] = trade.lots.get(conid, 0.0) + change
        if abs(trade.lots[conid]) < 1e-9:
            del trade.lots[conid]
        trade.auto = trade.auto or auto
        if trade.size >= before:
            trade.margin_usd += margin_usd
        else:
            trade.margin_usd *= trade.size / before
        if not trade.lots:
            del self.trades[name]

    def _explained(self, body: PositionExplained) -> str:
        """What expired or was delivered, not told as a fill: the oldest trades give first."""
        change = float(body.after - body.before)
        if body.fill or not body.conid or not change:
            return ""
        if body.instrument is not None:
            self.known[body.conid] = body.instrument
        for name, trade in list(self.trades.items()):
            held = trade.lots.get(body.conid, 0.0)
            if held * change < 0.0:
                taken = math.copysign(min(abs(held), abs(change)), change)
                self._hold(name, body.conid, taken, margin_usd=0.0, auto=False)
                change -= taken
        if abs(change) > 1e-9:
            self._hold(body.contract, body.conid, change, margin_usd=0.0, auto=False)
        return "fill"
