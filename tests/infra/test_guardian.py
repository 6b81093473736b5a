"""What the guardian does when the way to the gateway fails."""

import os
import subprocess

import pytest

from thetawarden.infra import guardian
from thetawarden.infra.guardian import Guardian, Orders
from thetawarden.infra.heartbeat import Heartbeat
from thetawarden.infra.ib.canceller import Gateway, Looked

GATEWAY = Gateway(host="127.0.0.1", port=1, desk_client_id=17, own_client_id=917)


class Person:
    def __init__(self):
        self.heard = []

    def send(self, *, urgency, text):
        self.heard.append(text)
        return True


@pytest.fixture
def ended():
    """The number of a process that is over and not yet waited for."""
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    yield process.pid
    process.wait()


def test_whatever_fails_at_the_gateway_is_tried_again(tmp_path, monkeypatch, ended):
    tries = []

    async def look(_):
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("a field that is no number")
        return Looked(entries=(), others=())

    monkeypatch.setattr(guardian, "look_and_cancel_all", look)
    monkeypatch.setattr(guardian, "AGAIN_S", 0.01)
    monkeypatch.setattr(guardian, "LOOK_S", 0.01)
    Heartbeat(tmp_path / "heartbeat", run="r").begin(at_ns=1)
    orders = Orders(
        run="r",
        pid=ended,
        heartbeat=tmp_path / "heartbeat",
        flag=tmp_path / "halt",
        gateway=GATEWAY,
        silence_s=0.0,
        act_within_s=30.0,
        may_kill=True,
    )
    person = Person()

    Guardian(orders, {"person": person}).watch()

    assert len(tries) == 2
    assert person.heard[-1].startswith("No entry works any more")
    assert (tmp_path / "halt").exists()
