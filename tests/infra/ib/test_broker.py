"""The adapter on its own thread, with a practice gateway on another: commands in, messages out."""

import asyncio
import time
from decimal import Decimal

import pytest
from ib_async import Contract, LimitOrder

from tests.infra.ib.desk import Ear, Gateway, commanded
from tests.infra.ib.peer import Peer, frame
from tests.practice.fake_market import EXPIRIES, option_con_id
from tests.practice.test_whole_gateway import exchange
from thetawarden.domain.broker.orders import BrokerOrderState, execution_stem
from thetawarden.domain.link.states import LinkTrouble
from thetawarden.infra.clock import WallClock
from thetawarden.infra.ib.book import BookHandler
from thetawarden.infra.ib.broker import Broker
from thetawarden.infra.ib.loop import LoopThread
from thetawarden.infra.ib.pacing import Priority
from thetawarden.infra.ib.session import SessionSettings
from thetawarden.messages.books import (
    AccountReported,
    BookFetched,
    CommissionReported,
    ExecutionReported,
    OrderReported,
    PositionReported,
    RefreshBook,
)
from thetawarden.messages.lifecycle import EffectFailed
from thetawarden.messages.link import (
    BrokerNoticed,
    CloseLink,
    FetchBook,
    LinkLost,
    LinkOpened,
    LinkProbed,
    OpenLink,
    ProbeLink,
)

PUT = option_con_id(expiry=EXPIRIES[0], strike=500.0, right="P")


class Line:
    """A broker adapter with an ear in the place of the desk."""

    def __init__(self, port, *, probe_timeout_s=20.0, book_timeout_s=20.0, **settings):
        self.ear = Ear()
        settings = {"host": "127.0.0.1", "port": port, "client_id": 17} | settings
        self.broker = Broker(
            settings=SessionSettings(**settings),
            probe_timeout_s=probe_timeout_s,
            clock=WallClock(),
            make_handlers=lambda session, desk: (
                BookHandler(session, desk, clock=WallClock(), account="", timeout_s=book_timeout_s),
            ),
        )
        self.broker.start(self.ear)

    def order(self, command):
        assert self.broker.perform(commanded(command)) == ()

    def open(self, epoch):
        self.order(OpenLink(epoch=epoch))
        return self.ear.wait_for(LinkOpened, holds=lambda one: one.epoch == epoch)

    def place(self, order, con_id=PUT):
        """Send an order past the desk, as no executor is here."""

        async def send():
            contract = Contract(conId=con_id, exchange="SMART")
            session = self.broker._session
            await session.send(lambda ib: ib.placeOrder(contract, order), priority=Priority.ORDER)

        self.broker._threads.submit(send()).result(20)

    def fetch(self, epoch, number=1):
        self.order(FetchBook(epoch=epoch, round=number))
        return self.ear.wait_for(BookFetched, holds=lambda one: one.round == number)


@pytest.fixture
def gateway():
    one = Gateway()
    yield one
    one.stop()


@pytest.fixture
def line_to():
    made = []

    def make(port, **settings):
        line = Line(port, **settings)
        made.append(line)
        return line

    yield make
    for line in made:
        line.broker.stop()


@pytest.fixture
def line(gateway, line_to):
    return line_to(gateway.port)


def manual_trade(gateway, quantity):
    gateway.play("manual-trade", con_id=PUT, quantity=quantity)


def test_a_link_is_opened_probed_and_given_up_by_command(line):
    opened = line.open(1)
    line.order(ProbeLink(epoch=1, number=7))
    probed = line.ear.wait_for(LinkProbed)
    line.order(CloseLink(epoch=1, reason="enough"))
    lost = line.ear.wait_for(LinkLost)

    assert opened == LinkOpened(epoch=1, server_version=178, accounts=("DU1234567",))
    assert probed.number == 7
    assert probed.round_trip_ns > 0
    assert lost == LinkLost(epoch=1, trouble=LinkTrouble.CLOSED_BY_US, words="enough")


