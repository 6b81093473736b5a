"""The ledger by example: who gets a line, who gives one up, and what the broker's words change."""

from tests.domain.slots.desk import Desk, S, snapshot, stream, thing
from thetawarden.domain.broker.lines import LinePriority, LineUse
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.slots.events import end_batch, refuse
from thetawarden.domain.slots.state import Redirect, Subscribe, TakeSnapshots, Unsubscribe
from thetawarden.domain.slots.views import OwnerUse, owner_uses, uses

POSITION, ORDER, ENTRY = LinePriority.POSITION, LinePriority.ORDER, LinePriority.ENTRY
CONTEXT, SCAN = LinePriority.CONTEXT, LinePriority.SCAN


def streams(first, last, priority, **more):
    return [stream(conid, priority, **more) for conid in range(first, last + 1)]


def test_one_line_serves_all_who_want_an_instrument_and_each_of_them_hears_it():
    desk = Desk()

    desk.wants("chain/SPX", stream(7, SCAN))
    moves = desk.wants("context", stream(7, CONTEXT))
    desk.deliver()

    assert moves == (Redirect(conid=7, listeners=("@context", "SPX")),)
    assert desk.lines == {7}
    assert desk.subscriptions == 1


def test_the_line_stays_until_the_last_owner_has_gone():
    desk = Desk(linger_ns=5 * S)
    desk.wants("chain/SPX", stream(7))
    desk.wants("keeper", stream(7, POSITION))

    first = desk.wants("chain/SPX")
    lingering = desk.wants("keeper")
    too_early = desk.wait(4)
    after = desk.wait(1)

    assert first == ()
    assert lingering == too_early == ()
    assert after == (Unsubscribe(conid=7),)


def test_what_is_wanted_for_a_position_is_heard_by_the_watcher_of_its_underlying():
    desk = Desk()

    moves = desk.wants("keeper", stream(7, POSITION, symbol="QQQ"))

    assert moves == (Subscribe(instrument=thing(7, "QQQ"), listeners=("QQQ",)),)


def test_a_position_takes_a_line_of_the_reserve_at_once():
    desk = Desk(lines_max=10, reserve=2)
    desk.wants("chain/SPX", *streams(1, 20, SCAN))
    desk.deliver()

    moves = desk.wants("keeper", stream(99, POSITION))

    assert Subscribe(instrument=thing(99), listeners=("SPX",)) in moves
    assert len(desk.lines) == 8


def test_a_more_important_wish_takes_the_place_of_a_lesser_one_at_once():
    desk = Desk(lines_max=3, reserve=0)
    desk.wants("chain/SPX", *streams(1, 3, SCAN))
    desk.deliver()

    moves = desk.wants("keeper", stream(99, POSITION))
    desk.deliver()

    assert len([each for each in moves if isinstance(each, Unsubscribe)]) == 1
    assert 99 in desk.lines
    assert desk.most_lines == 3


def test_a_place_is_taken_until_the_broker_was_told_to_cancel():
    desk = Desk(lines_max=1, reserve=0)
    desk.wants("chain/SPX", stream(1))

    moves = desk.wants("keeper", stream(2, POSITION))

    assert moves == (Unsubscribe(conid=1),)
    assert desk.wait(100) == ()


def test_a_line_is_not_taken_from_its_class_before_it_was_held_a_while():
    desk = Desk(lines_max=2, reserve=0, hold_ns=15 * S)
    desk.wants("chain/SPX", *streams(1, 2, ENTRY))
    desk.deliver()

    swapped = desk.wants("chain/SPX", *streams(3, 4, ENTRY), *streams(1, 2, ENTRY))
    early = [move for move in (*swapped, *desk.wait(14)) if isinstance(move, Unsubscribe)]
    late = [move for move in desk.wait(1) if isinstance(move, Unsubscribe)]

    assert early == []
    assert {move.conid for move in late} == {1, 2}


def test_a_line_nobody_wants_does_not_keep_the_reserve_s_room_from_others():
    desk = Desk(lines_max=8, reserve=3)
    desk.wants("keeper", stream(2, POSITION))
    desk.wants("chain/A", stream(6, SCAN))

    desk.wants("keeper", *streams(10, 12, POSITION), stream(3, ENTRY))
    desk.deliver()

    assert desk.lines == {3, 6, 10, 11, 12}


def test_wishes_that_change_their_mind_every_second_do_not_make_lines_flap():
    fickle, coming = Desk(lines_max=2, reserve=0, hold_ns=15 * S), Desk(linger_ns=5 * S)
    orders = ([1, 2, 3, 4], [3, 4, 1, 2])

    for second in range(60):
        fickle.wants("chain/SPX", *[stream(each, ENTRY) for each in orders[second % 2]])
        coming.wants("chain/SPX", *[stream(7, ENTRY)][: second % 2])
        for desk in (fickle, coming):
            desk.deliver()
            desk.wait(1)

    assert fickle.subscriptions <= 2 + 2 * 60 // 15
    assert coming.subscriptions == 1


