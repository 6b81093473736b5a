"""Lines and snapshots over a real socket to a scripted peer: what leaves, what is made of it."""

import asyncio
import logging

import ib_async
import pytest

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.quote import DataType
from thetawarden.domain.market.contracts import Right
from thetawarden.infra.clock import WallClock
from thetawarden.infra.ib.conflation import Outlets
from thetawarden.infra.ib.pacing import Pace
from thetawarden.infra.ib.quotes import LineSettings, QuoteHandler
from thetawarden.infra.ib.ticks import Line
from thetawarden.messages.lines import LinesReleased, RedirectLine
from thetawarden.messages.market import (
    ContextObserved,
    LineRefused,
    QuotesObserved,
    SnapshotLines,
    SnapshotsTaken,
    SubscribeLine,
    UnsubscribeLine,
)

REQUEST, CANCEL, TYPE = 1, 2, 59
MS = 1_000_000


def quotes_of(message):
    return message.told if isinstance(message, QuotesObserved) else message.quotes


class Listening:
    """Stands in for the desk on the test's own loop; `waiting` is what each actor has not read."""

    def __init__(self):
        self.said = []
        self.waiting = {}

    def say(self, message, cause_seq=None):
        self.said.append(message)

    def backlog(self, actor):
        return self.waiting.get(actor, 0)

    def all_of(self, kind):
        return [each for each in self.said if isinstance(each, kind)]

    def quotes(self):
        return [
            quote
            for each in self.said
            if isinstance(each, QuotesObserved | ContextObserved)
            for quote in quotes_of(each)
        ]


class Rig:
    """A quote handler on a session to a scripted peer."""

    def __init__(self, peer, session, desk, handler):
        self.peer, self.session, self.desk, self.handler = peer, session, desk, handler

    async def open(self, epoch=1):
        await self.session.open(epoch)

    async def do(self, message):
        await self.handler.perform(message)

    async def stream(self, conid=7, *listeners, kind=InstrumentKind.OPTION):
        thing = (
            option(conid)
            if kind is InstrumentKind.OPTION
            else Instrument(conid=conid, kind=kind, symbol="SPX")
        )
        count = len(self.peer.asked(REQUEST))
        await self.do(SubscribeLine(epoch=1, listeners=listeners or ("SPX",), instrument=thing))
        await self.until(lambda: len(self.peer.asked(REQUEST)) > count)
        return self.peer.asked(REQUEST)[-1][2]

    def tick(self, number, *, bid=5.1, ask=5.3):
        self.peer.send(1, 6, number, 1, bid, 10, 1)
        self.peer.send(1, 6, number, 2, ask, 20, 1)

    async def until(self, condition):
        deadline = asyncio.get_running_loop().time() + 20
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, self.desk.said
            await asyncio.sleep(0.002)


def option(conid):
    return Instrument(conid=conid, kind=InstrumentKind.OPTION, symbol="SPX", right=Right.PUT)


@pytest.fixture
async def rig(peer, session_to):
    async def make(*, pace=None, **settings):
        desk = Listening()
        session = session_to(peer.port, pace=pace or Pace(per_s=400, reserved=10))
        settings = {"flush_ns": 5 * MS, "delayed": False} | settings
        handler = QuoteHandler(session, desk, clock=WallClock(), settings=LineSettings(**settings))
        session.listeners.append(handler.listener)
        rig = Rig(peer, session, desk, handler)
        await rig.open()
        return rig

    return make


async def test_a_line_asks_for_what_it_needs_and_tells_what_comes(rig):
    line = await rig()

    number = await line.stream(7)
    line.tick(number)
    await line.until(line.desk.quotes)

    request = line.peer.asked(REQUEST)[0]
    assert (request[3], request[-4:-1]) == ("7", ["101", "0", "0"])
    (told,) = line.desk.all_of(QuotesObserved)
    (quote,) = told.told
    assert (told.epoch, told.underlying, quote.conid) == (1, "SPX", 7)
    assert (quote.bid_usd, quote.ask_usd, quote.updates) == (5.1, 5.3, 2)
    assert quote.two_sided_ns == quote.at_ns > 0


async def test_delayed_data_is_allowed_for_before_the_first_line(rig):
    line = await rig(delayed=True)

    await line.stream(7)

    sent = [fields[0] for fields in line.peer.heard if fields[0] in {"1", "59"}]
    assert sent == ["59", "1"]
    assert line.peer.asked(TYPE)[0][2] == "3"


