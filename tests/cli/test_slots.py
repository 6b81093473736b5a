"""What `slots` shows of the slots actor's state, as it comes over the control socket."""

import msgspec

from tests.actors.test_slots import ENTRY, POSITION, ready, wants
from tests.domain.slots.desk import T0, snapshot, stream
from thetawarden.cli.slots import OwnerView, UseView, view_of, words_of
from thetawarden.domain.link.states import LinkState
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import LineRefused


def over_the_wire(slots):
    return msgspec.json.decode(msgspec.json.encode(slots.state))


def test_before_anything_is_wanted_nothing_is_used():
    view = view_of(over_the_wire(ready()))

    assert words_of(view) == "0 of 100 lines in use"
    assert words_of(view_of(None)) == "0 of 0 lines in use; the link takes no requests now"


def test_each_class_and_each_owner_is_shown_with_who_waits():
    slots = ready(lines_max=2, reserve=0)
    slots.receive(wants("keeper", stream(1, POSITION)), T0)
    slots.receive(wants("chain/SPX", stream(2, ENTRY), stream(3, ENTRY), snapshot(4)), T0)

    view = view_of(over_the_wire(slots))

    assert words_of(view) == "2 of 2 lines in use"
    assert view.classes[1] == UseView(priority="entry", streaming=1, waiting=1, snapshots=0)
    assert view.owners[0] == OwnerView(
        owner="keeper", priority="position", streaming=1, waiting=0, snapshots=0
    )


def test_refusals_and_what_the_broker_taught_are_shown():
    slots = ready()
    slots.receive(wants("chain/SPX", stream(1, ENTRY), stream(2, ENTRY)), T0)
    slots.receive(LineRefused(epoch=1, conid=1, code=354, words="no"), T0)
    slots.receive(LineRefused(epoch=1, conid=2, code=101, words="no"), T0)
    slots.receive(LinkChanged(epoch=1, state=LinkState.CUT_OFF, entries=False, why=""), T0)

    view = view_of(over_the_wire(slots))

    (refused,) = view.refused
    assert (refused.conid, refused.code, refused.again_at[:4]) == (1, 354, "2023")
    assert "error 101" in words_of(view)
    assert "takes no requests" in words_of(view)


def test_a_running_desk_shows_its_lines_as_a_table_and_as_json(desk):
    table, document = desk("slots"), desk("slots", "--json")

    assert table.code == document.code == 0
    assert "of 100 lines in use" in table.out
    assert set(document.json) >= {"limit", "used", "open", "classes", "owners", "refused"}
    assert document.json["limit"] == 100
