"""A broker adapter that may send orders, on a gateway whose wire is watched; and orders to send."""

import datetime as dt
from decimal import Decimal

import msgspec

from tests.actors.desks import until
from tests.infra.ib.desk import Ear, commanded
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.orders.intent import Gate, Intent, Lifetime, OrderRole, OrderStyle
from thetawarden.domain.orders.proposal import OrderLeg
from thetawarden.infra.halt_flag import HaltFlagFile
from thetawarden.infra.ib.book import BookHandler
from thetawarden.infra.ib.broker import Broker
from thetawarden.infra.ib.orders import OrderHandler
from thetawarden.infra.ib.previews import PreviewHandler
from thetawarden.infra.ib.quotes import LineSettings, QuoteHandler
from thetawarden.infra.ib.session import SessionSettings
from thetawarden.messages.books import BookFetched, OrderReported
from thetawarden.messages.link import CloseLink, FetchBook, LinkLost, LinkOpened, OpenLink
from thetawarden.messages.orders import (
    CancelOrder,
    ModifyOrder,
    OrderSent,
    OrderWithheld,
    SubmitOrder,
)
from thetawarden.practice.model import ContractQuery
from thetawarden.practice.wire.incoming import Incoming

S = 10**9


class MarketTime:
    """The gateway's own time, one market second a second."""

    speed = 1.0

    def __init__(self, gateway):
        from thetawarden.infra.clock import WallClock  # noqa: PLC0415

        self._wall = WallClock()
        start_ns = gateway.do(lambda server: server.gateway.now_ns)
        self._behind_ns = self._wall.monotonic_ns() - start_ns
        self.monotonic_ns = self.elapsed_ns = self._wall.monotonic_ns

    def now_ns(self):
        return UnixNs(self._wall.monotonic_ns() - self._behind_ns)


class OrderLine:
    """Commands go in by `order`, what is said is in `ear`, what left is in `wire`."""

    def __init__(self, gateway, folder, *, client_id=17, preview_timeout_s=10.0, **settings):
        self.gateway, self.ear, self.wire = gateway, Ear(), []
        self.flag = HaltFlagFile(folder / "halt")
        self.clock = clock = MarketTime(gateway)
        self.epoch, self._round = 0, 0
        probe_timeout_s = settings.pop("probe_timeout_s", 20.0)
        gateway.do(lambda server: server.gateway.seams.requests.append(self._watch))

        def handlers(session, desk):
            quotes = QuoteHandler(session, desk, clock=clock, settings=LineSettings())
            self.orders = OrderHandler(
                session,
                desk,
                clock=clock,
                flag=self.flag,
                account="",
                probe_timeout_s=probe_timeout_s,
                not_live=quotes.not_live,
            )
            return (
                self.orders,
                quotes,
                PreviewHandler(session, desk, clock=clock, account="", timeout_s=preview_timeout_s),
                BookHandler(session, desk, clock=clock, account="", timeout_s=20.0),
            )

        self.broker = Broker(
            settings=SessionSettings(
                host="127.0.0.1", port=gateway.port, client_id=client_id, **settings
            ),
            probe_timeout_s=probe_timeout_s,
            clock=clock,
            make_handlers=handlers,
        )
        self.broker.start(self.ear)

    def _watch(self, session, incoming, request):
        del session
        if incoming is Incoming.PLACE_ORDER:
            self.wire.append(request)
        elif incoming is Incoming.CANCEL_ORDER:
            self.wire.append(("cancel", request.order_id))
        return False

    @property
    def placed(self):
        """Real orders and changes of them, in the order they came to the gateway."""
        return [one for one in self.wire if not isinstance(one, tuple) and not one.what_if]

    def order(self, command):
        assert self.broker.perform(commanded(command)) == ()

    def open(self, epoch=1):
        self.epoch = epoch
        self.order(OpenLink(epoch=epoch))
        return self.ear.wait_for(LinkOpened, holds=lambda one: one.epoch == epoch)

    def relink(self):
        self.order(CloseLink(epoch=self.epoch, reason="again"))
        self.ear.wait_for(LinkLost, holds=lambda one: one.epoch == self.epoch)
        return self.open(self.epoch + 1)

    def fetch(self):
        self._round += 1
        number = self._round
        self.order(FetchBook(epoch=self.epoch, round=number))
        return self.ear.wait_for(BookFetched, holds=lambda one: one.round == number)

    def gate(self, **changes):
        now = self.clock.now_ns()
        fields = {
            "approval_key": "a-1",
            "halt_epoch": 0,
            "expires_ns": now + 60 * S,
            "quoted_ns": now,
            "quote_age_ns_max": 5 * S,
        }
        return Gate(**(fields | changes))

    def submit(self, intent, *exits, epoch=None, **gate):
        command = SubmitOrder(
            epoch=self.epoch if epoch is None else epoch,
            intent=intent,
            exits=exits,
            gate=self.gate(**gate),
        )
        self.order(command)
        return command

    def sent(self, intent, *exits, **gate):
        """Submit, and wait until all of it has left and is known to the broker."""
        arrived = len(self.placed) + 1 + len(exits)
        self.submit(intent, *exits, **gate)
        numbers = [self.wait_sent(one.order_ref).order_id for one in (intent, *exits)]
        for one in (intent, *exits):
            self.reported(one.order_ref)
        until(lambda: len(self.placed) >= arrived, "the order's way to the gateway")
        return numbers

    def wait_sent(self, order_ref, number=0):
        return self.ear.wait_for(
            OrderSent, holds=lambda one: (one.order_ref, one.number) == (order_ref, number)
        )

    def modify(self, intent, *, number=1, **gate):
        self.order(
            ModifyOrder(epoch=self.epoch, intent=intent, gate=self.gate(**gate), number=number)
        )

    def cancel(self, order_ref, *, perm_id=0, epoch=None):
        epoch = self.epoch if epoch is None else epoch
        self.order(
            CancelOrder(epoch=epoch, order_ref=order_ref, perm_id=perm_id, reason="as a test wants")
        )

    def withheld(self, order_ref, *, count=1):
        return self.ear.wait_for(
            OrderWithheld, count=count, holds=lambda one: one.order_ref == order_ref
        )

    def reported(self, order_ref, *states):
        """Wait until the broker has told of an order, in one of these states if any are named."""

        def fits(report):
            order = report.order
            return order.order_ref == order_ref and (not states or order.state in states)

        return self.ear.wait_for(OrderReported, holds=fits).order

    def stop(self):
        self.broker.stop()


