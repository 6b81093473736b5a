"""Our book beside the gateway's own, to the cent, whatever happens in the account."""

import asyncio
import contextlib
import datetime as dt
import time
from decimal import Decimal
from zoneinfo import ZoneInfo

import ib_async
import pytest
from ib_async import ComboLeg, Contract, Index, LimitOrder, MarketOrder, Option, Stock

from tests.infra.ib.desk import Gateway
from tests.infra.ib.test_broker import Line
from tests.practice.test_whole_gateway import exchange
from thetawarden.actors.keeper import Keeper
from thetawarden.actors.keeping import KeeperSettings, rows_of
from thetawarden.actors.vocabulary import vocabulary_of
from thetawarden.domain.books.amounts import to_cents
from thetawarden.domain.books.book import cash_usd, holdings, realised_usd
from thetawarden.domain.instants import new_york_date
from thetawarden.domain.link.states import LinkState
from thetawarden.infra.ib.loop import LoopThread
from thetawarden.messages.books import BookJudged, FillBooked, PositionExplained
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.trading import Halt
from thetawarden.practice.account.book import realized_usd

PATIENCE_S = 60.0
CLIENT = 17
NEW_YORK = ZoneInfo("America/New_York")


def instant(*moment):
    return int(dt.datetime(*moment, tzinfo=NEW_YORK).timestamp()) * 10**9


class OtherClient:
    """A plain ib_async client with a loop of its own, trading on the same account."""

    def __init__(self, port, client_id=99):
        self._loop = LoopThread("other")
        self._loop.start()
        self.ib = ib_async.IB()
        self.run(lambda ib: ib.connectAsync("127.0.0.1", port, clientId=client_id, timeout=20))

    def run(self, make):
        async def go():
            return await make(self.ib)

        return self._loop.submit(go()).result(PATIENCE_S)

    def trade(self, contract, order):
        """Place an order and wait until it has filled and its cost is told."""

        async def go():
            trade = self.ib.placeOrder(contract, order)
            while not (trade.isDone() and self._told(trade)):  # noqa: ASYNC110  # no event says all
                await asyncio.sleep(0.01)
            return trade

        return self._loop.submit(go()).result(PATIENCE_S)

    def stop(self):
        async def go():
            self.ib.disconnect()

        self._loop.submit(go()).result(PATIENCE_S)
        self._loop.stop()

    @staticmethod
    def _told(trade):
        legs = [one for one in trade.fills if one.contract.secType != "BAG"]
        return bool(legs) and all(one.commissionReport.execId for one in legs)


class KeptBook:
    """A keeper that hears the broker adapter over a real socket, beside the gateway's own books."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.line = Line(gateway.port)
        self.keeper = Keeper(KeeperSettings(client_id=CLIENT, confirm_ns=1))
        self.said, self._read, self._round, self._epoch = [], 0, 0, 0
        self._hears = tuple(vocabulary_of("keeper", Keeper).hears)
        self.link()

    def link(self):
        self._epoch += 1
        self.line.open(self._epoch)
        self._hear(LinkChanged(epoch=self._epoch, state=LinkState.SYNCING, entries=False, why="t"))

    def compare(self):
        """Fetch once, in order with all that was told before; return the verdict."""
        self._round += 1
        self.line.fetch(self._epoch, number=self._round)
        self.pump()
        return self.all_of(BookJudged)[-1]

    def agree(self):
        """Compare until the books agree, and hold ours against the gateway's own."""
        deadline = time.monotonic() + PATIENCE_S
        verdict = self.compare()
        while not verdict.agreed:
            assert time.monotonic() < deadline, verdict.unexplained
            verdict = self.compare()
        self.check()

    def pump(self):
        heard = self.line.ear.said[self._read :]
        self._read += len(heard)
        for message in heard:
            if isinstance(message, self._hears):
                self._hear(message)

    def check(self):
        theirs = self.book()
        account = theirs.terms.account
        held = {key: one for key, one in holdings(self.state.book).items() if one.quantity}
        told = {f"{account}/{key}": one for key, one in theirs.holdings.items() if one.quantity}
        assert {key: one.quantity for key, one in held.items()} == {
            key: one.quantity for key, one in told.items()
        }
        for key, one in held.items():
            ours, cost = to_cents(one.cost_usd), to_cents(told[key].cost_usd)
            assert ours == cost, f"{key} cost {ours}, the gateway says {cost}"
        assert to_cents(cash_usd(self.state.book, account)) == to_cents(theirs.cash_usd)
        if "opening" not in self.causes() and "correction" not in self.causes():
            realised = sum(realised_usd(self.state.book).values(), Decimal(0))
            assert to_cents(realised) == to_cents(realized_usd(theirs))

    def book(self):
        def find(server):
            (book,) = server.gateway.exchange.floor.state.books.values()
            return book

        return self.gateway.do(find)

    @property
    def state(self):
        return self.keeper.state

    def all_of(self, kind):
        return [one for one in self.said if isinstance(one, kind)]

    def causes(self):
        return [str(one.cause) for one in self.all_of(PositionExplained)]

    def stop(self):
        self.line.broker.stop()

    def _hear(self, message):
        now = self.gateway.do(lambda server: server.gateway.now_ns)
        self.said += self.keeper.receive(message, now)


