"""The slots actor: its orders, its words to people, and what survives a restart."""

from tests.domain.slots.desk import T0, S, snapshot, stream, thing
from thetawarden.actors.memory import encode_snapshot, rebuild
from thetawarden.actors.slots import TURN, Slots
from thetawarden.domain.broker.lines import LinePriority, LineUse
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.slots.limits import LineLimits
from thetawarden.messages.lifecycle import Begin, ChildrenChanged, Quiesce
from thetawarden.messages.lines import LinesReleased, RedirectLine
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import (
    LineRefused,
    LinesShared,
    SnapshotLines,
    SnapshotsTaken,
    SubscribeLine,
    UnsubscribeLine,
    WantLines,
)
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired

ENTRY, POSITION = LinePriority.ENTRY, LinePriority.POSITION


def link(state=LinkState.READY, epoch=1):
    return LinkChanged(epoch=epoch, state=state, entries=state is LinkState.READY, why="")


def ready(**limits):
    slots = Slots(limits=LineLimits(**limits))
    slots.receive(Begin(incarnation=1, resumed=False), T0)
    slots.receive(link(), T0)
    return slots


def wants(owner, *lines):
    return WantLines(owner=owner, wants=lines)


def only(said, kind):
    return [each for each in said if isinstance(each, kind)]


def test_wishes_become_orders_of_the_link_s_epoch():
    slots = ready()

    said = slots.receive(wants("chain/SPX", stream(1, ENTRY), snapshot(2, ENTRY)), T0)
    more = slots.receive(wants("context", stream(1, ENTRY)), T0 + 1)

    assert said[:2] == (
        SubscribeLine(epoch=1, listeners=("SPX",), instrument=thing(1)),
        SnapshotLines(epoch=1, listener="SPX", instruments=(thing(2),)),
    )
    assert only(more, RedirectLine) == []


def test_another_listener_of_a_line_redirects_it_and_opens_none():
    slots = ready()
    slots.receive(wants("chain/SPX", stream(1)), T0)

    said = slots.receive(wants("context", stream(1)), T0 + 1)

    assert only(said, RedirectLine) == [
        RedirectLine(epoch=1, conid=1, listeners=("@context", "SPX"))
    ]
    assert only(said, SubscribeLine) == []


def test_nothing_is_ordered_before_the_link_is_there():
    slots = Slots()
    slots.receive(Begin(incarnation=1, resumed=False), T0)

    waiting = slots.receive(wants("chain/SPX", stream(1)), T0)
    connecting = slots.receive(link(LinkState.CONNECTING, epoch=1), T0)
    syncing = slots.receive(link(LinkState.SYNCING, epoch=1), T0)

    assert only(waiting + connecting, SubscribeLine) == []
    assert len(only(syncing, SubscribeLine)) == 1


def test_n09_after_a_loss_of_data_everything_is_subscribed_again():
    slots = ready()
    slots.receive(wants("chain/SPX", stream(1), stream(2)), T0)

    said = slots.receive(link(LinkState.SYNCING, epoch=2), T0 + S)

    assert [(each.epoch, each.instrument.conid) for each in only(said, SubscribeLine)] == [
        (2, 1),
        (2, 2),
    ]


def test_a_freed_place_is_given_on_once_the_broker_was_told():
    slots = ready(lines_max=1, reserve=0)
    slots.receive(wants("chain/SPX", stream(1)), T0)

    cancelled = slots.receive(wants("keeper", stream(2, POSITION)), T0 + 1)
    given = slots.receive(LinesReleased(epoch=1, conids=(1,)), T0 + 2)

    assert only(cancelled, UnsubscribeLine) == [UnsubscribeLine(epoch=1, conid=1)]
    assert only(cancelled, SubscribeLine) == []
    assert [each.instrument.conid for each in only(given, SubscribeLine)] == [2]


def test_what_a_watcher_wanted_goes_with_it():
    slots = ready(linger_ns=0)
    for conid, owner in enumerate(("chain/SPX", "chain/SPY", "context")):
        slots.receive(wants(owner, stream(conid, ENTRY)), T0)

    said = slots.receive(ChildrenChanged(role="chain", keys=("SPY",)), T0 + 1)

    assert [each.conid for each in only(said, UnsubscribeLine)] == [0]
    assert sorted(slots.state.ledger.wants) == ["chain/SPY", "context"]


