"""Somebody logs in elsewhere with our user: the data goes, then the gateway waits for its code."""

import msgspec
from ib_async import Contract, LimitOrder

from tests.actors.desks import until
from tests.infra.ib.linkdesk import RULES, S, linked
from tests.practice.fake_market import EXPIRIES, SPY, option_con_id
from thetawarden.domain.link.states import LinkState, LinkTrouble
from thetawarden.infra.ib.pacing import Priority
from thetawarden.messages.books import BookFetched, OrderReported
from thetawarden.messages.link import OpenLink

PUT = option_con_id(expiry=EXPIRIES[0], strike=500.0, right="P")
LOOKS_SOON = msgspec.structs.replace(RULES, look_again_ns=S // 10)
IMPATIENT = msgspec.structs.replace(LOOKS_SOON, outage_ns=S // 10)


def watch(desk, con_id):
    contract = Contract(conId=con_id, exchange="SMART")
    return desk.on_loop(lambda session: session._ib.reqMktData(contract).contract)


def place(desk, order_ref):
    contract, order = Contract(conId=PUT, exchange="SMART"), LimitOrder("BUY", 2, 0.05)
    order.orderRef = order_ref

    async def send():
        return await desk.session().send(
            lambda ib: ib.placeOrder(contract, order), priority=Priority.ORDER
        )

    desk.broker._threads.submit(send()).result(20)
    until(lambda: desk.said(OrderReported), what="the order being acknowledged")


def taken_over(desk):
    """Another login takes the data of a desk that watches something."""
    place(desk, "ours.1")
    watch(desk, SPY)
    desk.gateway.play("competing-session")
    return desk.until_link(LinkState.COMPETING, epoch=1, entries=False)


def test_h06_another_login_stops_entries_until_it_has_gone_and_a_person_is_told_once():
    with linked(rules=LOOKS_SOON) as desk:
        taken_over(desk)
        taken = desk.links().index(desk.link())
        until(desk.paged, what="a person being told")

        desk.gateway.end("competing-session")
        desk.until_link(LinkState.READY, epoch=1, entries=True, after=taken)

        states = [one.state for one in desk.links()[taken:]]
        assert states.index(LinkState.SYNCING) < states.index(LinkState.READY)
        assert not any(one.entries for one in desk.links()[taken:-1])
        assert [text[:6] for text in desk.paged()] == ["10197:"]
        assert len(desk.said(OpenLink)) == 1


def test_h06_a_gateway_that_waits_for_its_code_is_told_of_and_the_book_is_ours_when_it_is_back():
    with linked(rules=IMPATIENT) as desk:
        taken_over(desk)
        taken = desk.links().index(desk.link())

        desk.gateway.play("restart", down_s=1.0)
        until(lambda: LinkTrouble.UNREACHABLE in desk.losses(), what="nobody answering")
        until(
            lambda: any("no link to rest on" in text for text in desk.paged()),
            what="a person being told",
        )
        desk.gateway.end("competing-session")
        back = desk.until_link(LinkState.READY, entries=True, after=taken)

        assert back.epoch > 2
        assert not any(one.entries for one in desk.links()[taken : desk.links().index(back)])
        books = [one for one in desk.said(BookFetched) if one.epoch == back.epoch]
        assert len(books) >= 2
        assert [one.order_ref for one in books[-1].orders] == ["ours.1"]
        assert sorted(text[:6] for text in desk.paged()) == ["10197:", "no lin"]
