"""What counts as a healthy desk."""

import msgspec
import pytest

from thetawarden.domain.vitals import ActorVitals, Ailment, VitalLimits, Vitals, examine

LIMITS = VitalLimits(busy_ns_max=100, queued_max=10, log_lag_ns_max=50, disk_free_bytes_min=1_000)


def look(*, busy=0, queued=0, lag=0, disk=10_000, actors=1):
    actor = ActorVitals(actor="keeper", incarnation=1, handled=5, busy_ns=busy, queued=queued)
    return Vitals(actors=(actor,) * actors, log_lag_ns=lag, disk_free_bytes=disk)


@pytest.mark.parametrize(
    ("vitals", "ailments"),
    [
        (look(), []),
        (look(busy=100), []),
        (look(busy=101), [Ailment.STUCK]),
        (look(busy=-1), [Ailment.STUCK]),
        (look(queued=5), []),
        (look(queued=6), [Ailment.FILLING]),
        (look(queued=10), [Ailment.FILLING]),
        (look(queued=11), [Ailment.FLOODED]),
        (look(lag=50), []),
        (look(lag=51), [Ailment.LOG_BEHIND]),
        (look(lag=-1), [Ailment.LOG_BEHIND]),
        (look(disk=1_000), []),
        (look(disk=999), [Ailment.DISK_LOW]),
        (look(actors=0), [Ailment.NOTHING_RUNS]),
        (look(busy=500, queued=500, disk=0), [Ailment.STUCK, Ailment.FLOODED, Ailment.DISK_LOW]),
    ],
)
def test_each_reading_is_healthy_up_to_its_limit_and_ill_beyond(vitals, ailments):
    assert [finding.ailment for finding in examine(vitals, LIMITS)] == ailments


@pytest.mark.parametrize(
    ("used", "most", "ailments"),
    [
        (10, 10, []),
        (11, 10, [Ailment.MEMORY_HIGH]),
        (None, 10, [Ailment.MEMORY_HIGH]),
        (None, 0, []),
    ],
)
def test_memory_that_is_limited_and_not_known_is_no_health(used, most, ailments):
    vitals = msgspec.structs.replace(look(), memory_bytes=used)
    limits = msgspec.structs.replace(LIMITS, memory_bytes_max=most)

    assert [finding.ailment for finding in examine(vitals, limits)] == ailments


def test_a_finding_names_what_was_found_and_what_is_allowed():
    (finding,) = examine(look(queued=11), LIMITS)

    assert finding.words == "keeper has 11 messages waiting, at most 10"
