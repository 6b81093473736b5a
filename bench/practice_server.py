"""A practice gateway in a process of its own, for the figures that measure it from outside.

`python -m bench.practice_server SPEED` (0 is flat out) prints one JSON line when it listens.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from thetawarden.practice.exchange.exchange import PracticeExchange
from thetawarden.practice.market.market import PracticeMarket
from thetawarden.practice.market.parts import Terms
from thetawarden.practice.server import run_gateway
from thetawarden.practice.settings import Settings

START = dt.datetime(2026, 3, 2, 10, 0, tzinfo=ZoneInfo("America/New_York"))


def main(speed: float) -> None:
    """Serve until told to stop."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    terms = Terms(seed=1, start_ns=int(START.timestamp()) * 1_000_000_000)

    def ready(said: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()

    run_gateway(
        exchange=PracticeExchange(PracticeMarket(terms)),
        settings=Settings(messages_per_s_max=0),
        speed=speed or None,
        port=0,
        ready=ready,
    )


if __name__ == "__main__":
    main(float(sys.argv[1]))