def halt(epoch=1, *, reason="a test"):
    return HaltRecord(epoch=epoch, reason=reason, by="test", at_ns=UnixNs(1))


def instrument_of(contract):
    """Our name of a contract of the practice market."""
    option = contract.sec_type == "OPT"
    return Instrument(
        conid=contract.con_id,
        kind=InstrumentKind.OPTION if option else InstrumentKind.STOCK,
        symbol=contract.symbol,
        multiplier=100 if option else 1,
        trading_class=contract.trading_class,
        local_symbol=contract.local_symbol,
        expiry=contract.expiry if option else None,
        strike=Decimal(str(contract.strike)) if option else None,
        right=Right(contract.right) if option else None,
    )


def listed(gateway, *, symbol="SPY", right="P", days=10):
    """The options of the first listed day at least so far away, by strike."""

    def find(server):
        market = server.gateway.market
        query = ContractQuery(symbol=symbol, sec_type="OPT", right=right, exchange="SMART")
        today = dt.datetime.fromtimestamp(server.gateway.now_ns / S, dt.UTC).date()
        told = [one.contract for one in market.find(query)]
        expiry = min(one.expiry for one in told if (one.expiry - today).days >= days)
        return [one for one in told if one.expiry == expiry]

    found = sorted(gateway.do(find), key=lambda one: one.strike)
    return [instrument_of(one) for one in found]


def spot_of(gateway, symbol="SPY"):
    def find(server):
        market = server.gateway.market
        (stock, *_) = market.find(ContractQuery(symbol=symbol, sec_type="STK", exchange="SMART"))
        return market.quote(stock.contract.con_id).mark

    return gateway.do(find)


def near(instruments, price):
    return min(instruments, key=lambda one: abs(float(one.strike) - price))


def legs_of(*pairs):
    return tuple(OrderLeg(instrument=one, ratio=ratio) for one, ratio in pairs)


def intent(order_ref, legs, limit, **changes):
    fields = {
        "order_ref": order_ref,
        "trade": "t-1",
        "strategy": "test",
        "role": OrderRole.ENTRY,
        "legs": legs,
        "units": 1,
        "style": OrderStyle.LIMIT,
        "lifetime": Lifetime.DAY,
        "limit_usd": None if limit is None else Decimal(str(limit)),
    }
    return Intent(**(fields | changes))


def exits_of(parent, *, take_profit, stop, group="g-1"):
    """A take profit and a stop that buy back what the parent opens."""
    legs = tuple(msgspec.structs.replace(leg, ratio=-leg.ratio) for leg in parent.legs)
    shared = {
        "units": parent.units,
        "lifetime": Lifetime.GOOD_TILL_CANCELLED,
        "parent_ref": parent.order_ref,
        "oca_group": group,
        "reducing": True,
    }
    profit = intent(
        f"{parent.order_ref}.p", legs, take_profit, role=OrderRole.TAKE_PROFIT, **shared
    )
    loss = intent(
        f"{parent.order_ref}.s",
        legs,
        None,
        role=OrderRole.STOP,
        style=OrderStyle.STOP,
        stop_usd=Decimal(str(stop)),
        **shared,
    )
    return profit, loss