@pytest.fixture
def account():
    """Start a gateway with our keeper and another client on it."""
    with contextlib.ExitStack() as parts:

        def make(*moment, **settings):
            start_ns = instant(*(moment or (2026, 3, 2, 10, 0)))
            gateway = Gateway(exchange=exchange(start_ns=start_ns), **settings)
            parts.callback(gateway.stop)
            kept = KeptBook(gateway)
            parts.callback(kept.stop)
            kept.other = OtherClient(gateway.port)
            parts.callback(kept.other.stop)
            return kept

        yield make


def found(kept, contract):
    (one,) = kept.other.run(lambda ib: ib.qualifyContractsAsync(contract))
    return one


def spot(kept, contract):
    (ticker,) = kept.other.run(lambda ib: ib.reqTickersAsync(contract))
    return ticker.last


def options(kept, underlying, *, right="P", number=0, trading_class=""):
    """The options of one listed day, by strike."""
    under = found(kept, underlying)
    chains = kept.other.run(
        lambda ib: ib.reqSecDefOptParamsAsync(under.symbol, "", under.secType, under.conId)
    )
    chain = next(
        one for one in chains if one.exchange == "SMART" and trading_class in ("", one.tradingClass)
    )
    expiry = sorted(chain.expirations)[number]
    details = kept.other.run(
        lambda ib: ib.reqContractDetailsAsync(
            Option(under.symbol, expiry, 0.0, right, "SMART", tradingClass=chain.tradingClass)
        )
    )
    return sorted((one.contract for one in details), key=lambda one: one.strike)


def near(contracts, price):
    return min(contracts, key=lambda one: abs(one.strike - price))


def until_market(kept, condition, *, speed=100_000.0):
    kept.gateway.do(lambda server: server.gateway.clock.change_speed(speed))
    deadline = time.monotonic() + PATIENCE_S
    while not kept.gateway.do(condition):
        assert time.monotonic() < deadline, "the market did not get there"
        time.sleep(0.01)
    kept.gateway.do(lambda server: server.gateway.clock.change_speed(1.0))


def until_day(kept, *moment):
    until_market(kept, lambda server: server.gateway.now_ns >= instant(*moment))


SPY, SPX = Stock("SPY", "SMART", "USD"), Index("SPX", "CBOE")


def test_H01_another_clients_trades_are_in_our_book_to_the_cent(account):
    kept = account()
    kept.agree()
    put = near(options(kept, SPY, number=4), spot(kept, found(kept, SPY)) * 0.97)

    kept.other.trade(put, MarketOrder("SELL", 3))
    kept.other.trade(found(kept, SPY), MarketOrder("BUY", 137))
    kept.other.trade(put, MarketOrder("BUY", 1))
    kept.agree()

    assert kept.causes() == ["manual_trade"] * 3
    assert {one.commission_kind for one in kept.all_of(FillBooked)[-3:]} <= {
        "reported",
        "estimated",
    }
    (short,) = [one for one in rows_of(kept.state) if one.instrument.conid == put.conId]
    assert (short.quantity, short.contract) == (-2, " ".join(put.localSymbol.split()))


def test_H01_trades_made_while_we_were_away_are_found_in_the_list(account):
    kept = account()
    kept.agree()
    kept.gateway.do(lambda server: [one.close(abort=True) for one in server.connections()[:1]])

    kept.other.trade(found(kept, SPY), MarketOrder("BUY", 12))
    kept.link()
    kept.agree()

    assert kept.causes() == ["manual_trade"]


