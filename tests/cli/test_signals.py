"""Which signals end a desk gracefully, and which at once."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys, threading
from thetawarden.cli.signals import heed_signals

class Desk:
    ended = threading.Event()
    braked = threading.Event()

    def brake(self, *, flatten):
        self.braked.set()

    def end_at_once(self):
        pass

desk = Desk()
heed_signals(desk)
for name in sys.argv[1].split():
    if name == "over":
        desk.ended.set()
    else:
        os.kill(os.getpid(), getattr(signal, name))
os.kill(os.getpid(), signal.SIGUSR1)  # heeded after all that came before
desk.braked.wait(60)
print("ends gracefully" if desk.ended.is_set() else "goes on", flush=True)
os._exit(0)
"""


def after(signals):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, signals],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()


@pytest.mark.parametrize("signals", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_one_signal_ends_a_desk_gracefully(signals):
    assert after(signals) == "ends gracefully"


@pytest.mark.parametrize("signals", ["SIGINT SIGINT", "SIGTERM SIGINT", "SIGHUP SIGTERM"])
def test_a_second_one_ends_it_at_once(signals):
    assert "stopped at once" in after(signals)


@pytest.mark.parametrize("signals", ["SIGHUP SIGHUP", "SIGINT SIGHUP"])
def test_a_terminal_that_hangs_up_twice_asks_once(signals):
    assert after(signals) == "ends gracefully"


@pytest.mark.parametrize("signals", ["over SIGINT", "over SIGTERM", "over SIGHUP"])
def test_the_first_signal_to_a_desk_that_ends_already_is_no_second_one(signals):
    assert after(signals) == "ends gracefully"


def test_no_ending_signal_ends_nothing():
    assert after("") == "goes on"
