"""The mailbox: urgency, conflation, bounds, and nothing lost between incarnations."""

import threading
from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from thetawarden.actors.mailbox import Bounds, Latest, Mailbox, Put, Unseated
from thetawarden.messages.base import Envelope, Lane
from thetawarden.messages.operations import AlertDelivered


def letter(seq):
    return Envelope(seq, 0, "tester", 0, None, AlertDelivered(number=seq))


def put(mailbox, seq, lane):
    return mailbox.putter(lane)(letter(seq))


def seat_of(mailbox, refused=None):
    refuse = (lambda _: None) if refused is None else refused.append
    return mailbox.new_seat(refuse=refuse, comes_last=lambda request: request == "farewell")


def drain(mailbox, seat):
    taken = []
    while (item := mailbox.take(seat)) is not None:
        taken.append(item.envelope.seq if isinstance(item, Latest) else item.seq)
    return taken


def test_control_comes_before_orders_before_timers_before_market_data():
    mailbox = Mailbox()
    for seq, lane in enumerate([Lane.MARKET, Lane.TIMER, Lane.ORDERS, Lane.CONTROL] * 2):
        put(mailbox, seq, lane)

    assert drain(mailbox, seat_of(mailbox)) == [3, 7, 2, 6, 1, 5, 0, 4]


def test_only_the_latest_quote_of_a_key_waits_and_knows_how_many_it_stands_for():
    mailbox = Mailbox()
    seat = seat_of(mailbox)
    assert mailbox.conflate(letter(1), ("SPX",)) is Put.ACCEPTED
    assert mailbox.conflate(letter(2), ("SPY",)) is Put.ACCEPTED
    assert mailbox.conflate(letter(3), ("SPX",)) is Put.CONFLATED

    first, second = mailbox.take(seat), mailbox.take(seat)

    assert (first.envelope.seq, first.merged) == (3, 2)
    assert (second.envelope.seq, second.merged) == (2, 1)
    assert mailbox.conflate(letter(4), ("SPX",)) is Put.ACCEPTED


def test_p04_a_full_lane_refuses_everything_but_orders():
    mailbox = Mailbox(Bounds(control=1, orders=1, timer=1, market=1))

    assert [put(mailbox, 1, Lane.TIMER), put(mailbox, 2, Lane.TIMER)] == [
        Put.ACCEPTED,
        Put.REFUSED_FULL,
    ]
    assert [put(mailbox, 3, Lane.ORDERS), put(mailbox, 4, Lane.ORDERS)] == [
        Put.ACCEPTED,
        Put.ACCEPTED_OVER_BOUND,
    ]
    assert mailbox.conflate(letter(5), ("a",)) is Put.ACCEPTED
    assert mailbox.conflate(letter(6), ("b",)) is Put.REFUSED_FULL
    assert mailbox.conflate(letter(7), ("a",)) is Put.CONFLATED


def test_a_paused_mailbox_hands_out_control_messages_only():
    mailbox = Mailbox()
    seat = seat_of(mailbox)
    put(mailbox, 1, Lane.ORDERS)
    mailbox.pause(paused=True)
    put(mailbox, 2, Lane.CONTROL)

    assert drain(mailbox, seat) == [2]

    mailbox.pause(paused=False)
    assert drain(mailbox, seat) == [1]


def test_the_farewell_is_read_after_all_orders_and_before_market_data():
    mailbox = Mailbox()
    seat = seat_of(mailbox)
    put(mailbox, 1, Lane.ORDERS)
    put(mailbox, 2, Lane.MARKET)
    seat.put("farewell")
    seat.put("question")

    taken = [mailbox.take(seat) for _ in range(4)]

    assert taken[0] == "question"
    assert taken[1].seq == 1
    assert taken[2] == "farewell"
    assert taken[3].seq == 2


def test_an_unseated_reader_reads_nothing_more_and_its_requests_are_refused():
    mailbox, refused = Mailbox(), []
    old = seat_of(mailbox, refused)
    old.put("question")
    put(mailbox, 1, Lane.ORDERS)

    new = seat_of(mailbox)

    assert refused == ["question"]
    assert isinstance(old.get(), Unseated)
    old.put("late question")
    assert refused == ["question", "late question"]
    assert drain(mailbox, new) == [1]