def test_scans_turn_when_the_timer_fires_and_the_next_one_is_armed():
    slots = ready(lines_max=2, reserve=0, rotation_ns=10 * S, rotation_batch=1)
    lines = [stream(conid, refresh_s=1000) for conid in (1, 2, 3)]

    said = slots.receive(wants("chain/SPX", *lines), T0)
    turned = slots.receive(TimerFired(name=TURN), T0 + 10 * S)

    assert only(said, StartTimer) == [StartTimer(name=TURN, after_ns=10 * S)]
    assert only(turned, UnsubscribeLine) == [UnsubscribeLine(epoch=1, conid=1)]
    assert only(turned, StartTimer) != []


def test_a_running_timer_that_is_early_enough_is_left_alone():
    slots = ready()
    first = slots.receive(wants("chain/A", snapshot(1, refresh_s=30)), T0)
    slots.receive(SnapshotsTaken(epoch=1, listener="A", answered=1, unanswered=()), T0 + S)

    again = slots.receive(wants("chain/B", snapshot(2, refresh_s=60)), T0 + 2 * S)

    assert len(only(first, StartTimer)) == 1
    assert only(again, StartTimer) == []


def test_the_use_of_lines_is_said_when_it_is_news():
    slots = ready()

    said = slots.receive(wants("chain/SPX", stream(1, ENTRY)), T0)
    again = slots.receive(wants("chain/SPX", stream(1, ENTRY)), T0 + 1)

    assert only(said, LinesShared) == [
        LinesShared(limit=100, uses=(LineUse(priority=ENTRY, streaming=1, waiting=0, snapshots=0),))
    ]
    assert only(again, LinesShared) == []


def test_error_101_is_a_defect_a_person_hears_of_once_and_the_desk_keeps_to_what_it_got():
    slots = ready()
    slots.receive(wants("chain/SPX", *[stream(conid, ENTRY) for conid in (1, 2, 3)]), T0)

    first = slots.receive(LineRefused(epoch=1, conid=3, code=101, words="Max"), T0 + 1)
    second = slots.receive(LineRefused(epoch=1, conid=2, code=101, words="Max"), T0 + 2)

    (note,) = only(first + second, NotifyPerson)
    assert note.urgency is Urgency.HIGH
    assert "only 2 lines" in note.text
    assert only(second, LinesShared)[0].limit == 1
    assert only(first + second, SubscribeLine) == []


def test_a_person_hears_of_each_kind_of_refusal_once_a_link_and_not_of_a_rival_session():
    slots = ready()
    slots.receive(wants("chain/SPX", *[stream(conid, ENTRY) for conid in (1, 2, 3)]), T0)

    said = [
        only(
            slots.receive(LineRefused(epoch=1, conid=conid, code=code, words="no"), T0 + 1),
            NotifyPerson,
        )
        for conid, code in ((1, 354), (2, 354), (3, 10197))
    ]

    assert [len(notes) for notes in said] == [1, 0, 0]
    assert "contract 1" in said[0][0].text


def test_a_refusal_of_an_older_link_is_not_told():
    slots = ready()
    slots.receive(link(epoch=2), T0)

    assert slots.receive(LineRefused(epoch=1, conid=1, code=354, words="no"), T0) == ()


def test_it_comes_back_from_the_log_as_it_was():
    slots = ready(lines_max=2, reserve=0)
    slots.receive(wants("chain/SPX", *[stream(conid) for conid in (1, 2, 3)]), T0)
    slots.receive(LineRefused(epoch=1, conid=1, code=354, words="no"), T0 + 1)

    again, _ = rebuild(
        lambda: Slots(limits=LineLimits(lines_max=2, reserve=0)), encode_snapshot(slots, {}), ()
    )

    assert again.state == slots.state
    assert again.receive(TimerFired(name=TURN), T0 + 99 * S) == slots.receive(
        TimerFired(name=TURN), T0 + 99 * S
    )


def test_a_desk_that_ends_turns_no_more_lines():
    assert ready().receive(Quiesce(), T0) == (CancelTimer(name=TURN),)
