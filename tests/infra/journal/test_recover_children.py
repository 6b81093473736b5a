"""Instances that come and go, and what waits long: found again however long ago it began."""

import datetime as dt

from tests.actors.watchers import told
from thetawarden.infra.journal.verify import verify_log
from thetawarden.messages.lifecycle import ChildrenChanged, DeskStarted
from thetawarden.ports import Outcome

DAY = dt.date(2026, 3, 2)


def day(number):
    return DAY + dt.timedelta(days=number)


def found(log):
    return log.recover(roles=("chain",))


def unhandled(log, actor):
    return [each.body.words for each in found(log).actors[actor].unhandled]


def changed(journal, *keys):
    journal.say(ChildrenChanged(role="chain", keys=keys), "supervisor", 0, None, 1)


def tell(journal, key, words):
    return journal.say(told(key, words), "tester", 0, None, 1)


def test_every_instance_the_log_knows_is_brought_back_and_others_of_other_roles_are_not(
    log, say, handle
):
    journal = log.open()
    changed(journal, "SPX", "NDX")
    journal.snapshot(actor="chain/SPX", incarnation=0, at_ns=1, state=b"s")
    handle(journal, tell(journal, "NDX", "a"), actor="chain/NDX", incarnation=3)
    handle(journal, say(journal, "x"), actor="keeper/1")
    journal.close()

    past = found(log)

    assert set(past.actors) == {*log.names, "chain/SPX", "chain/NDX"}
    assert past.actors["chain/SPX"].snapshot == b"s"
    assert [step.envelope.body.words for step in past.actors["chain/NDX"].steps] == ["a"]
    assert past.actors["chain/NDX"].incarnation == 3
    assert past.children == {"chain": ("SPX", "NDX")}


def test_an_instance_gets_what_was_said_to_it_while_it_was_there_and_nothing_else(log):
    journal = log.open()
    tell(journal, "SPX", "before")
    changed(journal, "SPX", "NDX")
    tell(journal, "SPX", "one")
    tell(journal, "NDX", "two")
    changed(journal, "SPX")
    tell(journal, "NDX", "after it left")
    tell(journal, "SPX", "three")
    changed(journal, "SPX", "NDX")
    tell(journal, "NDX", "four")
    journal.close()

    assert unhandled(log, "chain/SPX") == ["one", "three"]
    assert unhandled(log, "chain/NDX") == ["four"]


def test_what_a_process_says_before_its_instances_are_there_is_not_for_them_and_mail_stays(log):
    journal = log.open()
    changed(journal, "SPX")
    tell(journal, "SPX", "before the end")
    changed(journal, "SPX")
    started = DeskStarted(config_fingerprint="f", software="1", resumed=True)
    journal.say(started, "supervisor", 0, None, 1)
    journal.wait_durable(tell(journal, "SPX", "nobody there").seq, 30)

    assert found(log).children == {"chain": ("SPX",)}
    assert unhandled(log, "chain/SPX") == ["before the end"]

    changed(journal, "SPX")
    tell(journal, "SPX", "there again")
    journal.close()

    assert unhandled(log, "chain/SPX") == ["before the end", "there again"]


def test_an_instance_that_left_keeps_its_memory_on_every_page_and_nothing_waits_for_it(log, handle):
    journal = log.open()
    changed(journal, "SPX")
    handle(journal, tell(journal, "SPX", "one"), actor="chain/SPX")
    tell(journal, "SPX", "not handled")
    changed(journal)
    for number in (1, 2, 3):
        journal.turn_page(day(number))
        for actor in (*log.names, "chain/SPX"):
            journal.snapshot(actor=actor, incarnation=1, at_ns=1, state=b"kept")
    journal.close()
    log.path().write_bytes(b"not read")

    past = found(log).actors["chain/SPX"]

    assert (past.snapshot, past.unhandled) == (b"kept", [])


def test_what_waits_longer_than_two_pages_still_comes_again_and_only_to_whom_it_waits_for(
    log, say, handle
):
    journal = log.open()
    old = say(journal, "old")
    for number in range(1, 5):
        journal.turn_page(day(number))
        handle(journal, old, outcome=Outcome.WAITING)
    say(journal, "new")
    journal.close()

    past = found(log).actors

    assert [each.body.text for each in past["notifier"].unhandled] == ["old", "new"]
    assert past["watchdog"].unhandled == []
    assert past["notifier"].steps[-1].outcome is Outcome.WAITING
    assert [each.damaged for _, each in verify_log(log.folder)][-1] == 0


def test_what_waited_is_settled_once_it_is_handled_and_still_has_its_second_chance(
    log, say, handle
):
    journal = log.open()
    handled, crashed = say(journal, "handled"), say(journal, "crashed")
    journal.turn_page(day(1))
    for envelope in (handled, crashed):
        handle(journal, envelope, outcome=Outcome.WAITING)
        handle(journal, envelope, outcome=Outcome.WAITING)
    handle(journal, handled)
    handle(journal, crashed, outcome=Outcome.CRASHED)
    journal.close()

    left = found(log).actors["notifier"].unhandled

    assert [each.body.text for each in left] == ["crashed"]
