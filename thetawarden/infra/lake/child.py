"""Housekeeping in a process of its own, so that its work never takes the desk's interpreter.

The job goes in on standard input, storage options included, as an argument could be read by
others; what was done comes out on standard output.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import msgspec

from thetawarden.infra.clock import WallClock
from thetawarden.infra.errand import Errand
from thetawarden.infra.lake.errors import LakeError, first_line
from thetawarden.infra.lake.household import Household
from thetawarden.infra.lake.housekeeping import maintain
from thetawarden.messages.lake import LakeMaintained

HOURS_MAX = 6


class HousekeepingError(LakeError):
    """The housekeeping process failed as a whole; the next day's does what it left."""

    def __init__(self, words: str) -> None:
        super().__init__(f"lake housekeeping ended without a result: {words}")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done."""

    household: Household
    day: dt.date


def keep_apart(errand: Errand, household: Household, day: dt.date) -> LakeMaintained:
    """Do the housekeeping in a process of its own and wait for it."""
    job = msgspec.json.encode(Job(household=household, day=day), enc_hook=str)
    try:
        done = errand.run(job, timeout_s=HOURS_MAX * 3600.0)
        return msgspec.json.decode(done.stdout, type=LakeMaintained)
    except msgspec.DecodeError:
        raise HousekeepingError(first_line(done.stderr.decode() or done.returncode)) from None
    except subprocess.TimeoutExpired as error:
        raise HousekeepingError(first_line(error)) from None


def main() -> None:
    """Be that process."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job, dec_hook=lambda to, it: to(it))
    done = maintain(job.household, day=job.day, clock=WallClock())
    sys.stdout.buffer.write(msgspec.json.encode(done))


if __name__ == "__main__":
    main()