async def test_two_owners_of_a_contract_share_one_request_and_both_hear_it(rig):
    line = await rig()
    number = await line.stream(7)
    line.tick(number)
    await line.until(line.desk.quotes)

    await line.do(SubscribeLine(epoch=1, listeners=("@context", "SPX"), instrument=option(7)))
    await line.until(lambda: line.desk.all_of(ContextObserved))
    line.tick(number, bid=5.2)
    await line.until(lambda: len(line.desk.quotes()) == 4)

    assert len(line.peer.asked(REQUEST)) == 1
    (first, second) = line.desk.all_of(ContextObserved)
    assert first.quotes[0].bid_usd == 5.1
    assert second.quotes[0].bid_usd == line.desk.all_of(QuotesObserved)[-1].told[0].bid_usd == 5.2


async def test_a_redirect_of_a_line_that_is_not_there_opens_none(rig):
    line = await rig()

    await line.do(RedirectLine(epoch=1, conid=7, listeners=("SPX",)))
    await line.stream(8)

    assert [fields[3] for fields in line.peer.asked(REQUEST)] == ["8"]


async def test_the_right_number_is_cancelled_and_late_ticks_of_it_change_nothing(rig, caplog):
    caplog.set_level(logging.ERROR)
    line = await rig()
    number, other = await line.stream(7), await line.stream(8)

    await line.do(UnsubscribeLine(epoch=1, conid=7))
    await line.until(lambda: line.desk.all_of(LinesReleased))
    await line.until(lambda: line.peer.asked(CANCEL))
    line.tick(number, bid=99.0)
    line.tick(other)
    await line.until(line.desk.quotes)

    assert [fields[2] for fields in line.peer.asked(CANCEL)] == [number]
    assert line.desk.all_of(LinesReleased) == [LinesReleased(epoch=1, conids=(7,))]
    assert {quote.conid for quote in line.desk.quotes()} == {8}
    assert line.handler.tap.late == 2
    assert caplog.records == []


async def test_a_line_asked_for_again_has_a_number_of_its_own(rig):
    line = await rig()
    first = await line.stream(7)
    await line.do(UnsubscribeLine(epoch=1, conid=7))
    second = await line.stream(7)

    line.tick(first, bid=1.0)
    line.tick(second, bid=2.0)
    await line.until(line.desk.quotes)

    assert first != second
    assert {quote.bid_usd for quote in line.desk.quotes()} == {2.0}


async def test_orders_for_lines_leave_in_their_order_however_little_room_there_is(rig):
    line = await rig(pace=Pace(per_s=14, reserved=10))
    first, second = await line.stream(1), await line.stream(2)

    for gone, new in ((1, 3), (2, 4)):
        await line.do(UnsubscribeLine(epoch=1, conid=gone))
        await line.do(SubscribeLine(epoch=1, listeners=("A",), instrument=option(new)))
    await line.until(lambda: len(line.peer.asked(REQUEST)) == 4)

    asked = [
        fields[2] if fields[0] == "2" else fields[3]
        for fields in line.peer.heard
        if fields[0] in {"1", "2"}
    ]
    assert asked == ["1", "2", first, "3", second, "4"]


async def test_a_line_given_back_before_its_turn_came_never_leaves(rig):
    line = await rig()

    await line.do(SubscribeLine(epoch=1, listeners=("A",), instrument=option(1)))
    await line.do(UnsubscribeLine(epoch=1, conid=1))
    await line.do(UnsubscribeLine(epoch=1, conid=99))
    await line.stream(2)
    await line.until(lambda: line.desk.all_of(LinesReleased))

    assert [fields[3] for fields in line.peer.asked(REQUEST)] == ["2"]
    assert line.peer.asked(CANCEL) == []
    assert set(line.desk.all_of(LinesReleased)[0].conids) == {1, 99}


async def test_ticks_of_one_piece_are_one_message_and_a_busy_line_is_bundled(rig):
    line = await rig(flush_ns=200 * MS)
    number = await line.stream(7)
    line.tick(number)
    await line.until(line.desk.quotes)

    for step in range(1, 51):
        line.tick(number, bid=5 + step / 1000)
    await line.until(lambda: sum(quote.updates for quote in line.desk.quotes()) == 102)

    assert line.desk.quotes()[0].updates == 2
    assert line.desk.quotes()[-1].bid_usd == 5.05
    assert len(line.desk.quotes()) <= 3


async def test_an_alarm_amid_a_piece_of_ticks_leaves_no_empty_message_behind():
    desk = Listening()
    outlets = Outlets(desk=desk, clock=WallClock(), flush_ns=MS)
    outlets.begin_link(1)
    outlet = outlets.outlet("SPX")
    line = Line(option(7), (outlet,))
    line.take_price("1", "5.1", "10", outlets.begin_turn())
    outlets.changed(line)

    outlets._wake(outlet)
    await asyncio.sleep(0.02)

    assert [len(one.told) for one in desk.said] == [1]


