"""Every fault of connections, played by the practice gateway against a running desk.

Judged by what whoever rests on the link is told: its state, its epoch, and whether entries may go.
"""

import asyncio
import contextlib
import datetime as dt

import msgspec
import pytest
from ib_async import Contract, LimitOrder, MarketOrder

from tests.actors.desks import until
from tests.infra.ib.desk import Gateway
from tests.infra.ib.linkdesk import RULES, S, linked, never
from tests.practice.fake_market import EXPIRIES, SPY, option_con_id
from thetawarden.domain.instants import new_york_clock
from thetawarden.domain.link.night import NightWindow
from thetawarden.domain.link.notices import Service
from thetawarden.domain.link.states import LinkState, LinkTrouble
from thetawarden.infra.clock import WallClock
from thetawarden.infra.ib.answers import Failed
from thetawarden.infra.ib.loop import LoopThread
from thetawarden.infra.ib.pacing import Priority
from thetawarden.messages.books import BookFetched, ExecutionReported, OrderReported
from thetawarden.messages.link import BrokerNoticed, DecodingFailed, FetchBook, LinkProbed, OpenLink
from thetawarden.messages.operations import NotifyPerson

PUT = option_con_id(expiry=EXPIRIES[0], strike=500.0, right="P")


def rules(**changes):
    return msgspec.structs.replace(RULES, **changes)


def place(desk, order, con_id=PUT):
    contract = Contract(conId=con_id, exchange="SMART")

    async def send():
        return await desk.session().send(
            lambda ib: ib.placeOrder(contract, order), priority=Priority.ORDER
        )

    return desk.broker._threads.submit(send()).result(20)


def asked(desk, make, timeout_s=0.5):
    async def ask():
        return await desk.session().ask(make, priority=Priority.LINES, timeout_s=timeout_s)

    return desk.broker._threads.submit(ask()).result(20)


def lost_then_ready(desk, trouble, *, epoch=2):
    """The whole way back: entries stop, another epoch, entries again only when reconciled."""
    ready = desk.until_link(LinkState.READY, epoch=epoch, entries=True)
    changes = desk.links()
    down = next(at for at, one in enumerate(changes) if one.state is LinkState.DOWN)
    again = changes.index(ready)
    assert trouble in desk.losses()
    assert not any(one.entries for one in changes[down:again])
    books = [one for one in desk.said(BookFetched) if one.epoch == epoch]
    assert len(books) >= 2
    return ready


def test_n01_a_reset_stops_entries_and_the_desk_comes_back_by_itself_reconciled():
    with linked() as desk:
        desk.gateway.play("reset")

        lost_then_ready(desk, LinkTrouble.CLOSED_BY_PEER)


def test_n01_what_was_filled_while_the_link_was_away_is_in_the_book():
    with linked() as desk:
        place(desk, LimitOrder("BUY", 2, 0.05, orderRef="ours.1"))
        until(lambda: desk.said(OrderReported), what="the order being acknowledged")

        desk.gateway.play("fill-while-away", away_s=0.3)
        lost_then_ready(desk, LinkTrouble.CLOSED_BY_PEER, epoch=desk_epoch(desk, beyond=1))

        book = [one for one in desk.said(BookFetched) if not one.missing][-1]
        assert [one.order_ref for one in book.executions] == ["ours.1"]
        assert book.orders == ()


def desk_epoch(desk, *, beyond):
    """The epoch that became ready after the given one: attempts in vain count as well."""
    until(
        lambda: any(one.state is LinkState.READY and one.epoch > beyond for one in desk.links()),
        what=f"a link after epoch {beyond}",
    )
    return next(
        one.epoch for one in desk.links() if one.state is LinkState.READY and one.epoch > beyond
    )


