"""ib_async with its traps closed: the client every link uses.

Each override names what the library would do. What it observes goes to `Ears`, in the order of
the wire; nothing here judges it. `docs/link.md` maps each trap to its guard and its test.
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Callable
from typing import Any, Protocol

from ib_async import (
    IB,
    CommissionReport,
    Contract,
    Execution,
    Order,
    OrderState,
    Position,
    TagValue,
    Ticker,
    Trade,
)
from ib_async.client import Client
from ib_async.util import UNSET_DOUBLE
from ib_async.wrapper import RequestError, Wrapper
from typing_extensions import override

from thetawarden.infra.ib.frames import FrameGate, GarbageError, pieces
from thetawarden.infra.ib.murmur import Failures, Murmur

VALIDATION_FAILED = 321
"""ib_async takes it for a warning and lets the request wait for ever."""
WORDS_MAX = 200
LEAVE_S = 1.0
STREAM = "mktData"
COMPLETED_ORDERS, CURRENT_TIME = "completedOrders", "currentTime"


class AlreadyAskedError(Exception):
    """A question without a number is still open; a second one would steal its answer."""


class Ears(Protocol):
    """Who hears what the guarded client observes."""

    def heard_bytes(self) -> None:
        """Something arrived."""

    def heard_garbage(self, words: str) -> None:
        """What arrived is no message stream."""

    def heard_nonsense(self, words: str) -> None:
        """One message could not be decoded; something may be missing."""

    def heard_error(self, req_id: int, code: int, words: str) -> None:
        """The broker said this about a request, an order or (-1) itself."""

    def heard_order(self, trade: Trade) -> None:
        """The broker said this of an order, not the library's guess."""

    def heard_stray_order(self, perm_id: int, status: str) -> None:
        """The broker spoke of an order nobody here knows."""

    def heard_execution(self, contract: Contract, execution: Execution) -> None:
        """A fill, live and unasked."""

    def heard_commission(self, report: CommissionReport) -> None:
        """What a fill cost, of whichever session."""

    def heard_position(self, position: Position) -> None:
        """A holding changed, or was listed because somebody asked."""

    def sent_message(self) -> None:
        """A message left."""