def test_owners_of_one_class_share_alike_and_what_one_leaves_the_others_take():
    desk = Desk(lines_max=12, reserve=0, hold_ns=0)

    desk.wants("chain/A", *streams(1, 50, ENTRY))
    desk.wants("chain/B", *streams(101, 150, ENTRY))
    desk.wants("chain/C", *streams(201, 202, ENTRY))
    desk.deliver()

    counts = [sum(low <= conid < low + 100 for conid in desk.lines) for low in (0, 100, 200)]
    assert counts == [5, 5, 2]


def test_scans_take_turns_in_batches_until_everybody_had_one():
    desk = Desk(lines_max=10, reserve=0, rotation_ns=10 * S, rotation_batch=5)
    desk.wants("chain/SPX", *streams(1, 30, SCAN, refresh_s=10_000))
    seen, batches = set(), []

    for _ in range(5):
        desk.deliver()
        seen |= desk.lines
        moves = desk.wait(10)
        batches.append(sum(isinstance(move, Unsubscribe) for move in moves))
    desk.deliver()

    assert seen | desk.lines == set(range(1, 31))
    assert set(batches) == {5}


def test_scans_that_all_fit_never_move():
    desk = Desk()
    desk.wants("chain/SPX", *streams(1, 30, SCAN))
    desk.deliver()

    assert [desk.wait(10) for _ in range(5)] == [()] * 5


def test_what_needs_no_stream_is_asked_for_by_snapshot_as_often_as_it_wishes():
    desk = Desk()

    moves = desk.wants("chain/SPX", snapshot(1, refresh_s=30))
    desk.ledger = end_batch(desk.ledger, epoch=1, listener="SPX", unanswered=(), now_ns=desk.now_ns)
    early, due = desk.wait(29), desk.wait(1)

    assert moves == due == (TakeSnapshots(listener="SPX", instruments=(thing(1),)),)
    assert early == ()
    assert desk.ledger.slots == {}


def test_who_waits_for_a_line_is_asked_for_by_snapshot_meanwhile():
    desk = Desk(lines_max=1, reserve=0)

    moves = desk.wants("chain/SPX", *streams(1, 2, ENTRY))

    assert moves == (
        Subscribe(instrument=thing(1), listeners=("SPX",)),
        TakeSnapshots(listener="SPX", instruments=(thing(2),)),
    )


def test_what_gave_its_line_up_is_young_for_those_it_spoke_to_and_due_for_others():
    desk = Desk(lines_max=1, reserve=0)
    desk.wants("chain/A", stream(1, ENTRY, refresh_s=60))
    desk.deliver()
    desk.wait(20)
    desk.wants("keeper", stream(2, POSITION))
    desk.deliver()
    left_ns = desk.now_ns

    early = desk.wait(30)
    others = desk.wants("chain/B", snapshot(1, ENTRY, refresh_s=60))
    late = desk.wait(29), desk.wait(1)

    assert early == ()
    assert others == (TakeSnapshots(listener="B", instruments=(thing(1),)),)
    assert late == ((), (TakeSnapshots(listener="A", instruments=(thing(1),)),))
    assert desk.now_ns - left_ns == 60 * S


def test_snapshots_that_come_in_leave_the_lines_alone_until_something_is_due():
    desk = Desk(lines_max=2, reserve=0, rotation_batch=1)
    desk.wants("chain/A", *streams(1, 3, SCAN))
    desk.deliver()
    assert desk.ledger.quiet_until_ns == desk.now_ns + desk.limits.rotation_ns

    desk.now_ns += 9 * S
    desk.ledger = end_batch(desk.ledger, epoch=1, listener="A", unanswered=(), now_ns=desk.now_ns)
    between, turn = desk.settle(), desk.wait(1)

    assert between == ()
    assert [type(move) for move in turn] == [Unsubscribe]


def test_a_clock_that_was_set_back_leaves_no_line_unlooked_at():
    desk = Desk(lines_max=2, reserve=0)
    desk.wants("chain/A", *streams(1, 2, SCAN))
    desk.deliver()
    desk.ledger = refuse(
        desk.ledger, epoch=1, conid=1, code=0, limits=desk.limits, now_ns=desk.now_ns
    )
    desk.lines.discard(1)
    desk.settle()
    asked_again = desk.wait(31)
    desk.deliver()

    shed = desk.wait(-10)  # to where it is refused still

    assert [type(move) for move in asked_again] == [Subscribe]
    assert shed == (Unsubscribe(conid=1),)


def test_only_so_many_snapshots_are_out_shared_among_the_listeners():
    desk = Desk(snapshots_max=6)

    desk.link(LinkState.CUT_OFF, epoch=1)
    desk.wants("chain/A", *[snapshot(conid) for conid in range(1, 50)])
    desk.wants("chain/B", *[snapshot(conid) for conid in range(101, 150)])
    moves = desk.link(LinkState.READY, epoch=1)

    assert {move.listener: len(move.instruments) for move in moves} == {"A": 3, "B": 3}


