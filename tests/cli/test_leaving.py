"""How the process ends when a thread is left behind in it."""

import os
import subprocess
import sys

PROGRAM = """
import atexit, sys, threading, thetawarden.cli
from thetawarden.__main__ import main

def verb(arguments):
    if "left behind" in arguments:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    print("said", end="")
    return 4

thetawarden.cli.run_command_line = verb
atexit.register(print, ", taken down", end="")
main()
"""


def ends(*arguments):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=dict(os.environ),
    )
    return done.returncode, done.stdout, done.stderr


def test_a_process_with_a_thread_left_behind_is_not_taken_down_under_it():
    assert ends("left behind") == (4, "said", "")


def test_a_process_with_no_thread_left_ends_like_any_other():
    assert ends() == (4, "said, taken down", "")
