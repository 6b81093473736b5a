"""The link of a whole desk: real processes, its own gateway, and what `status` says meanwhile."""

import os
import signal

import pytest

from tests.cli.shell import wait_for

LINKED = {
    "THETAWARDEN__PRACTICE__GATEWAY": "true",
    "THETAWARDEN__BROKER__AGREE_APART_S": "0.2",
}


@pytest.fixture
def linked(shell):
    shell.extra = LINKED
    shell.start("--start", "2026-03-02")
    wait_for(lambda: is_ready(shell))
    return shell


def is_ready(shell, *, beyond=0):
    status = shell.status()
    link = status.link
    return link.state == "ready" and link.epoch > beyond and status.reconciled


def gateway_port(shell):
    return shell("status", "--json").json["gateway"].rpartition(":")[2]


def gateway_pid(shell):
    for line in (shell.store / "logs").glob("*.jsonl"):
        text = line.read_text()
    started = [one for one in text.splitlines() if "practice_gateway_started" in one]
    return int(started[-1].rpartition('"pid":')[2].strip(" }"))


def test_a_running_desk_comes_back_reconciled_from_every_kind_of_loss(linked):
    played = linked("gateway", "fault", "reset", "--port", gateway_port(linked))
    assert played.code == 0, played.err
    wait_for(lambda: is_ready(linked, beyond=1))
    after_reset = linked("status", "--json").json["link"]["epoch"]

    os.kill(gateway_pid(linked), signal.SIGKILL)
    wait_for(lambda: is_ready(linked, beyond=after_reset))
    after_death = linked("status", "--json").json["link"]["epoch"]

    linked.desks[-1].kill()
    linked.desks[-1].wait(60)
    linked.start()
    wait_for(lambda: is_ready(linked, beyond=after_death))
    assert linked("status", "--json").json["reconciled"] is True