class GuardedWrapper(Wrapper):
    """Believes about orders only what the wire says of orders."""

    def __init__(self, ib: IB, ears: Ears) -> None:
        self.ears = ears
        super().__init__(ib)

    @override
    def startReq(self, key: Any, contract: Any = None, container: Any = None) -> Any:
        """Refuse a second question of a kind that has no number while one is open.

        The library would overwrite the first one's future, which then never completes. One that
        nobody waits for any more still blocks its kind, as its late answer could be taken for the
        new one's; of the time of day that does no harm.
        """
        asked = self._futures.get(key) if isinstance(key, str) else None
        if asked is not None and not (key == CURRENT_TIME and asked.done()):
            raise AlreadyAskedError(key)
        return super().startReq(key, contract, container)  # type: ignore[no-untyped-call]

    @override
    def error(
        self, reqId: int, errorCode: int, errorString: str, advancedOrderRejectJson: str
    ) -> None:
        """Keep error codes away from orders: the library would call a live one cancelled.

        And end a request that failed validation, which the library would leave waiting.
        """
        trades = self.trades
        self.trades = {}
        try:
            super().error(reqId, errorCode, errorString, advancedOrderRejectJson)
        finally:
            self.trades = trades
        if errorCode == VALIDATION_FAILED and reqId in self._futures:
            refused = RequestError(reqId, errorCode, errorString)
            self._endReq(reqId, refused, success=False)  # type: ignore[no-untyped-call]
        self.ears.heard_error(reqId, errorCode, errorString)

    @override
    def openOrder(
        self, orderId: int, contract: Contract, order: Order, orderState: OrderState
    ) -> None:
        """Tell of every order, also of those listed because somebody asked.

        With the contract as the broker tells it: the library keeps the one the order was sent
        with, in which only the number may be set.
        """
        super().openOrder(orderId, contract, order, orderState)
        trade = self.trades.get(self.orderKey(order.clientId, order.orderId, order.permId))
        if trade is None or order.whatIf:
            return
        trade.contract = Contract.recreate(contract)
        if orderState.status and not trade.orderStatus.permId:
            trade.orderStatus.status = orderState.status  # until the first orderStatus tells
        self.ears.heard_order(trade)

    @override
    def endTicker(self, ticker: Ticker, tickType: int | str) -> Any:
        """Forget the number as well: late ticks of a line given back must not change anything."""
        req_id = super().endTicker(ticker, tickType)
        self.reqId2Ticker.pop(req_id, None)
        return req_id

    @override
    def orderStatus(  # the library calls it by position
        self,
        orderId: int,
        status: str,
        filled: float,
        remaining: float,
        avgFillPrice: float,
        permId: int,
        parentId: int,
        lastFillPrice: float,
        clientId: int,
        whyHeld: str,
        mktCapPrice: float = 0.0,
    ) -> None:
        """Report an order nobody here knows; the library only writes a log line."""
        trade = self.trades.get(self.orderKey(clientId, orderId, permId))
        if trade is None:
            self.ears.heard_stray_order(permId, status)
            return
        super().orderStatus(
            orderId,
            status,
            filled,
            remaining,
            avgFillPrice,
            permId,
            parentId,
            lastFillPrice,
            clientId,
            whyHeld,
            mktCapPrice,
        )
        self.ears.heard_order(trade)

    @override
    def execDetails(self, reqId: int, contract: Contract, execution: Execution) -> None:
        """Tell of every live fill; those asked for come back as the answer.

        The library has no event for a fill whose order it does not know, nor for a repetition, and
        puts the contract the order was sent with in the place of the one that was told.
        """
        asked = reqId in self._futures
        super().execDetails(reqId, contract, execution)
        if asked:
            answers = self._results[reqId]
            answers[-1] = answers[-1]._replace(contract=Contract.recreate(contract))
        else:
            self.ears.heard_execution(contract, execution)

    @override
    def position(self, account: str, contract: Contract, posSize: float, avgCost: float) -> None:
        """Tell of every holding from within the decoder: what is raised by its event is lost."""
        super().position(account, contract, posSize, avgCost)
        told = Position(account, Contract.recreate(contract), posSize, avgCost)
        self.ears.heard_position(told)

    @override
    def commissionReport(self, commissionReport: CommissionReport) -> None:
        """Tell of every commission; the library drops those of fills it does not know.

        And keep an unknown profit unknown: the library would make it zero.
        """
        if commissionReport.realizedPNL == UNSET_DOUBLE:
            commissionReport.realizedPNL = math.nan
        super().commissionReport(commissionReport)
        self.ears.heard_commission(commissionReport)

    @override
    def completedOrder(self, contract: Contract, order: Order, orderState: OrderState) -> None:
        """Take one that nobody asked for as news of a stray order; the library would raise."""
        if COMPLETED_ORDERS not in self._results:
            self.ears.heard_stray_order(order.permId, orderState.status)
            return
        super().completedOrder(contract, order, orderState)
        done = self._results[COMPLETED_ORDERS][-1]
        done.orderStatus.whyHeld = orderState.completedStatus  # the library forgets it


