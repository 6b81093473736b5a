"""An order's life as a table: it moves one way, whatever is late, repeated, reordered or lost."""

from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.orders.machine import TABLE, Evidence, diagram, is_over, step
from thetawarden.domain.orders.stages import ENDS, Stage

LIVE = [stage for stage in Stage if stage not in ENDS]
BROKER_SAYS_SO = {Evidence.LISTED, Evidence.PARTLY, Evidence.WHOLLY, Evidence.REPORTED}
FINAL = {
    Evidence.WHOLLY: Stage.FILLED,
    Evidence.CANCELLED: Stage.CANCELLED,
    Evidence.REFUSED: Stage.REJECTED,
}
CONCLUDED = {Stage.WITHHELD, Stage.ABSENT, Stage.EXPIRED}


def walk(stage, evidence):
    for one in evidence:
        stage = step(stage, one).stage
    return stage


def test_no_end_is_left_but_by_the_brokers_own_word_and_never_in_silence():
    for (stage, evidence), after in TABLE.items():
        if is_over(stage) and not is_over(after.stage):
            assert evidence in BROKER_SAYS_SO
            assert after.resurrects


def test_what_filled_whole_stays_filled():
    assert all(step(Stage.FILLED, evidence).stage is Stage.FILLED for evidence in Evidence)


def test_no_live_order_is_forgotten_by_a_missing_word():
    for stage in LIVE:
        for evidence in (Evidence.SILENT, Evidence.CUT, Evidence.BEGAN, Evidence.MISSING):
            assert not is_over(step(stage, evidence).stage)


@given(st.sampled_from(list(Stage)), st.lists(st.sampled_from(list(Evidence))))
def test_hearing_the_same_twice_changes_nothing_more(stage, evidence):
    for one in evidence:
        stage = step(stage, one).stage
        assert step(stage, one).stage is stage


@given(
    st.lists(st.sampled_from([one for one in Evidence if one not in FINAL])),
    st.sampled_from(sorted(FINAL)),
    st.lists(
        st.sampled_from(
            [Evidence.REPORTED, Evidence.SILENT, Evidence.CUT, Evidence.BEGAN, Evidence.DOUBTED]
        )
    ),
)
def test_once_the_end_is_told_late_word_does_not_undo_it(before, end, late):
    assert walk(Stage.INTENDED, [*before, end, *late]) is FINAL[end]


@given(st.lists(st.sampled_from(list(Evidence))))
def test_a_whole_fill_is_the_truth_in_the_end_whatever_else_is_heard(evidence):
    assert walk(Stage.INTENDED, [*evidence, Evidence.WHOLLY]) is Stage.FILLED


def test_only_doubt_can_be_proved_absent():
    proofs = (Evidence.ABSENT, Evidence.GONE)

    ended = {stage for stage, evidence in TABLE if evidence in proofs}

    assert ended == {Stage.UNKNOWN}


def test_the_diagram_draws_every_change_of_the_table():
    drawn = diagram()

    for (stage, evidence), after in TABLE.items():
        line = next(one for one in drawn.splitlines() if f"    {stage} --> {after.stage}:" in one)
        assert evidence in line