def test_a_combination_moves_its_legs(account):
    kept = account()
    kept.agree()
    puts = options(kept, SPY, number=4)
    price = spot(kept, found(kept, SPY))
    short, long = near(puts, price * 0.97), near(puts, price * 0.95)
    legs = [
        ComboLeg(conId=short.conId, ratio=1, action="SELL", exchange="SMART"),
        ComboLeg(conId=long.conId, ratio=1, action="BUY", exchange="SMART"),
    ]
    bag = Contract(symbol="SPY", secType="BAG", currency="USD", exchange="SMART", comboLegs=legs)

    kept.other.trade(bag, MarketOrder("BUY", 2))
    kept.agree()

    quantities = {one.instrument.conid: one.quantity for one in rows_of(kept.state)}
    assert quantities == {short.conId: -2, long.conId: 2}


def test_O19_a_night_of_expiries_is_explained_to_the_cent(account):
    kept = account()
    kept.agree()
    price = spot(kept, found(kept, SPY))
    puts, calls = options(kept, SPY), options(kept, SPY, right="C")
    for contract, order in (
        (near(puts, price * 0.95), MarketOrder("BUY", 2)),
        (near(puts, price * 0.99), MarketOrder("SELL", 2)),
        (near(puts, price * 1.02), MarketOrder("SELL", 1)),
        (near(calls, price * 0.98), MarketOrder("BUY", 1)),
    ):
        kept.other.trade(contract, order)
    kept.agree()

    until_day(kept, 2026, 3, 3, 7, 0)
    kept.agree()

    assert {"assignment", "expiry", "exercise"} <= set(kept.causes())


def test_a_cash_settled_index_option_pays_its_settlement(account):
    kept = account()
    kept.agree()
    price = spot(kept, found(kept, SPX))
    puts = options(kept, SPX, trading_class="SPXW")
    kept.other.trade(near(puts, price * 1.02), MarketOrder("SELL", 1))
    kept.other.trade(near(puts, price * 0.98), MarketOrder("BUY", 1))
    kept.agree()

    until_day(kept, 2026, 3, 3, 7, 0)
    kept.agree()

    assert sorted(kept.causes()[2:]) == ["expiry", "settlement"]


def test_O19_an_early_assignment_is_explained(account):
    kept = account()
    kept.agree()
    put = near(options(kept, SPY, number=4), spot(kept, found(kept, SPY)) * 1.01)
    kept.other.trade(put, MarketOrder("SELL", 3))
    kept.agree()

    kept.gateway.play("assign", con_id=put.conId, contracts=2)
    kept.agree()

    assert kept.causes()[1:] == ["assignment", "assignment"]
    quantities = {one.instrument.symbol: one.book_quantity for one in rows_of(kept.state)}
    assert set(quantities) == {"SPY"}


@pytest.mark.parametrize(("new", "old"), [(2, 1), (3, 2)])
def test_a_split_restates_shares_and_options(account, new, old):
    kept = account()
    kept.agree()
    aapl = found(kept, Stock("AAPL", "SMART", "USD"))
    put = near(options(kept, aapl, number=3), spot(kept, aapl) * 0.95)
    kept.other.trade(aapl, MarketOrder("BUY", 75))
    kept.other.trade(put, MarketOrder("SELL", 2))
    kept.agree()

    kept.gateway.do(
        lambda server: server.gateway.exchange.split(
            con_id=aapl.conId, new_shares=new, old_shares=old
        )
    )
    kept.agree()

    assert set(kept.causes()[2:]) == {"split"}


def test_a_fortnight_of_nights_with_dividends_interest_and_expiries(account):
    kept = account(2026, 3, 17, 10, 0)
    kept.agree()
    price = spot(kept, found(kept, SPY))
    kept.other.trade(found(kept, SPY), MarketOrder("BUY", 300))
    for number, right, distance in ((2, "P", 1.01), (3, "C", 0.99), (7, "P", 0.97)):
        contract = near(options(kept, SPY, right=right, number=number), price * distance)
        kept.other.trade(contract, MarketOrder("SELL", 2))
    kept.agree()

    for day in (18, 19, 20, 21, 24, 25, 26, 27, 28, 31):
        until_day(kept, 2026, 3, day, 7, 0)
        kept.agree()
    until_day(kept, 2026, 4, 1, 7, 0)
    kept.agree()

    assert {"dividend", "interest"} <= set(kept.causes())


def test_O20_a_liquidation_is_in_the_book_and_halts(account):
    kept = account()
    kept.agree()
    share = found(kept, SPY)
    kept.other.trade(share, MarketOrder("BUY", 40))
    kept.agree()

    kept.gateway.play("liquidate", con_id=share.conId, quantity=15)
    kept.agree()

    assert kept.causes()[1:] == ["liquidation"]
    assert [one.by for one in kept.all_of(Halt)] == ["keeper"]