def test_n02_a_mute_peer_is_found_by_the_probe_and_nothing_is_sent_into_the_dead_link():
    with linked(probe_timeout_s=0.3, connect_timeout_s=0.5) as desk:
        desk.gateway.play("mute")
        alive = desk.broker._threads.submit(
            desk.session().prove_alive(idle_ns_max=0, timeout_s=0.2)
        ).result(20)
        until(lambda: LinkTrouble.SILENT in desk.losses(), what="the mute peer being found")
        desk.gateway.end("mute")

        assert isinstance(alive, Failed)
        lost_then_ready(desk, LinkTrouble.SILENT, epoch=desk_epoch(desk, beyond=1))


def test_n03_output_that_trickles_is_dropped_by_the_deadline_of_its_frame():
    with linked(frame_deadline_s=0.3) as desk:
        desk.gateway.play("slow-loris")
        until(lambda: LinkTrouble.TOO_SLOW in desk.losses(), what="the slow peer being dropped")
        desk.gateway.end("slow-loris")

        lost_then_ready(desk, LinkTrouble.TOO_SLOW, epoch=desk_epoch(desk, beyond=1))


def test_n04_single_bytes_and_whole_bursts_give_the_same_book():
    gateway = Gateway()
    gateway.play("split-writes", piece_bytes=1)
    with linked(gateway) as desk:
        place(desk, MarketOrder("BUY", 2, orderRef="ours.1"))
        until(lambda: desk.said(ExecutionReported), what="the fill in single bytes")
        in_pieces = fetched_anew(desk)
        gateway.end("split-writes")
        in_one = fetched_anew(desk)

        assert in_pieces.missing == in_one.missing == ()
        assert in_pieces.executions == in_one.executions != ()
        assert in_pieces.positions == in_one.positions != ()
        assert desk.losses() == []


def fetched_anew(desk):
    """A book fetched after now."""
    before = len(desk.said(BookFetched))
    number = 1000 + before
    command = FetchBook(epoch=desk.session().epoch, round=number)
    desk.desk.say(command, sender="connection")
    until(lambda: any(one.round == number for one in desk.said(BookFetched)), what="the book anew")
    return next(one for one in desk.said(BookFetched) if one.round == number)


@pytest.mark.parametrize("kind", ["length", "bytes"])
def test_n05_bytes_that_are_no_frames_drop_the_link_and_the_second_time_a_person_is_told(kind):
    with linked() as desk:
        desk.gateway.play("garbage", kind=kind)
        lost_then_ready(desk, LinkTrouble.GARBLED)
        assert desk.paged() == []

        desk.gateway.play("garbage", kind=kind)
        desk.until_link(LinkState.READY, epoch=3, entries=True)
        assert ["garbled" in text for text in desk.paged()] == [True]


@pytest.mark.parametrize("kind", ["fields", "number"])
def test_n05_one_unreadable_message_means_reconcile_and_a_second_one_means_reconnect(kind):
    with linked() as desk:
        desk.gateway.play("garbage", kind=kind)
        desk.until_link(LinkState.SYNCING, epoch=1, after=3)
        desk.until_link(LinkState.READY, epoch=1, entries=True, after=4)
        assert len(desk.said(DecodingFailed)) == 1

        desk.gateway.play("garbage", kind=kind)
        lost_then_ready(desk, LinkTrouble.GARBLED)


def test_n05_text_that_is_no_text_is_taken_as_it_can_be_and_nothing_is_lost():
    with linked() as desk:
        desk.gateway.play("garbage", kind="utf8")
        until(lambda: any(one.code == 399 for one in desk.said(BrokerNoticed)), what="the notice")

        assert fetched_anew(desk).missing == ()
        assert desk.losses() == []


def test_n06_a_day_told_again_twice_and_out_of_order_is_still_the_same_day():
    with linked() as desk:
        place(desk, MarketOrder("BUY", 2, orderRef="ours.1"))
        until(lambda: desk.said(ExecutionReported), what="the fill")
        before = fetched_anew(desk)
        desk.gateway.play("replay")
        desk.gateway.play("reset")
        desk.until_link(LinkState.READY, epoch=2, entries=True)

        after = fetched_anew(desk)
        retold = [one for one in desk.said(ExecutionReported) if one.epoch == 2]
        assert len(retold) == 2
        assert {one.execution.execution_id for one in retold} == {
            one.execution_id for one in before.executions
        }
        assert after.executions == before.executions
        assert after.positions == before.positions


