"""Results of pure functions that are kept for the values they were computed of."""

from thetawarden.domain.remembering import remembered


class Value:
    """Two of these are never the same."""


def counted(kept_max=8):
    asked = []

    @remembered(kept_max)
    def found(value, *, times=1):
        asked.append(value)
        return (len(asked), times)

    return found, asked


def test_the_same_value_is_computed_once():
    found, asked = counted()
    value = Value()

    assert found(value) is found(value)
    assert asked == [value]


def test_another_value_or_another_keyword_is_computed_anew():
    found, asked = counted()
    value = Value()

    assert len({found(value), found(Value()), found(value, times=2), found(value, times=1)}) == 4
    assert len(asked) == 4


def test_a_result_of_nothing_is_remembered_too():
    asked = []
    value = Value()
    nothing = remembered(8)(asked.append)

    nothing(value)
    nothing(value)

    assert asked == [value]


def test_a_value_that_is_gone_lends_its_identity_to_no_other():
    found, _ = counted()

    seen = [found(Value()) for _ in range(8)]

    assert len(set(seen)) == 8


def test_no_more_is_kept_than_allowed():
    found, asked = counted(kept_max=2)
    values = [Value() for _ in range(3)]

    for value in values:
        found(value)
    found(values[0])

    assert len(asked) == 4
