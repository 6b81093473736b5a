"""States that a campaign must reach now and then: one that never does tests too little.

What is told again is no news: a fill, its cost or a halt counts once, when it was first heard of,
and how late it came is measured by the clock that nobody sets.
"""

from __future__ import annotations

from thetawarden.domain.broker.orders import Commission, Execution, revision_of
from thetawarden.domain.instants import NS_PER_HOUR, new_york_date
from thetawarden.domain.link.states import LinkTrouble
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import ENDS, Stage
from thetawarden.domain.restart import Ending
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.books import BookFetched, CommissionReported, ExecutionReported
from thetawarden.messages.lifecycle import ActorEnded, GroupGaveUp, MessageParked
from thetawarden.messages.link import BrokerNoticed, LinkLost
from thetawarden.messages.orders import (
    CancelOrder,
    OrderStageChanged,
    OrderTroubled,
    OrderWithheld,
    ProtectionChanged,
)
from thetawarden.messages.trading import TradingHalted
from thetawarden.practice.model import OrderRequest
from thetawarden.sim.disk import Entry
from thetawarden.sim.meddling import Point
from thetawarden.sim.world import World

RESUBSCRIBE, REJECTED = 1101, 201
OF_MARGIN = "INITIAL MARGIN"
STATES = {
    "entry_filled": "an entry filled",
    "exit_filled": "an exit filled",
    "partial_then_disconnect": "the link was lost while an order was partly filled",
    "fill_after_cancel": "an order filled after its cancel had been asked for",
    "crash_before_sent": "a process died between a durable intent and its bytes",
    "crash_after_sent": "a process died between the bytes and the broker's word",
    "unknown_order": "an order's fate was unknown",
    "unknown_settled": "an unknown order's fate was found out",
    "proved_absent": "an order was proved never to have arrived",
    "halt_with_entry_in_flight": "trading halted while an entry was on its way",
    "resubscribe": "the broker came back without our subscriptions",
    "gave_up": "a group used up its restarts",
    "parked": "a message that killed twice was put aside",
    "unwritten_lost": "a crash lost messages that were not written yet",
    "executor_hung": "the executor hung and was fenced off",
    "client_id_taken": "another client had our number",
    "number_reused": "an order got the number of one that never arrived, after a restart",
    "torn_tail": "a process died within a write, and its successor began with the rest",
    "old_snapshots": "a process could use none of the states that were kept last",
    "disk_full": "the disk was full, and the log lived on its reserve",
    "second_start_refused": "another desk was started on the same store, and refused",
    "corrected": "a fill was corrected",
    "corrected_after_close": "a fill was corrected when its position was closed",
    "late_commission": "a cost came hours after its fill",
    "commission_next_day": "a cost came on another day than its fill",
    "rejected_after_approval": "the broker rejected what the governor had approved",
    "rejected_for_margin": "margin had changed since the governor approved",
    "withheld": "the last gate held an order back",
    "protection_missing": "a trade missed an exit",
    "protection_restored": "a missing exit was put back",
}