def test_commands_of_an_older_epoch_change_nothing(line):
    line.open(1)
    line.open(2)

    line.order(CloseLink(epoch=1, reason="too late"))
    line.order(FetchBook(epoch=1, round=1))
    book = line.fetch(2, number=2)

    assert book.epoch == 2
    assert [one.round for one in line.ear.all_of(BookFetched)] == [2]


def test_the_book_is_whole_and_ours(gateway, line):
    line.open(1)
    manual_trade(gateway, 3)

    book = line.fetch(1)

    (position,), (execution,) = book.positions, book.executions
    assert book.missing == ()
    assert (position.instrument.conid, position.quantity) == (PUT, Decimal(3))
    assert (execution.quantity, execution.account) == (Decimal(3), "DU1234567")
    assert [one.execution_id for one in book.commissions] == [execution.execution_id]
    assert book.values.net_liquidation_usd > 0


def test_what_changes_is_told_piece_by_piece(line):
    line.open(1)
    line.fetch(1)

    line.place(LimitOrder("SELL", 2, 0.05, orderRef="ours.1"))

    fill = line.ear.wait_for(ExecutionReported).execution
    cost = line.ear.wait_for(CommissionReported).commission
    held = line.ear.wait_for(PositionReported).position
    order = line.ear.wait_for(OrderReported, holds=_is_filled).order
    values = line.ear.wait_for(AccountReported).values
    assert fill.quantity == held.quantity == order.filled == Decimal(-2)
    assert fill.order_ref == order.order_ref == "ours.1"
    assert fill.perm_id == order.perm_id > 0
    assert cost.execution_id == fill.execution_id
    assert cost.commission_usd > 0
    assert cost.realised_usd is None
    assert fill.instrument == order.instrument == held.instrument
    assert fill.instrument.local_symbol == "SPY   260320P00500000"
    assert values.account == "DU1234567"


def _is_filled(report):
    return report.order.state is BrokerOrderState.FILLED


def test_the_real_exchange_says_what_the_account_is_worth(line_to):
    gateway = Gateway(exchange=exchange())
    line = line_to(gateway.port)
    line.open(1)

    values = line.fetch(1).values

    gateway.stop()
    assert values.ready
    assert values.cash_usd == values.net_liquidation_usd > 0
    assert None not in {
        values.excess_liquidity_usd,
        values.initial_margin_usd,
        values.buying_power_usd,
        values.realised_usd,
    }


def test_fetching_twice_needs_no_new_link_and_says_the_same(gateway, line):
    manual_trade(gateway, 1)
    line.open(1)

    first, second = line.fetch(1, number=1), line.fetch(1, number=2)

    assert second.missing == ()
    assert second.positions == first.positions
    assert second.executions == first.executions
    assert second.commissions == first.commissions != ()


def test_orders_of_other_clients_are_in_the_book_with_their_lasting_number(gateway, line):
    line.open(1)
    gateway.do(lambda server: _place_elsewhere(server.gateway.exchange))

    (order,) = line.fetch(1).orders

    assert order.state is BrokerOrderState.WORKING
    assert order.perm_id > 0
    assert order.client_id == 3
    assert order.quantity == Decimal(-2)
    assert order.limit_usd == Decimal("99.95")
    assert order.stop_usd is None


def _place_elsewhere(exchange):
    from thetawarden.practice import model  # noqa: PLC0415

    exchange.place(
        model.OrderRequest(
            key=model.OrderKey(client_id=3, order_id=9),
            contract=model.ContractQuery(con_id=PUT),
            action=model.Action.SELL,
            quantity=2.0,
            order_type="LMT",
            limit_price=99.95,
            order_ref="elsewhere",
        )
    )


def test_what_the_broker_says_of_itself_is_passed_on(gateway, line):
    line.open(1)

    gateway.play("data-kept")

    codes = [line.ear.wait_for(BrokerNoticed, holds=_is(code)).code for code in (1100, 1102)]
    assert codes == [1100, 1102]


