"""A large book is revalued in a process of its own, to the same figures, within a deadline."""

import msgspec
import pytest

from tests.actors.governed import Governed, only, option, settings
from thetawarden.infra.lake.stress import stress_rows
from thetawarden.infra.lake.tables.decisions import STRESS_RESULTS
from thetawarden.infra.stress import StressFailedError, StressWorker
from thetawarden.messages.base import Envelope
from thetawarden.messages.risk import ComputeStress, StressTaken, TakeStress


def stressed(**own):
    desk = Governed(own=settings(**own), instruments=(option(), option("AAPL", 170)))
    desk.hold(desk.approve(units=2))
    return desk, desk.tell(TakeStress(run="tonight"))


def envelope(body):
    return Envelope(seq=1, at_ns=1, sender="governor", incarnation=1, cause_seq=None, body=body)


def test_a_large_book_goes_to_a_process_of_its_own_and_comes_back_the_same():
    _, inline = stressed()
    desk, asked = stressed(inline_rows_max=0)
    (job,) = only(asked, ComputeStress)

    (taken,) = StressWorker().perform(envelope(job))

    (expected,) = only(inline, StressTaken)
    assert taken == expected
    assert len(taken.grid.profit_usd) == 21
    desk.tell(taken)
    assert desk.state.stress == taken


def test_a_job_that_takes_too_long_or_fails_is_an_error():
    _, asked = stressed(inline_rows_max=0)
    (job,) = only(asked, ComputeStress)

    with pytest.raises(StressFailedError, match=r"more than 0\.01 s"):
        StressWorker(deadline_s=0.01).perform(envelope(job))
    broken = msgspec.structs.replace(
        job, job=msgspec.structs.replace(job.job, nlv_usd="what", pending=(1,))
    )
    with pytest.raises(StressFailedError, match="ValidationError"):
        StressWorker().perform(envelope(broken))


def test_every_scenario_is_a_row_of_the_whole_book_and_of_each_position():
    _, said = stressed()
    (taken,) = only(said, StressTaken)

    rows = stress_rows(taken, envelope(taken))

    names = [column.name for column in STRESS_RESULTS.columns]
    found = [dict(zip(names, row, strict=True)) for row in rows]
    scenarios = {one.name for one in taken.result.scenarios}
    assert {one["scenario"] for one in found if one["position"] == ""} == scenarios | {"grid"}
    mine = [one for one in found if one["position"] == "TP1"]
    assert {one["scenario"] for one in mine} == scenarios
    assert {one["underlying"] for one in mine} == {"XSP"}
    assert all(one["run"] == "tonight" for one in found)
    assert '"vix_points"' in next(one["grid"] for one in found if one["scenario"] == "grid")
