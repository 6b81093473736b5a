"""Killed for real with its watchers at work, the desk's next process gives them all they knew."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIVES = 3
KEYS = ("SPX", "NDX", "RUT")


def start(store, life):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.actors.watcher_desk", str(store), str(life)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def test_a_killed_desk_with_watchers_loses_nothing_that_was_acknowledged(tmp_path):
    chance, acknowledged = random.Random(7), {}
    for life in range(LIVES):
        with start(tmp_path, life) as desk:
            first = desk.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.4))
            assert desk.poll() is None, desk.stderr.read()
            desk.kill()
            whole = (first + desk.stdout.read()).rpartition("\n")[0].split()
        acknowledged[life] = max(map(int, whole))

    with start(tmp_path, "finish") as desk:
        out, err = desk.communicate(timeout=60)
    assert desk.returncode == 0, err
    known = json.loads(out)

    for place, key in enumerate(KEYS):
        expected = [
            (life, number)
            for life, last in acknowledged.items()
            for number in range(last + 1)
            if number % 3 == place
        ]
        got = [tuple(map(int, text.split()[-1].split("."))) for text in known[key]]
        assert sorted(set(got)) == sorted(got), f"{key} handled something twice"
        assert set(expected) <= set(got), f"{key} lost something"
        assert got == sorted(got), f"{key} handled something out of order"