@pytest.mark.parametrize("factor", [1.02, 0.0], ids=["corrected", "busted"])
def test_O08_a_correction_after_the_fact_is_in_the_book(account, factor):
    kept = account()
    kept.agree()
    trade = kept.other.trade(found(kept, SPY), MarketOrder("BUY", 40))
    kept.agree()

    execution = trade.fills[0].execution
    kept.gateway.do(
        lambda server: server.gateway.exchange.correct(
            exec_id=execution.execId, price=round(execution.price * factor, 2)
        )
    )
    kept.agree()

    assert kept.causes()[1:] == ["correction"]


def test_a_desk_that_first_meets_a_full_account_adopts_it_and_trades_nothing(account):
    kept = account()
    kept.other.trade(found(kept, SPY), MarketOrder("BUY", 40))
    kept.other.trade(found(kept, SPY), MarketOrder("SELL", 15))

    kept.agree()
    adopted = kept.causes()
    kept.other.trade(found(kept, SPY), MarketOrder("SELL", 5))
    kept.compare()

    assert adopted == ["opening"]
    assert kept.all_of(BookJudged)[-1].agreed
    assert [one.quantity for one in rows_of(kept.state)] == [20]


def test_an_order_by_hand_is_left_alone(account):
    kept = account()
    kept.agree()

    kept.other.run(_placed(found(kept, SPY), LimitOrder("BUY", 1, 1.0)))
    kept.agree()

    assert len(kept.state.orders.orders) == 1
    assert kept.state.strangers != ()
    assert new_york_date(kept.state.agreed_ns) == dt.date(2026, 3, 2)


def ours(kept, contract, action, quantity):
    """Send an order of our own past the desk, and hear what comes of it live."""
    fills = len(kept.all_of(FillBooked))
    kept.line.place(MarketOrder(action, quantity, orderRef="wheel.1.1"), con_id=contract.conId)
    deadline = time.monotonic() + PATIENCE_S
    while len(kept.all_of(FillBooked)) == fills:
        assert time.monotonic() < deadline, "no fill was booked"
        time.sleep(0.01)
        kept.pump()


@pytest.mark.parametrize(
    ("fault", "settings"),
    [
        ("duplicates", {"times": 3}),
        ("no-status", {}),
        ("out-of-order", {}),
        ("late-commission", {"delay_s": 0.0}),
        ("late-commission", {"delay_s": 0.5}),
        ("early-commission", {}),
        ("perm-id", {}),
    ],
    ids=["O04", "O05", "O06", "O07-never", "O07-late", "O07-early", "O09"],
)
def test_our_own_fills_are_booked_once_however_they_are_reported(account, fault, settings):
    booked_once(account, fault, settings)


@pytest.mark.parametrize("shift_s", [7200.0, -7200.0])
def test_m14_a_fill_dated_hours_off_and_listed_with_its_true_time_is_no_correction(
    account, shift_s
):
    booked_once(account, "bad-times", {"shift_s": shift_s})


def booked_once(account, fault, settings):
    """Two fills told while the fault is played are what the whole book says without it."""
    kept = account()
    kept.agree()
    share = found(kept, SPY)
    kept.gateway.play(fault, **settings)

    ours(kept, share, "BUY", 30)
    ours(kept, share, "SELL", 10)
    kept.gateway.end(fault)
    kept.agree()

    assert {one.cause for one in kept.all_of(FillBooked)} == {"trade"}
    assert kept.causes() == []
    assert [one.quantity for one in rows_of(kept.state)] == [20]


def test_O18_a_combination_that_is_left_half_on_is_in_the_book_as_it_is(account):
    kept = account()
    kept.agree()
    puts = options(kept, SPY, number=4)
    price = spot(kept, found(kept, SPY))
    short, long = near(puts, price * 0.97), near(puts, price * 0.95)
    legs = [
        ComboLeg(conId=short.conId, ratio=1, action="SELL", exchange="SMART"),
        ComboLeg(conId=long.conId, ratio=1, action="BUY", exchange="SMART"),
    ]
    bag = Contract(symbol="SPY", secType="BAG", currency="USD", exchange="SMART", comboLegs=legs)
    kept.other.run(_placed(bag, LimitOrder("BUY", 2, -90.0)))

    kept.gateway.play("legged", price=1.25)
    kept.agree()

    assert [one.quantity for one in rows_of(kept.state)] == [-2]


def _placed(contract, order):
    async def place(ib):
        ib.placeOrder(contract, order)
        await ib.reqOpenOrdersAsync()

    return place