def around_now(*, minutes_before, minutes_after):
    now = new_york_clock(WallClock().now_ns())
    return NightWindow(
        begins=(now - dt.timedelta(minutes=minutes_before)).time(),
        ends=(now + dt.timedelta(minutes=minutes_after)).time(),
        quiet_before_ns=60 * S,
        patience_after_ns=600 * S,
    )


def test_n07_a_restart_in_the_night_wakes_nobody_and_entries_wait_for_the_morning():
    night = around_now(minutes_before=120, minutes_after=120)
    with linked(wait=False, rules=rules(night=night, outage_ns=1)) as desk:
        desk.until_link(LinkState.READY, epoch=1)
        desk.gateway.play("restart", down_s=0.4)
        epoch = desk_epoch(desk, beyond=1)

        assert LinkTrouble.UNREACHABLE in desk.losses()
        assert desk.until_link(LinkState.READY, epoch=epoch).entries is False
        assert not any(one.entries for one in desk.links())
        assert desk.paged() == []


def test_n07_a_restart_by_day_that_lasts_wakes_a_person():
    with linked(rules=rules(outage_ns=S // 10)) as desk:
        desk.gateway.play("restart", down_s=1.0)
        until(desk.paged, what="a person being told")

        assert "no link to rest on" in desk.paged()[0]
        desk.until_link(LinkState.READY, epoch=desk_epoch(desk, beyond=1), entries=True)


def test_n08_cut_off_entries_stop_fills_are_still_heard_and_a_long_outage_is_told():
    with linked(rules=rules(outage_ns=S // 10)) as desk:
        place(desk, LimitOrder("BUY", 2, 0.05, orderRef="ours.1"))
        until(lambda: desk.said(OrderReported), what="the order being acknowledged")
        perm_id = desk.said(OrderReported)[-1].order.perm_id

        desk.gateway.play("connectivity-lost")
        desk.until_link(LinkState.CUT_OFF, epoch=1, entries=False)
        fill = {"perm_id": perm_id, "quantity": 2, "price": 0.05}
        desk.gateway.do(lambda server: server.gateway.exchange.fill(**fill))
        until(lambda: desk.said(ExecutionReported), what="the fill during the outage")
        until(desk.paged, what="a person being told")
        cut = len(desk.links())
        desk.gateway.end("connectivity-lost")

        assert desk.until_link(LinkState.READY, epoch=1, entries=True, after=cut)
        assert [one.state for one in desk.links()[cut:]] == [LinkState.SYNCING, LinkState.READY]


def test_n09_data_lost_makes_a_new_link_so_that_everything_is_subscribed_anew():
    with linked() as desk:
        desk.gateway.play("data-lost")
        desk.until_link(LinkState.CUT_OFF, epoch=1, entries=False)
        desk.gateway.end("data-lost")

        lost_then_ready(desk, LinkTrouble.CLOSED_BY_US)
        assert desk.link().epoch == 2


def test_n10_data_kept_still_reconciles_before_entries_go_on():
    with linked() as desk:
        before, fetches = len(desk.links()), len(desk.said(FetchBook))

        desk.gateway.play("data-kept")
        desk.until_link(LinkState.READY, epoch=1, entries=True, after=before)

        states = [one.state for one in desk.links()[before:]]
        assert states == [LinkState.CUT_OFF, LinkState.SYNCING, LinkState.READY]
        assert len(desk.said(FetchBook)) >= fetches + 2
        assert desk.losses() == []


def test_n11_a_competing_session_stops_entries_wakes_a_person_once_and_starts_no_storm():
    with linked(rules=rules(look_again_ns=S // 10)) as desk:

        def watch(con_id):
            contract = Contract(conId=con_id, exchange="SMART")
            return desk.on_loop(lambda session: session._ib.reqMktData(contract).contract)

        watch(SPY)
        desk.gateway.play("competing-session")
        desk.until_link(LinkState.COMPETING, epoch=1, entries=False)
        looked = len(desk.links())
        desk.until_link(LinkState.SYNCING, epoch=1, after=looked)
        watch(PUT)
        desk.until_link(LinkState.COMPETING, epoch=1, after=looked)

        assert ["competing" in text for text in desk.paged()] == [True]
        assert len(desk.said(OpenLink)) == 1
        assert desk.losses() == []


def test_n12_refused_for_pace_data_goes_slower_orders_do_not_and_the_second_time_is_told():
    with linked(rules=rules(probe_ns=3600 * S)) as desk:
        full = desk.session().pacer.data_per_s
        desk.gateway.play("pacing", count=2)

        asked(desk, lambda ib: ib.reqPositionsAsync())
        until(lambda: desk.session().pacer.data_per_s == full // 2, what="half the pace")
        assert desk.link().entries
        asked(desk, lambda ib: ib.reqMatchingSymbolsAsync("SPY"))
        until(lambda: desk.link().entries is False, what="entries being closed")

        assert desk.link().state is LinkState.READY
        assert desk.session().pacer.data_per_s == full // 4
        cancels = [
            desk.broker._threads.submit(desk.session().pacer.permit(Priority.CANCEL, patience_s=20))
            for _ in range(10)
        ]
        assert all(one.result(20) for one in cancels)


def test_n12_a_probe_refused_for_pace_is_a_sign_of_life_all_the_same():
    with linked(probe_timeout_s=0.2) as desk:
        desk.gateway.play("pacing", count=3)
        until(lambda: len(desk.said(BrokerNoticed)) >= 3, what="three refused probes")
        probed = len(desk.said(LinkProbed))
        until(lambda: len(desk.said(LinkProbed)) > probed + 1, what="probes being answered")

        assert desk.losses() == []


def test_n12_pacing_of_history_counts_as_well():
    with linked(rules=rules(probe_ns=3600 * S)) as desk:
        full = desk.session().pacer.data_per_s
        desk.gateway.play("pacing", count=1)
        spy = Contract(secType="STK", conId=SPY, symbol="SPY", exchange="SMART", currency="USD")

        bars = asked(
            desk,
            lambda ib: ib.reqHistoricalDataAsync(spy, "", "1 D", "1 min", "TRADES", useRTH=True),
            timeout_s=20,
        )

        assert isinstance(bars, Failed)
        assert bars.code == 162
        assert desk.session().pacer.data_per_s == full // 2


def test_n13_a_taken_client_id_is_a_refused_start_and_no_other_id_is_ever_tried():
    gateway = Gateway()
    gateway.play("client-id-taken", client_id=17)
    with linked(gateway, wait=False) as desk:
        desk.until_link(LinkState.REFUSED, entries=False)
        until(lambda: len(desk.said(OpenLink)) > 3, what="more attempts with the same id")
        assert len(desk.paged()) == 1
        assert gateway.do(lambda server: list(server.gateway.sessions)) == []

        gateway.end("client-id-taken")
        desk.ready()
        assert gateway.do(lambda server: list(server.gateway.sessions)) == [17]


def test_n13_after_a_loss_of_our_own_the_taken_id_is_our_own_ghost_and_waited_out():
    with linked() as desk:
        desk.gateway.play("client-id-taken", client_id=17)
        desk.gateway.play("reset")
        until(lambda: LinkTrouble.CLIENT_ID_TAKEN in desk.losses(), what="meeting the ghost")
        desk.gateway.end("client-id-taken")

        lost_then_ready(desk, LinkTrouble.CLIENT_ID_TAKEN, epoch=desk_epoch(desk, beyond=1))
        assert LinkState.REFUSED not in {one.state for one in desk.links()}


@pytest.mark.parametrize("version", [150, 175, 203])
def test_n14_a_server_version_no_test_has_seen_is_not_traded_through(version):
    gateway = Gateway()
    gateway.play("server-version", version=version)
    with linked(gateway, wait=False) as desk:
        refused = desk.until_link(LinkState.REFUSED, entries=False)
        until(desk.paged, what="a person being told")

        assert "version" in refused.why
        assert desk.said(FetchBook) == []
        gateway.end("server-version")
        assert desk.ready()


def test_n15_a_dead_back_end_closes_entries_by_service_and_opens_them_reconciled():
    with linked() as desk:
        desk.gateway.play("backend-down")
        until(lambda: set(desk.link().closed) == set(Service), what="everything being closed")
        assert desk.link().entries is False
        assert desk.link().state is LinkState.READY

        back = len(desk.links())
        desk.gateway.end("backend-down")
        until(lambda: desk.link().entries, what="entries being open again")

        assert LinkState.SYNCING in {one.state for one in desk.links()[back:]}
        assert desk.link().closed == ()
        assert desk.link().epoch == 1


class Tunnel:
    """Stands between desk and gateway, as a route or a tunnel does, and can be torn."""

    def __init__(self, port):
        self._to = port
        self._ends = []
        self._loop = LoopThread("tunnel")
        self._loop.start()
        self._server = self._loop.submit(asyncio.start_server(self._carry, "127.0.0.1", 0)).result(
            20
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _carry(self, near_in, near_out):
        far_in, far_out = await asyncio.open_connection("127.0.0.1", self._to)
        self._ends += [near_out, far_out]
        await asyncio.gather(self._pump(near_in, far_out), self._pump(far_in, near_out))

    @staticmethod
    async def _pump(source, sink):
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def _tear(self):
        while self._ends:
            self._ends.pop().transport.abort()

    def tear(self):
        self._loop.submit(self._tear()).result(20)

    async def _close(self):
        self._server.close()
        await self._tear()
        await asyncio.sleep(0.05)  # the aborted ends have to be told

    def close(self):
        self._loop.submit(self._close()).result(20)
        self._loop.stop()


def test_n16_a_torn_tunnel_is_a_lost_link_and_the_same_desk_comes_back_through_it():
    gateway = Gateway()
    tunnel = Tunnel(gateway.port)
    gateway.port = tunnel.port
    with linked(gateway) as desk:
        tunnel.tear()

        lost_then_ready(desk, LinkTrouble.CLOSED_BY_PEER, epoch=desk_epoch(desk, beyond=1))
        assert gateway.do(lambda server: list(server.gateway.sessions)) == [17]
    tunnel.close()


def test_n16_a_name_that_does_not_resolve_is_tried_again_until_it_does():
    with linked(wait=False, rules=rules(), host_fails=3) as desk:
        ready = desk.ready()

        assert desk.losses() == [LinkTrouble.UNREACHABLE] * 3
        assert ready.epoch == 4


def test_a_keeper_that_disagrees_keeps_entries_closed_for_as_long_as_it_does():
    with linked(wait=False, objections=("2 SPY more than we know of",)) as desk:
        until(lambda: len(desk.said(BookFetched)) > 4, what="more looks at the book")

        assert never(lambda: any(one.entries for one in desk.links()), steps=5)
        assert desk.link().state is LinkState.SYNCING


def test_a_book_that_never_comes_whole_ends_the_link_and_wakes_a_person():
    gateway = Gateway()
    gateway.do(_answer_no_completed_orders)
    with linked(gateway, wait=False, book_timeout_s=0.2) as desk:
        until(lambda: desk.said(NotifyPerson), what="a person being told")

        assert "completed orders" in desk.said(NotifyPerson)[0].text
        assert LinkState.READY not in {one.state for one in desk.links()}
        assert all(one.missing == ("completed orders",) for one in desk.said(BookFetched))


def _answer_no_completed_orders(server):
    from thetawarden.practice.wire.incoming import Incoming  # noqa: PLC0415

    server.gateway.seams.requests.append(
        lambda _session, incoming, _request: incoming is Incoming.REQ_COMPLETED_ORDERS
    )