async def test_a_listener_that_has_not_read_is_told_no_more_until_it_has_and_loses_nothing(rig):
    line = await rig()
    number = await line.stream(7)
    line.desk.waiting["chain/SPX"] = 1

    for step in range(1, 21):
        line.tick(number, bid=5 + step / 1000)
        await asyncio.sleep(0)
    await line.until(lambda: line.handler.outlets.put_off >= 3)
    told_meanwhile = line.desk.quotes()
    line.desk.waiting["chain/SPX"] = 0
    await line.until(lambda: sum(quote.updates for quote in line.desk.quotes()) == 40)

    assert told_meanwhile == []
    assert line.desk.quotes()[-1].bid_usd == 5.02


@pytest.mark.parametrize("code", [354, 10089, 10168, 200, 101, 321, 322, 162])
async def test_a_refused_line_is_said_and_its_number_dead(rig, code):
    line = await rig()
    number = await line.stream(7)

    line.peer.send(4, 2, number, code, "No", "")
    await line.until(lambda: line.desk.all_of(LineRefused))
    line.tick(number)
    again = await line.stream(7)

    assert line.desk.all_of(LineRefused) == [LineRefused(epoch=1, conid=7, code=code, words="No")]
    assert line.desk.quotes() == []
    assert line.peer.asked(CANCEL) == []
    assert again != number


async def test_n11_a_line_a_rival_session_took_is_cancelled_before_another_is_asked_for(rig):
    line = await rig()
    number = await line.stream(7)

    line.peer.send(4, 2, number, 10197, "Competing", "")
    await line.until(lambda: line.desk.all_of(LineRefused))
    await line.stream(7)

    asked = [fields[0] for fields in line.peer.heard if fields[0] in {"1", "2"}]
    assert asked == ["1", "2", "1"]
    assert line.desk.all_of(LinesReleased) == []


async def test_n11_lines_that_have_not_left_yet_stay_when_a_rival_has_the_data(rig):
    line = await rig(pace=Pace(per_s=12, reserved=10))
    number = await line.stream(1)
    for conid in range(2, 30):
        await line.do(SubscribeLine(epoch=1, listeners=("A",), instrument=option(conid)))

    line.peer.send(4, 2, number, 10197, "Competing", "")
    await line.until(lambda: len(line.desk.all_of(LineRefused)) >= 25)
    await line.until(lambda: line.peer.asked(CANCEL))

    refused = {each.conid for each in line.desk.all_of(LineRefused)}
    asked = {int(fields[3]) for fields in line.peer.asked(REQUEST)}
    assert refused | asked == set(range(1, 30))
    assert len(asked) < 5


@pytest.mark.parametrize("code", [10090, 10091, 2104, 2150])
async def test_a_line_refused_in_part_streams_on(rig, code):
    line = await rig()
    number = await line.stream(7)

    line.peer.send(4, 2, number, code, "Part", "")
    line.tick(number)
    await line.until(line.desk.quotes)

    assert line.desk.all_of(LineRefused) == []


async def test_m08_delayed_data_in_the_place_of_live_marks_the_line(rig):
    line = await rig()
    number = await line.stream(7)
    line.tick(number)

    line.peer.send(4, 2, number, 10167, "Displaying delayed", "")
    await line.until(lambda: line.desk.quotes()[-1:] and line.desk.quotes()[-1].data_type)
    await line.until(lambda: line.desk.quotes()[-1].data_type is DataType.DELAYED)

    assert line.desk.all_of(LineRefused) == []


async def test_a_line_the_broker_says_nothing_of_while_it_talks_is_given_up(rig):
    line = await rig(silent_s=0.01)
    number, other = await line.stream(7), await line.stream(8)

    async def talk():
        while True:
            line.tick(other)
            await asyncio.sleep(0.05)

    talking = asyncio.ensure_future(talk())
    await line.until(lambda: line.desk.all_of(LineRefused))
    await line.until(lambda: line.peer.asked(CANCEL))
    talking.cancel()

    assert [(one.conid, one.code) for one in line.desk.all_of(LineRefused)] == [(7, 0)]
    assert line.peer.asked(CANCEL)[0][2] == number


