"""Revalues large books in a process of its own, so that it never takes the desk's interpreter.

The job goes in on standard input, what came of it comes out on standard output. A job that takes
too long is ended: the desk decides on its own, smaller measures meanwhile.
"""

from __future__ import annotations

import subprocess
import sys

import msgspec

from thetawarden.domain.risk.stress import StressGrid, StressJob, StressResult, do_stress
from thetawarden.errors import ThetawardenError
from thetawarden.infra.errand import Errand
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.risk import ComputeStress, StressTaken

DEADLINE_S = 60.0
_TRACE_MAX = 300


class StressFailedError(ThetawardenError):
    """A revaluation ended without a result. The next one is asked for as usual."""

    def __init__(self, words: str) -> None:
        super().__init__(f"a stress run ended without a result: {words}")


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What comes back."""

    result: StressResult
    grid: StressGrid | None


class StressWorker:
    """The adapter of `effect:stress`."""

    def __init__(self, *, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._errand = Errand("thetawarden.infra.stress")

    def perform(self, envelope: Envelope[Message], /) -> tuple[Message, ...]:
        """Do a job and wait for it; raises StressFailedError."""
        body = envelope.body
        if not isinstance(body, ComputeStress):
            return ()
        try:
            done = _do_apart(self._errand, body.job, deadline_s=self._deadline_s)
        except StressFailedError:
            if self._errand.stopped:
                return ()
            raise
        return (StressTaken(run=body.run, result=done.result, grid=done.grid),)

    def let_go(self) -> None:
        """The desk ends: no result is awaited any more; from any thread."""
        self._errand.stop()


def _do_apart(errand: Errand, job: StressJob, *, deadline_s: float) -> Done:
    try:
        ended = errand.run(msgspec.msgpack.encode(job), timeout_s=deadline_s)
        return msgspec.msgpack.decode(ended.stdout, type=Done)
    except msgspec.MsgspecError:
        words = ended.stderr.decode(errors="replace").strip()[-_TRACE_MAX:]
        raise StressFailedError(words or f"exit code {ended.returncode}") from None
    except subprocess.TimeoutExpired:
        raise StressFailedError(f"it took more than {deadline_s:g} s") from None


def main() -> None:
    """Be that process."""
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=StressJob)
    result, grid = do_stress(job)
    sys.stdout.buffer.write(msgspec.msgpack.encode(Done(result=result, grid=grid)))


if __name__ == "__main__":
    main()
