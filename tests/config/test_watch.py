"""What is set about watching, as the watchdog is told it."""

import pytest

from thetawarden.config.watch import WatchConfig, freshness_limits

S = 10**9


def test_in_real_time_every_limit_is_the_one_that_was_set():
    limits = freshness_limits(WatchConfig(price_age_s=90.0, held_age_s=45.0), speed=1.0)

    assert (limits.price_ns_max, limits.first_ns_max) == (90 * S, 90 * S)
    assert limits.held_ns_max == 45 * S


@pytest.mark.parametrize("speed", [2.0, 60.0, 1000.0])
def test_however_fast_the_market_runs_the_machine_has_time_to_deliver(speed):
    limits = freshness_limits(WatchConfig(), speed=speed)

    assert limits.price_ns_max >= 20 * speed * S
    assert limits.first_ns_max >= 90 * speed * S