def test_a_sleeping_reader_is_woken_by_a_message_a_request_and_by_being_unseated():
    for wake in (
        lambda mailbox, _seat: put(mailbox, 1, Lane.MARKET),
        lambda _mailbox, seat: seat.put("question"),
        lambda mailbox, _seat: mailbox.conflate(letter(1), ("k",)),
        lambda mailbox, _seat: mailbox.unseat(),
        lambda mailbox, _seat: mailbox.close(),
        lambda mailbox, _seat: mailbox.return_first(letter(9), Lane.ORDERS),
    ):
        mailbox = Mailbox()
        seat = seat_of(mailbox)
        got = []
        reader = threading.Thread(target=lambda seat=seat, got=got: got.append(seat.get()))
        reader.start()
        while not seat.sleeps:
            pass
        wake(mailbox, seat)
        reader.join(5)
        assert len(got) == 1


def test_nothing_is_lost_or_doubled_when_writers_hammer_and_readers_take_over():
    mailbox, writers, each = Mailbox(Bounds(orders=10**9)), 4, 5_000
    read: Counter[int] = Counter()
    finished = threading.Event()

    def write(number):
        append = mailbox.putter(Lane.ORDERS)
        for index in range(each):
            append(letter(number * each + index))

    def read_until_unseated(seat, mine):
        while not isinstance(item := seat.get(), Unseated):
            mine.append(item.seq)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
    for thread in threads:
        thread.start()
    readers = []
    for _ in range(25):
        mine: list[int] = []
        reader = threading.Thread(target=read_until_unseated, args=(seat_of(mailbox), mine))
        reader.start()
        readers.append((reader, mine))
    for thread in threads:
        thread.join()
    while any(mailbox.depths()):
        finished.wait(0.001)
    mailbox.unseat()
    for reader, mine in readers:
        reader.join(5)
        read.update(mine)

    assert read == Counter(range(writers * each))


class MailboxMachine(RuleBasedStateMachine):
    """Against a model of plain lists: what is put comes out once, in order within its lane."""

    def __init__(self):
        super().__init__()
        self.mailbox = Mailbox(Bounds(control=5, orders=5, timer=5, market=5))
        self.seat = seat_of(self.mailbox)
        self.model = {lane: [] for lane in Lane}
        self.paused = False
        self.seq = 0

    @rule(lane=st.sampled_from([Lane.CONTROL, Lane.ORDERS, Lane.TIMER]))
    def put(self, lane):
        self.seq += 1
        full = len(self.model[lane]) >= 5
        result = put(self.mailbox, self.seq, lane)
        if lane is Lane.ORDERS or not full:
            self.model[lane].append((None, self.seq))
        assert (result is Put.REFUSED_FULL) == (full and lane is not Lane.ORDERS)

    @rule(key=st.sampled_from("abcdefgh"))
    def conflate(self, key):
        self.seq += 1
        market = self.model[Lane.MARKET]
        result = self.mailbox.conflate(letter(self.seq), (key,))
        keys = [each for each, _ in market]
        if key in keys:
            market[keys.index(key)] = (key, self.seq)
            assert result is Put.CONFLATED
        elif len(market) < 5:
            market.append((key, self.seq))
            assert result is Put.ACCEPTED
        else:
            assert result is Put.REFUSED_FULL

    @rule()
    def take(self):
        lanes = [Lane.CONTROL] if self.paused else list(Lane)
        expected = next((self.model[lane].pop(0)[1] for lane in lanes if self.model[lane]), None)
        item = self.mailbox.take(self.seat)
        got = item.envelope.seq if isinstance(item, Latest) else item and item.seq
        assert got == expected

    @rule()
    def change_reader(self):
        self.seat = seat_of(self.mailbox)

    @rule(paused=st.booleans())
    def pause(self, paused):
        self.paused = paused
        self.mailbox.pause(paused=paused)

    @precondition(lambda self: self.seq > 0)
    @rule(lane=st.sampled_from([Lane.CONTROL, Lane.ORDERS]))
    def give_back(self, lane):
        self.seq += 1
        self.mailbox.return_first(letter(self.seq), lane)
        self.model[lane].insert(0, (None, self.seq))

    @invariant()
    def depths_agree(self):
        assert self.mailbox.depths() == tuple(len(self.model[lane]) for lane in Lane)


MailboxMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestMailboxAgainstItsModel = MailboxMachine.TestCase