async def test_n02_a_line_of_a_broker_that_says_nothing_at_all_is_kept(rig, monkeypatch):
    monkeypatch.setattr("thetawarden.infra.ib.quotes.LOOK_EVERY_S", 0.02)
    line = await rig(silent_s=0.1)
    await line.stream(7)
    looked = []
    idle_ns = line.session.idle_ns
    monkeypatch.setattr(line.session, "idle_ns", lambda: looked.append(idle_ns()) or looked[-1])

    await line.until(lambda: sum(each > 20 * MS for each in looked) > 20)

    assert line.desk.all_of(LineRefused) == []


async def test_n09_a_new_link_has_no_lines_and_what_is_left_of_the_old_is_forgotten(rig):
    line = await rig(flush_ns=10_000 * MS)
    number = await line.stream(7)
    line.tick(number)
    await line.until(line.desk.quotes)
    line.tick(number, bid=1.0)

    await line.open(2)
    await line.do(RedirectLine(epoch=2, conid=7, listeners=("SPX",)))
    await line.do(SubscribeLine(epoch=2, listeners=("SPX",), instrument=option(7)))
    await line.until(lambda: line.peer.asked(REQUEST))
    line.tick(line.peer.asked(REQUEST)[0][2], bid=2.0)
    await line.until(lambda: len(line.desk.quotes()) == 2)

    assert [each.epoch for each in line.desk.all_of(QuotesObserved)] == [1, 2]
    assert [quote.bid_usd for quote in line.desk.quotes()] == [5.1, 2.0]


async def test_snapshots_are_asked_without_generic_ticks_told_whole_and_counted(rig):
    line = await rig(snapshot_timeout_s=0.3)
    taking = asyncio.ensure_future(
        line.do(
            SnapshotLines(
                epoch=1, listener="SPX", instruments=(option(1), option(2), option(3), option(4))
            )
        )
    )
    await line.until(lambda: len(line.peer.asked(REQUEST)) == 4)
    numbers = [fields[2] for fields in line.peer.asked(REQUEST)]

    line.tick(numbers[0])
    line.peer.send(57, 1, numbers[0])
    line.tick(numbers[1])
    line.peer.send(4, 2, numbers[2], 354, "No", "")
    await taking
    await line.until(lambda: len(line.desk.quotes()) == 2)

    assert {tuple(fields[-4:-1]) for fields in line.peer.asked(REQUEST)} == {("", "1", "0")}
    assert [quote.conid for quote in line.desk.quotes()] == [1, 2]
    (taken,) = line.desk.all_of(SnapshotsTaken)
    assert (taken.listener, taken.answered) == ("SPX", 1)
    assert sorted(taken.unanswered) == [2, 3, 4]
    assert [each.conid for each in line.desk.all_of(LineRefused)] == [3]
    assert line.peer.asked(CANCEL) == []


async def test_a_snapshot_of_a_link_that_went_is_not_reported(rig):
    line = await rig(snapshot_timeout_s=0.2)
    taking = asyncio.ensure_future(
        line.do(SnapshotLines(epoch=1, listener="SPX", instruments=(option(1),)))
    )
    await line.until(lambda: line.peer.asked(REQUEST))

    await line.open(2)
    await taking

    assert line.desk.all_of(SnapshotsTaken) == []


async def test_a_snapshot_under_way_when_the_link_goes_ends_at_once_and_says_nothing(rig):
    line = await rig(snapshot_timeout_s=60.0)
    taking = asyncio.ensure_future(
        line.do(SnapshotLines(epoch=1, listener="SPX", instruments=(option(1), option(2))))
    )
    await line.until(lambda: len(line.peer.asked(REQUEST)) == 2)

    line.peer.writer.close()
    await asyncio.wait_for(taking, 20)

    assert line.desk.all_of(SnapshotsTaken) == []


async def test_ticks_of_others_requests_still_reach_the_library(rig):
    line = await rig()
    tickers = []
    await line.session.send(
        lambda ib: tickers.append(ib.reqMktData(ib_async.Contract(conId=3))), priority=4
    )
    await line.until(lambda: line.peer.asked(REQUEST))

    line.tick(line.peer.asked(REQUEST)[0][2])
    await line.until(tickers[0].hasBidAsk)

    assert tickers[0].bid == 5.1
    assert line.desk.said == []


async def test_the_library_decodes_through_the_handlers_we_replace():
    """The contract on the private hook: one handler a message number, called with all fields."""
    ib = ib_async.IB()
    decoder, seen = ib.client.decoder, []

    for number in (1, 2, 21, 45, 46, 57, 58, 81):
        decoder.handlers[number] = seen.append
        decoder.interpret([str(number), "6", "9"])

    assert [fields[0] for fields in seen] == ["1", "2", "21", "45", "46", "57", "58", "81"]