class GuardedIB(IB):
    """An `IB` over a guarded wrapper, whose garbage collection does nothing to the world."""

    RaiseRequestErrors = True  # an error answer is no empty list

    def __init__(self, ears: Ears, *, monotonic_ns: Callable[[], int]) -> None:
        super().__init__()
        self.wrapper = GuardedWrapper(self, ears)
        self.client = Client(self.wrapper)
        self.client.apiEnd += self.disconnectedEvent
        self.gate = FrameGate()
        self.throttled = self.unplaced = self.placed = 0
        self._dropped = False
        for part in (self, self.client, self.wrapper):
            part._logger = Murmur()  # type: ignore[assignment]  # noqa: SLF001
        self._ears = ears
        self._monotonic_ns = monotonic_ns
        self._guard_socket()
        self._guard_decoder()
        self._count_orders()
        self.client.throttleStart += self._count_throttling

    @override
    def __del__(self) -> None:
        """Nothing: the library would disconnect from whatever thread collects garbage."""

    @override
    def _onError(self, reqId: int, errorCode: int, errorString: str, contract: Any) -> None:
        """Nothing: after 1102 the library would ask for another account summary, for ever."""

    @override
    def reqMktData(
        self,
        contract: Contract,
        genericTickList: str = "",
        snapshot: bool = False,
        regulatorySnapshot: bool = False,
        mktDataOptions: list[TagValue] = [],  # noqa: B006  # the library's own signature, never changed
    ) -> Ticker:
        """Refuse a second stream of one contract: it would use a line that is never given back."""
        ticker = self.wrapper.tickers.get(hash(contract))
        if not snapshot and ticker is not None and ticker in self.wrapper.ticker2ReqId[STREAM]:
            raise AlreadyAskedError(f"a stream of {contract.conId or contract.symbol}")
        return super().reqMktData(
            contract, genericTickList, snapshot, regulatorySnapshot, mktDataOptions
        )

    def is_waiting(self, kind: str) -> bool:
        """Whether somebody still waits for the answer to a question of this kind."""
        asked = self.wrapper._futures.get(kind)  # noqa: SLF001  # no public way to know
        return asked is not None and not asked.done()

    def own_account(self, configured: str) -> str:
        """Return the account that is ours: the configured one, else the first there is."""
        return configured or next(iter(self.client.getAccounts()), "")

    def held_back(self, messages: int) -> str:
        """Return why so many messages would not leave at once, empty when they would.

        The library keeps what goes beyond its own limit, and the socket what the peer does not
        take: an order must not wait there, out of our sight.
        """
        client, transport = self.client, self.client.conn.transport
        if transport is None or transport.get_write_buffer_size():
            return "the broker does not take what was sent before"
        since = asyncio.get_running_loop().time() - client.RequestsInterval
        recent = sum(1 for at in client._timeQ if at >= since)  # noqa: SLF001  # no public way
        if client._msgQ or recent + messages > client.MaxRequests:  # noqa: SLF001
            return f"{recent} messages left within a second, allowed are {client.MaxRequests}"
        return ""

    def drop(self, *, gently: bool = False) -> None:
        """End the link at once; whoever waits for an answer learns that none will come.

        Gently means in good order, so that the gateway gives our client id back sooner; a peer that
        does not take its leave in time is dropped all the same.
        """
        self._dropped = True
        transport = self.client.conn.transport
        self.wrapper.setEventsDone()
        self.wrapper.connectionClosed()
        self.client.connState = Client.DISCONNECTED
        self.client.reset()
        if transport is None:
            return
        if gently:
            transport.close()
            asyncio.get_running_loop().call_later(LEAVE_S, transport.abort)
        else:
            transport.abort()  # closing would first wait for a mute peer to take what is buffered

    def _guard_socket(self) -> None:
        conn = self.client.conn
        pass_on: Callable[[bytes], None] = self.client._onSocketHasData  # noqa: SLF001
        conn.hasData -= pass_on

        def take(data: bytes) -> None:
            self._ears.heard_bytes()
            try:
                whole = self.gate.feed(data, self._monotonic_ns())
            except GarbageError as error:
                self._ears.heard_garbage(str(error))
                return
            try:
                for piece in pieces(whole):
                    if self._dropped:
                        return
                    pass_on(piece)
            except Exception as error:  # noqa: BLE001  # whatever the handshake chokes on
                self._ears.heard_garbage(f"{type(error).__name__}: {error}")

        conn.hasData += take
        send: Callable[[bytes], None] = conn.sendMsg

        def count(message: bytes) -> None:
            send(message)
            self._ears.sent_message()

        conn.sendMsg = count  # type: ignore[method-assign]

    def _guard_decoder(self) -> None:
        """Count what cannot be decoded; the library only logs it and goes on without.

        A kind of message or tick that the library has no place for is counted apart: nothing of
        ours is in it, and a newer gateway may send it all day.
        """
        decoder = self.client.decoder
        handlers = decoder.handlers

        def interpret(fields: list[str]) -> None:
            try:
                handle = handlers.get(int(fields[0]))
                if handle is None:
                    self.unplaced += 1
                    return
                handle(fields)
            except Exception as error:  # noqa: BLE001  # as the library does, but told
                self._heard_failure(f"message {fields[:1]}: {type(error).__name__}: {error}")

        decoder.interpret = interpret  # type: ignore[method-assign]
        decoder.logger = Failures(self._heard_failure)  # type: ignore[assignment]

    def _heard_failure(self, words: str) -> None:
        if isinstance(sys.exc_info()[1], AssertionError):  # how the library says "no such tick"
            self.unplaced += 1
            return
        self._ears.heard_nonsense(words[:WORDS_MAX])

    def _count_orders(self) -> None:
        """Count, behind everybody, every order and change of one that goes to the socket."""
        place: Callable[[int, Contract, Order], None] = self.client.placeOrder

        def counted(orderId: int, contract: Contract, order: Order) -> None:  # noqa: N803  # the library's names
            place(orderId, contract, order)
            self.placed += not order.whatIf

        self.client.placeOrder = counted  # type: ignore[method-assign]

    def _count_throttling(self) -> None:
        self.throttled += 1