def test_a_fill_between_two_answers_of_a_fetch_makes_it_ask_again(line):
    """Positions of before a fill beside executions of after it would be a difference."""
    line.open(1)
    session = line.broker._session
    ask, asked, answered = session.ask, [], []

    async def executions_wait_for_a_fill(make, **how):
        asked.append(make)
        if len(asked) == 3:
            while not line.ear.all_of(ExecutionReported):  # noqa: ASYNC110  # the ear has no event
                await asyncio.sleep(0.01)
        answer = await ask(make, **how)
        answered.append(answer)
        return answer

    session.ask = executions_wait_for_a_fill
    line.order(FetchBook(epoch=1, round=1))
    while len(answered) < 4:
        time.sleep(0.01)
    line.place(LimitOrder("SELL", 2, 0.05, orderRef="ours.1"))
    book = line.ear.wait_for(BookFetched)

    assert [one.quantity for one in book.executions] == [-2]
    assert [one.quantity for one in book.positions] == [-2]
    assert len(asked) == 10


def _is(code):
    return lambda notice: notice.code == code


def test_a_command_that_breaks_its_handler_is_reported_and_the_next_one_is_carried_out(line):
    line.open(1)
    handler = line.broker._handlers[FetchBook]
    whole, handler._book = handler._book, None
    line.order(FetchBook(epoch=1, round=1))
    failed = line.ear.wait_for(EffectFailed)
    handler._book = whole

    assert (failed.adapter, failed.kind) == ("broker", "FetchBook")
    assert line.fetch(1, number=2).missing == ()


def test_a_desk_that_stops_hears_nothing_more(gateway, line):
    line.open(1)

    line.broker.stop()

    assert line.ear.all_of(LinkLost) == []
    assert gateway.do(lambda server: True)


@pytest.fixture
def scripted():
    """A scripted peer on a loop of its own."""
    loop = LoopThread("peer")
    loop.start()
    peer = Peer()
    loop.submit(peer.start()).result(20)
    yield peer
    loop.submit(peer.stop()).result(20)
    loop.stop()


def test_what_comes_with_the_first_words_is_told_behind_the_link_it_is_about(scripted, line_to):
    broken = "Market data farm connection is broken:usopt"
    scripted.welcome = frame(4, 2, -1, 2103, broken, "") + scripted.welcome
    line = line_to(scripted.port)

    line.open(1)
    line.ear.wait_for(BrokerNoticed)

    told = [one for one in line.ear.said if isinstance(one, LinkOpened | BrokerNoticed)]
    assert told == [
        LinkOpened(epoch=1, server_version=178, accounts=("DU1234567",)),
        BrokerNoticed(epoch=1, code=2103, words=broken),
    ]


def test_x08_what_the_broker_writes_reaches_a_person_as_one_bounded_line(scripted, line_to):
    hostile = "restored\r\n\x1b[31mHALT\u202e" + "x" * 5000
    scripted.welcome += frame(4, 2, -1, 1102, hostile, "")
    line = line_to(scripted.port)

    line.open(1)
    words = line.ear.wait_for(BrokerNoticed).words

    assert words.isprintable()
    assert words.startswith("restored")
    assert len(words) <= 400


def test_a_correction_is_told_and_takes_the_place_of_the_fill_it_corrects(gateway, line):
    line.open(1)
    line.place(LimitOrder("SELL", 2, 0.05, orderRef="ours.1"))
    first = line.ear.wait_for(ExecutionReported).execution
    gateway.play("correction", price=9.99)
    second = line.ear.wait_for(ExecutionReported, count=2).execution

    (kept,) = line.fetch(1).executions

    assert execution_stem(second.execution_id) == execution_stem(first.execution_id)
    assert kept.execution_id == second.execution_id > first.execution_id
    assert kept.price_usd == Decimal("9.99")
    assert kept.quantity == Decimal(-2)


def test_an_order_nobody_here_knows_makes_the_desk_look_at_the_whole_book(scripted, line_to):
    line = line_to(scripted.port)
    line.open(1)

    scripted.writer.write(frame(3, 9, "Submitted", 0, 1, 0, 77, 0, 0, 5, "", 0))

    assert "77" in line.ear.wait_for(RefreshBook).reason