class Sometimes:
    """Counts the states one world reaches."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(STATES, 0)
        self._stages: dict[str, OrderStageChanged] = {}
        self._cancelled: set[str] = set()
        self._filled_ns: dict[str, int] = {}
        self._costs: set[str] = set()
        self._halts: set[int] = set()
        self._lacking: set[str] = set()
        self._closed: set[str] = set()
        self._world: World | None = None

    def attend(self, world: World) -> None:
        """Take durations from this world's clock; else from the instants of what is heard."""
        self._world = world

    def hear(self, entry: Entry) -> None:
        """Count what this shows."""
        if isinstance(entry, Envelope):
            for state in self._states(entry):
                self.counts[state] += 1

    def finish(self, world: World) -> None:
        """Count what only the world knows."""
        left = {ticket.order_ref for ticket in world.gateway.sent}
        for point, order_ref in world.meddler.kills:
            if order_ref and point in (Point.AFTER_COMMIT, Point.BEFORE_EFFECT):
                self.counts["crash_before_sent"] += 1
            elif order_ref in left and point is Point.AFTER_EFFECT:
                self.counts["crash_after_sent"] += 1
        self.counts["unwritten_lost"] += world.unwritten > 0
        self.counts["number_reused"] += reused(world.gateway.sent)
        self.counts["torn_tail"] += world.disk.torn_read
        self.counts["old_snapshots"] += world.disk.outdated
        self.counts["disk_full"] += world.space.filled
        self.counts["second_start_refused"] += world.refused_starts

    def _states(self, entry: Envelope[Message]) -> list[str]:
        body = entry.body
        match body:
            case OrderStageChanged():
                return self._staged(body)
            case ExecutionReported(execution=fill):
                return self._filled(fill, self._now_ns(entry))
            case CommissionReported(commission=cost):
                return self._cost(cost, self._now_ns(entry))
            case BookFetched(executions=fills, commissions=costs):
                now_ns = self._now_ns(entry)
                corrected = [one for fill in fills for one in self._filled(fill, now_ns)]
                late = [one for cost in costs for one in self._cost(cost, now_ns)]
                # a list does not say whether a fill came before its cancel
                return [one for one in (*corrected, *late) if one != "fill_after_cancel"]
            case CancelOrder(order_ref=ref):
                self._cancelled.add(ref)
            case LinkLost(trouble=trouble):
                partial = any(one.stage is Stage.PARTIAL for one in self._stages.values())
                taken = trouble is LinkTrouble.CLIENT_ID_TAKEN
                return [
                    *(["partial_then_disconnect"] if partial else []),
                    *(["client_id_taken"] if taken else []),
                ]
            case TradingHalted(halt=halt) if halt.epoch not in self._halts:
                self._halts.add(halt.epoch)
                flying = any(
                    one.role is OrderRole.ENTRY and one.stage not in ENDS
                    for one in self._stages.values()
                )
                return ["halt_with_entry_in_flight"] if flying else []
            case BrokerNoticed(code=code) if code == RESUBSCRIBE:
                return ["resubscribe"]
            case ActorEnded(actor="executor", ending=Ending.HUNG):
                return ["executor_hung"]
            case GroupGaveUp():
                return ["gave_up"]
            case MessageParked():
                return ["parked"]
            case OrderWithheld():
                return ["withheld"]
            case OrderTroubled(code=code, words=words) if code == REJECTED:
                margin = ["rejected_for_margin"] if OF_MARGIN in words else []
                return ["rejected_after_approval", *margin]
            case ProtectionChanged(trade=trade, complete=complete):
                return self._protection(trade, complete=complete)
            case _:
                pass
        return []

    def _now_ns(self, entry: Envelope[Message]) -> int:
        return entry.at_ns if self._world is None else self._world.clock.true_ns()

    def _filled(self, fill: Execution, now_ns: int) -> list[str]:
        """A correction makes no order fill again; a fill told before its cancel came before it."""
        if fill.execution_id in self._filled_ns:
            return []
        self._filled_ns[fill.execution_id] = now_ns
        if revision_of(fill.execution_id) > 1:
            staged = self._stages.get(fill.order_ref)
            closed = staged is not None and staged.trade in self._closed
            return ["corrected", *(["corrected_after_close"] if closed else [])]
        return ["fill_after_cancel"] if fill.order_ref in self._cancelled else []

    def _cost(self, cost: Commission, now_ns: int) -> list[str]:
        if cost.execution_id in self._costs:
            return []
        self._costs.add(cost.execution_id)
        filled_ns = self._filled_ns.get(cost.execution_id, now_ns)
        late = ["late_commission"] if now_ns - filled_ns > NS_PER_HOUR else []
        next_day = new_york_date(now_ns) > new_york_date(filled_ns)
        return [*late, *(["commission_next_day"] if next_day else [])]

    def _staged(self, changed: OrderStageChanged) -> list[str]:
        before = self._stages.get(changed.order_ref)
        self._stages[changed.order_ref] = changed
        if before is not None and before.stage is changed.stage:
            return []
        found = []
        if changed.stage is Stage.FILLED:
            entered = changed.role is OrderRole.ENTRY
            found.append("entry_filled" if entered else "exit_filled")
            (self._closed.discard if entered else self._closed.add)(changed.trade)
        if changed.stage is Stage.UNKNOWN:
            found.append("unknown_order")
        if before is not None and before.stage is Stage.UNKNOWN:
            found.append("unknown_settled")
        if changed.stage is Stage.ABSENT:
            found.append("proved_absent")
        return found

    def _protection(self, trade: str, *, complete: bool) -> list[str]:
        if not complete:
            self._lacking.add(trade)
            return ["protection_missing"]
        if trade in self._lacking:
            self._lacking.discard(trade)
            return ["protection_restored"]
        return []


def reused(sent: list[OrderRequest]) -> int:
    """How many numbers went to more than one order."""
    refs: dict[int, set[str]] = {}
    for ticket in sent:
        refs.setdefault(ticket.key.order_id, set()).add(ticket.order_ref)
    return sum(len(each) > 1 for each in refs.values())
