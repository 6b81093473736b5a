"""The runbook, followed literally: each of its commands is run as it stands there."""

import re
import shlex
from pathlib import Path

from tests.cli.shell import wait_for

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"
EXIT = re.compile(r"\s+# exit (\d+)$")


def commands():
    """Each line of each shell block, with the exit code it is to end with."""
    for block in re.findall(r"```sh\n(.*?)```", RUNBOOK.read_text(), re.DOTALL):
        for line in block.splitlines():
            found = EXIT.search(line)
            yield EXIT.sub("", line), int(found[1]) if found else 0


def test_a_newcomer_who_types_what_stands_there_gets_what_it_says(shell):
    desk = None
    for line, code in commands():
        program, *words = shlex.split(line)
        assert program == "thetawarden"
        if words == ["run", "&"]:
            desk = shell.start()
            continue
        done = shell(*words)
        assert done.code == code, (line, done.code, done.err)
        if words[0] == "halt":
            wait_for(lambda: shell.status().trading_state == "halted")

    assert desk.wait(60) == 0


def test_the_runbook_has_every_step_of_a_desks_life():
    lines = [line for line, _ in commands()]

    verbs = [shlex.split(line)[1] for line in lines]
    assert verbs[0] == "run"
    assert verbs[-1] == "stop"
    assert {"status", "halt", "resume", "log", "positions"} <= set(verbs)
