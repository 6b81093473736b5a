"""A log whose rows were changed with fitting checksums: replay finds what, and says so."""

import shutil
from itertools import pairwise

import pytest

from tests.sim.recording import tree_of_marked
from tests.sim.tampering import body_of, plain, tampering
from thetawarden.actors.shapes import shapes_of
from thetawarden.config.schema import Config
from thetawarden.infra.journal.errors import DamagedLogError
from thetawarden.infra.journal.reader import open_log
from thetawarden.infra.journal.verify import verify_log
from thetawarden.ports import Outcome
from thetawarden.sim import side_by_side
from thetawarden.sim.cast import Processes
from thetawarden.sim.replay import verify_replay
from thetawarden.sim.shares import Past
from thetawarden.supervisor import desk_tree

ALERT = "kind = 'DeliverAlert' AND sender = 'notifier'"
HALTED = "kind = 'TradingHalted' AND sender = 'governor'"


@pytest.fixture
def log(recorded, tmp_path):
    folder, _ = recorded
    return shutil.copytree(folder, tmp_path / "log")


@pytest.fixture
def found(recorded, log):
    """What one pass in order finds; beside each other the actors must come to the same."""
    _, tree = recorded

    def past_of(days, starts=None):
        return Past(days=days, tree=tree, processes=Processes(days, lambda _: tree, starts))

    def find():
        with open_log(log) as days:
            in_order = verify_replay(tree, days, processes=past_of(days).processes)
        beside = side_by_side.verify(
            lambda: open_log(log), past_of, day=None, jobs=2, worth_it_from=1
        )
        assert beside == in_order
        return in_order.first_difference

    return find


def damage(log):
    *_, (_, total) = verify_log(log)
    return total.damaged


def test_what_was_not_touched_is_as_recorded(found):
    assert found() is None


def shortened(file, told):
    """Without its last field, for which an older version had no word."""
    file.change("messages", told, body=body_of(plain(told["body"])[:-1]))


def test_an_answer_that_lost_a_field_is_a_difference_where_todays_version_wrote_it(log, found):
    with tampering(log) as file:
        shortened(file, file.rows("messages", ALERT)[3])

    assert damage(log) == 0
    assert (found().actor, found().what) == ("notifier", "the answers differ")


def test_fields_that_an_older_version_did_not_write_are_no_difference(log, found):
    with tampering(log) as file:
        (started,) = file.rows("messages", "kind = 'DeskStarted'")
        of_another = [*plain(started["body"])[:-1], "of another version"]
        file.change("messages", started, body=body_of(of_another))
        shortened(file, file.rows("messages", ALERT)[3])

    assert found() is None


def test_a_state_that_lost_a_field_is_a_difference_where_todays_version_wrote_it(log, found):
    with tampering(log) as file:
        kept = file.rows("snapshots", "actor = 'governor'")[1]
        state, timers = plain(kept["body"])
        del state["latch"]
        file.change("snapshots", kept, body=body_of([state, timers]))

    difference = found()

    assert difference.what == "the state after it differs from the snapshot"
    assert difference.kind in {"Halt", "Resume"}
    assert difference.message["by"] == "test"
    assert "latch" in difference.state_before
    assert difference.state_before != difference.expected


def test_a_state_that_cannot_be_read_is_a_difference(log, found):
    with tampering(log) as file:
        kept = file.rows("snapshots", "actor = 'governor'")[1]
        file.change("snapshots", kept, body=b"\xc1garbage")

    assert found().actor == "governor"
    assert found().expected == ["8 bytes that cannot be read, beginning with c167617262616765"]


def test_a_state_of_nobody_is_a_difference(log, found):
    with tampering(log) as file:
        kept = file.rows("snapshots", "actor = 'governor'")[1]
        file.change("snapshots", kept, actor="nosuch")

    assert found().what == "a snapshot of an actor that is not in today's tree"


def test_actors_that_were_handled_in_another_order_are_found_whoever_verifies(log, found):
    """Each by itself is as recorded."""
    with tampering(log) as file:
        answered = {row["cause_seq"] for row in file.rows("messages", "incarnation > 0")}
        spoke = [row for row in file.rows("deliveries") if row["seq"] in answered]
        one, other = next(
            (one, other)
            for one, other in pairwise(spoke)
            if one["actor"] != other["actor"] and one["seq"] != other["seq"]
        )
        file.put("deliveries", {**one, "n": other["n"]})
        file.put("deliveries", {**other, "n": one["n"]})

    assert found() is not None


def test_answers_to_what_was_not_handled_are_told_of_and_nobody_else_is_blamed(log, found):
    with tampering(log) as file:
        told = file.rows("messages", HALTED)[5]
        (delivery,) = file.rows("deliveries", f"seq = {told['cause_seq']} AND actor = 'governor'")
        file.change("deliveries", delivery, outcome=int(Outcome.CRASHED))

    difference = found()

    assert (difference.actor, difference.kind) == ("governor", "Halt")
    assert difference.seq == told["cause_seq"]
    assert difference.what.startswith("answers without a delivery that was handled: messages")
    assert str(told["seq"]) in difference.what


@pytest.mark.parametrize("change", [{"kind": "TradingResumed"}, {"at_ns": 5}])
def test_what_is_said_of_an_answer_is_compared_too(log, found, change):
    with tampering(log) as file:
        file.change("messages", file.rows("messages", HALTED)[3], **change)

    assert "is told to be" in found().what


def test_a_kind_that_the_body_is_not_of_is_damage(log):
    with tampering(log) as file:
        file.change("messages", file.rows("messages", HALTED)[3], kind="TradingResumed")

    assert damage(log) == 1


@pytest.mark.parametrize("which", [0, 1])
def test_an_end_that_was_cut_off_is_not_as_recorded(log, found, which):
    with tampering(log, which) as file:
        last = file.rows("messages", "incarnation > 0")[-1]
        of_last = f"seq = {last['cause_seq']} AND actor = '{last['sender']}'"
        (answered,) = file.rows("deliveries", of_last)
        first = min(
            row["seq"]
            for row in file.rows("messages", f"cause_seq = {last['cause_seq']}")
            if row["sender"] == last["sender"]
        )
        for table, name, number in (
            ("snapshots", "n", answered["n"]),
            ("deliveries", "n", answered["n"]),
            ("messages", "seq", first),
        ):
            for row in file.rows(table, f"{name} >= {number}"):
                file.drop(table, row)

    with pytest.raises(DamagedLogError, match="ends at"):
        found()


def test_a_message_that_nobody_handled_is_missed(recorded, log):
    _, tree = recorded
    with tampering(log) as file:
        file.drop("messages", file.rows("messages", "kind = 'DeskStarted'")[0])

    with open_log(log) as days, pytest.raises(DamagedLogError, match="1 messages are missing"):
        verify_replay(tree, days)


def test_another_word_stands_for_other_fields(recorded):
    _, tree = recorded

    assert shapes_of(tree) == shapes_of(desk_tree(Config()))
    assert shapes_of(tree) != shapes_of(tree_of_marked("one"))
