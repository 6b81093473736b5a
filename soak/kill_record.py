"""What the message log tells of every order, read from outside while the desk runs or after."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec

from thetawarden.domain.link.states import LinkState
from thetawarden.domain.orders.intent import Intent, OrderRole
from thetawarden.domain.orders.stages import Stage
from thetawarden.errors import ThetawardenError
from thetawarden.infra.journal.follow import Follower
from thetawarden.infra.journal.reader import Wanted
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.books import FillBooked, PositionsValued
from thetawarden.messages.lifecycle import DeskStarted
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.orders import (
    CancelOrder,
    ModifyOrder,
    OrderApproved,
    OrderSent,
    OrdersReconciled,
    OrderStageChanged,
    ProposeOrder,
    SubmitOrder,
)
from thetawarden.messages.trading import TradingHalted, TradingResumed

FLOW = tuple(
    kind.__name__
    for kind in (ProposeOrder, OrderApproved, SubmitOrder, ModifyOrder, CancelOrder, OrderSent)
)
"""What an order in motion is seen by: a kill near one of these may hit it anywhere on its way."""
KEPT = (LinkState.SYNCING, LinkState.READY, LinkState.COMPETING)
"""What was reconciled stays so in these states of one link."""
HEARD = (
    *FLOW,
    *(
        kind.__name__
        for kind in (
            *(OrderStageChanged, OrdersReconciled, FillBooked, PositionsValued),
            *(DeskStarted, LinkChanged, TradingHalted, TradingResumed),
        )
    ),
)


class Record(msgspec.Struct, kw_only=True):
    """All that is known by the log; `linked` and `reconciled` are numbers in it, 0 for not.

    `booked` are fills by execution, `intents` and `stages` orders by reference.
    """

    seq: int = 0
    flow_seq: int = 0
    intents: dict[str, Intent] = {}
    stages: dict[str, OrderStageChanged] = {}
    doubted: set[str] = set()
    booked: dict[str, FillBooked] = {}
    resubmitted: list[str] = []
    halts: list[str] = []
    halted: bool = False
    starts: int = 0
    epoch: int = 0
    linked: int = 0
    reconciled: int = 0
    valued: PositionsValued | None = None

    def hear(self, envelope: Envelope[Message]) -> None:
        """Take in one message of the log."""
        self.seq, body = envelope.seq, envelope.body
        if type(body).__name__ in FLOW:
            self.flow_seq = envelope.seq
        match body:
            case SubmitOrder(intent=intent, exits=exits):
                for one in (intent, *exits):
                    if one.order_ref in self.intents:
                        self.resubmitted.append(one.order_ref)
                    self.intents[one.order_ref] = one
            case OrderStageChanged(order_ref=order_ref, stage=stage):
                self.stages[order_ref] = body
                if stage is Stage.UNKNOWN:
                    self.doubted.add(order_ref)
            case FillBooked(execution=execution):
                self.booked[execution.execution_id] = body
            case PositionsValued():
                self.valued = body
            case DeskStarted():
                self.starts, self.linked, self.reconciled = self.starts + 1, 0, 0
            case LinkChanged(epoch=epoch, state=state):
                self.linked = envelope.seq if state is LinkState.READY else 0
                if epoch != self.epoch or state not in KEPT:
                    self.reconciled = 0
                self.epoch = epoch
            case OrdersReconciled(unknown=unknown):
                self.reconciled = 0 if unknown else envelope.seq
            case TradingHalted(halt=halt):
                if not self.halted:
                    self.halts.append(halt.reason)
                self.halted = True
            case TradingResumed():
                self.halted = False
            case _:
                pass

    @property
    def is_settled(self) -> bool:
        """Whether the link stands, the books agree, and no order of ours is in doubt."""
        in_doubt = any(one.stage is Stage.UNKNOWN for one in self.stages.values())
        return bool(self.linked and self.reconciled) and not in_doubt

    def filled(self, order_ref: str) -> dict[int, Decimal]:
        """What fills of an order are booked, by contract."""
        found: dict[int, Decimal] = {}
        for one in self.booked.values():
            if one.execution.order_ref == order_ref:
                conid = one.execution.instrument.conid
                found[conid] = found.get(conid, Decimal()) + one.execution.quantity
        return found

    def entries_of(self, proposal_key: str) -> list[str]:
        """The references under which an entry was attempted."""
        return [
            ref
            for ref, one in self.stages.items()
            if one.proposal_key == proposal_key and one.role is OrderRole.ENTRY
        ]


class Reader:
    """Keeps a record up to date with the log of one store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._follower = Follower(folder)
        self.record = Record()

    def look(self) -> Record:
        """Read what is new; a log that is just being made or mended is read the next time."""
        wanted = Wanted(kinds=HEARD, after_seq=self.record.seq)
        try:
            for envelope in self._follower.read(wanted).messages:
                self.record.hear(envelope)
        except (ThetawardenError, OSError):
            self.close()
            self._follower = Follower(self._folder)
        return self.record

    def close(self) -> None:
        """Let go of the log's files."""
        self._follower.close()