def test_a_batch_nobody_reports_on_is_forgotten_in_the_end():
    desk = Desk(snapshot_patience_ns=45 * S)
    desk.wants("chain/SPX", snapshot(1))

    assert desk.wait(44) == ()
    assert desk.next_ns == desk.now_ns + S
    assert desk.wait(1) == (TakeSnapshots(listener="SPX", instruments=(thing(1),)),)


def test_nothing_is_sent_unless_the_link_takes_requests():
    desk = Desk()
    desk.wants("chain/SPX", stream(1))

    for state in (LinkState.CUT_OFF, LinkState.COMPETING):
        desk.link(state, epoch=1)
        assert desk.wants("keeper", stream(2, POSITION)) == ()
        assert desk.next_ns is None
    (found,) = desk.link(LinkState.SYNCING, epoch=1)

    assert found.instrument.conid == 2


def test_after_a_blip_that_kept_the_data_nothing_is_asked_again():
    desk = Desk()
    desk.wants("chain/SPX", stream(1))

    desk.link(LinkState.CUT_OFF, epoch=1)

    assert desk.link(LinkState.READY, epoch=1) == ()


def test_a_new_epoch_has_no_lines_so_all_are_subscribed_again():
    desk = Desk()
    desk.wants("chain/SPX", *streams(1, 3, SCAN))

    down = desk.link(LinkState.DOWN, epoch=1)
    moves = desk.link(LinkState.SYNCING, epoch=2)

    assert down == ()
    assert [move.instrument.conid for move in moves] == [1, 2, 3]


def test_error_101_teaches_how_many_lines_there_are():
    desk = Desk(lines_max=10, reserve=0)
    desk.wants("chain/SPX", *streams(1, 10, ENTRY))

    for conid in (9, 10):
        desk.ledger = refuse(
            desk.ledger, epoch=1, conid=conid, code=101, limits=desk.limits, now_ns=desk.now_ns
        )

    assert not any(isinstance(move, Subscribe) for move in desk.settle())
    assert desk.ledger.learned.lines_max == 8
    day_ns = desk.limits.learned_for_ns
    assert any(isinstance(move, Subscribe) for move in desk.wait(day_ns / S))


def test_a_refused_line_is_asked_for_again_ever_more_rarely():
    desk = Desk(retry_ns=30 * S)
    desk.wants("chain/SPX", stream(1))
    waits = []

    for _ in range(3):
        desk.ledger = refuse(
            desk.ledger, epoch=1, conid=1, code=322, limits=desk.limits, now_ns=desk.now_ns
        )
        assert desk.settle() == ()
        waits.append((desk.next_ns - desk.now_ns) // S)
        assert desk.wait(waits[-1]) != ()

    assert waits == [30, 60, 120]


def test_what_the_broker_does_not_sell_leaves_its_place_to_others_and_stays_unasked():
    desk = Desk(lines_max=1, reserve=0)
    desk.wants("chain/SPX", *streams(1, 2, ENTRY))
    desk.deliver()

    desk.ledger = refuse(
        desk.ledger, epoch=1, conid=1, code=354, limits=desk.limits, now_ns=desk.now_ns
    )
    (subscribe,) = desk.settle()
    desk.link(LinkState.DOWN, epoch=1)
    moves = desk.link(LinkState.READY, epoch=2)

    assert subscribe.instrument.conid == 2
    assert [move.instrument.conid for move in moves] == [2]


def test_lines_another_session_took_are_asked_for_as_soon_as_it_has_gone():
    desk = Desk()
    desk.wants("chain/SPX", stream(1))
    desk.link(LinkState.COMPETING, epoch=1)

    desk.ledger = refuse(
        desk.ledger, epoch=1, conid=1, code=10197, limits=desk.limits, now_ns=desk.now_ns
    )

    assert desk.link(LinkState.READY, epoch=1) == (
        Subscribe(instrument=thing(1), listeners=("SPX",)),
    )


def test_words_of_an_older_link_change_nothing():
    desk = Desk()
    desk.wants("chain/SPX", stream(1))
    desk.link(LinkState.READY, epoch=2)
    before = desk.ledger

    after = refuse(before, epoch=1, conid=1, code=354, limits=desk.limits, now_ns=desk.now_ns)

    assert after == before
    assert desk.link(LinkState.DOWN, epoch=1) == ()
    assert desk.ledger == before


def test_a_person_sees_each_class_and_each_owner():
    desk = Desk(lines_max=2, reserve=0)
    desk.wants("chain/SPX", *streams(1, 2, ENTRY), snapshot(3))
    desk.wants("keeper", stream(2, POSITION))

    assert uses(desk.ledger) == (
        LineUse(priority=POSITION, streaming=1, waiting=0, snapshots=0),
        LineUse(priority=ENTRY, streaming=1, waiting=0, snapshots=0),
        LineUse(priority=SCAN, streaming=0, waiting=0, snapshots=1),
    )
    assert owner_uses(desk.ledger)[0] == OwnerUse(
        owner="keeper", priority=POSITION, streaming=1, waiting=0, snapshots=0
    )
