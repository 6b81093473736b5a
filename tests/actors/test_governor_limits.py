"""Limits that were loosened between two runs open nothing until a person has said so."""

import msgspec

from tests.actors.governed import Governed, only
from thetawarden.config.risk import BrakesConfig, RiskConfig
from thetawarden.config.stated import stated_limits
from thetawarden.domain.risk.finding import RuleId
from thetawarden.domain.risk.loosening import fingerprint_of
from thetawarden.messages.operations import NotifyPerson
from thetawarden.messages.orders import OrderApproved, OrderRefused
from thetawarden.messages.risk import AcceptLimits, LimitsStated

USUAL = stated_limits(RiskConfig())
LOOSER = stated_limits(RiskConfig(brakes=BrakesConfig(day_loss_fraction=0.05)))
TIGHTER = stated_limits(RiskConfig(brakes=BrakesConfig(day_loss_fraction=0.01)))


def started(*limits):
    desk = Governed()
    for one in limits:
        said = desk.tell(LimitsStated(limits=one))
    return desk, said


def accept(desk, limits):
    return desk.tell(AcceptLimits(fingerprint=fingerprint_of(limits), reason="I mean it", by="ann"))


def test_c06_looser_limits_open_nothing_are_told_in_full_and_asked_about():
    desk, said = started(USUAL, LOOSER)

    (told,) = only(said, NotifyPerson)
    assert "risk.brakes.day_loss_fraction 0.02 -> 0.05" in told.text
    assert f"resume --limits {fingerprint_of(LOOSER)}" in told.text
    (refused,) = only(desk.propose(), OrderRefused)
    assert RuleId.R13 in refused.review.binding
    assert "allows more than before" in refused.words


def test_c06_a_person_who_names_them_lets_entries_go_on_and_is_not_asked_again():
    desk, _ = started(USUAL, LOOSER)

    accept(desk, LOOSER)
    again = desk.tell(LimitsStated(limits=LOOSER))

    assert only(again, NotifyPerson) == []
    assert only(desk.answer(desk.propose(), margin=2_000.0), OrderApproved)


def test_h05_limits_other_than_those_that_were_shown_are_not_accepted():
    desk, _ = started(USUAL, LOOSER)

    accept(desk, TIGHTER)

    assert only(desk.propose(), OrderRefused)
    assert desk.state.limits_kept == USUAL


def test_c06_a_limit_once_tightened_is_the_measure_from_then_on():
    _, said = started(USUAL, TIGHTER, USUAL)

    assert "day_loss_fraction 0.01 -> 0.02" in only(said, NotifyPerson)[0].text


def test_c06_putting_the_old_limits_back_needs_nobody():
    desk, said = started(USUAL, LOOSER, USUAL)

    assert only(said, NotifyPerson) == []
    assert only(desk.answer(desk.propose(), margin=2_000.0), OrderApproved)


def test_c06_the_question_outlives_the_process():
    desk, _ = started(USUAL, LOOSER)
    state = msgspec.json.decode(msgspec.json.encode(desk.state), type=type(desk.state))

    assert state.frozen["limits"] == desk.state.frozen["limits"]
    assert state.limits_kept == USUAL
