"""Fair shares, as properties."""

from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.slots.sharing import share

QUEUES = st.dictionaries(
    st.sampled_from("abcd"), st.lists(st.integers(1, 30), unique=True, max_size=20), max_size=4
)


@given(queues=QUEUES, places=st.integers(-1, 40))
def test_places_are_used_up_and_never_exceeded_and_nothing_is_chosen_twice(queues, places):
    chosen = share(queues=queues, kept=(), places=places)

    everything = {conid for queue in queues.values() for conid in queue}
    assert len(chosen) == min(max(0, places), len(everything))
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) <= everything


@given(lengths=st.lists(st.integers(0, 20), min_size=1, max_size=5), places=st.integers(0, 60))
def test_nobody_has_two_more_than_another_who_still_waits(lengths, places):
    queues = {
        str(owner): [owner * 100 + each for each in range(length)]
        for owner, length in enumerate(lengths)
    }

    chosen = set(share(queues=queues, kept=(), places=places))

    counts = {owner: len(chosen & set(queue)) for owner, queue in queues.items()}
    for owner, queue in queues.items():
        if counts[owner] < len(queue):
            assert max(counts.values()) <= counts[owner] + 1


@given(queues=QUEUES, places=st.integers(0, 40))
def test_each_owner_is_served_in_its_own_order(queues, places):
    chosen = set(share(queues=queues, kept=(), places=places))

    for owner, queue in queues.items():
        others = {conid for name, its in queues.items() if name != owner for conid in its}
        own = [conid in chosen for conid in queue if conid not in others]
        assert own == sorted(own, reverse=True)


@given(queues=QUEUES, places=st.integers(0, 40))
def test_the_order_in_which_owners_are_named_changes_nothing(queues, places):
    backwards = dict(reversed(queues.items()))

    assert share(queues=queues, kept=(), places=places) == share(
        queues=backwards, kept=(), places=places
    )


def test_what_is_kept_counts_for_those_who_want_it():
    queues = {"a": [1, 2, 3, 4], "b": [5, 6, 7, 8]}

    assert share(queues=queues, kept=(1, 2), places=5) == [1, 2, 5, 6, 3]
