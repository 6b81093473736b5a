"""`why` on a log that was kept: from the quotes to what came of the order, with no desk there."""

import pytest

from tests.cli.shell import one_line_error
from tests.corpus.logs import LOGS, TODAY, unpacked


@pytest.fixture
def kept(shell):
    (log,) = LOGS.glob(f"*.{TODAY}.db.gz")
    folder = shell.store / "log"
    folder.mkdir(parents=True, mode=0o700)
    unpacked(log, folder)
    return shell


def references(shell):
    told = shell("log", "show", "--type", "SubmitOrder", "--json").lines
    return [one["body"]["intent"]["order_ref"] for one in told]


def test_the_story_of_an_order_goes_from_what_was_seen_to_what_came_of_it(kept):
    ref = references(kept)[0]

    story = kept("why", ref, "--json").json
    words = kept("why", ref).out

    causes = [one["type"] for one in story["causes"]]
    assert causes.index("ProposeOrder") < causes.index("OrderApproved")
    assert "ChainViewed" in causes
    seqs = {one["seq"] for one in story["causes"]}
    assert all(one["because_of"] in seqs | {None} for one in story["causes"][1:])
    assert "OrderStageChanged" in [one["type"] for one in story["effects"]]
    assert ref in words
    assert all(str(one["seq"]) in words for one in story["causes"])


def test_an_order_nobody_knows_is_one_line_with_those_that_are_known(kept):
    line = one_line_error(kept("why", "nobody.1"), 2)

    assert "no order 'nobody.1'" in line
    assert references(kept)[-1] in line
