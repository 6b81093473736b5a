"""A desk process with watchers, to be killed: says what it has on disk, line by line.

Started with `finish` it says nothing new, lets everything be handled and prints what each knows.
"""

import json
import os
import sys
import time
from pathlib import Path

import msgspec

import thetawarden.process
from tests.actors.desks import until
from tests.actors.watchers import told, watcher_group
from thetawarden.actors.post import Status
from thetawarden.config.schema import Config
from thetawarden.messages.lifecycle import WatchUnderlyings
from thetawarden.process import DeskProcess
from thetawarden.supervisor import desk_tree

KEYS = ("SPX", "NDX", "RUT")


def tree(config):
    """The real tree, with watchers that keep what they are told."""
    real = desk_tree(config)
    groups = (*(_without_watchers(group) for group in real.groups), watcher_group())
    return msgspec.structs.replace(real, groups=groups)


def _without_watchers(group):
    """The group as it is, but for whoever would start and stop watchers besides us."""
    actors = tuple(spec for spec in group.actors if spec.name != "universe")
    return msgspec.structs.replace(group, actors=actors, template=None)


def main(store, life):
    thetawarden.process.desk_tree = lambda config, **_: tree(config)
    thetawarden.process.check_tree = lambda *_, **__: ()
    process = DeskProcess(Config(), Path(store))
    process.open()
    process.desk.say(WatchUnderlyings(underlyings=KEYS), sender="person")
    until(lambda: {f"chain/{key}" for key in KEYS} <= set(process.desk.posts))
    if life == "finish":
        posts = [process.desk.posts[f"chain/{key}"] for key in KEYS]
        until(lambda: all(post.status is Status.RUNNING for post in posts))
        until(lambda: not any(sum(post.mailbox.depths()) for post in posts))
        known = {key: process.desk.state_of(f"chain/{key}", timeout_s=10) for key in KEYS}
        os.write(1, json.dumps({key: state["texts"] for key, state in known.items()}).encode())
        process.close()
        return
    for number in range(10**9):
        key = KEYS[number % 3]
        text = f"note {life}.{number}"
        seq = process.desk.say(told(key, text), sender="load")
        if number % 5 == 0:
            process.journal.wait_durable(seq, 30)
            os.write(1, f"{number}\n".encode())
        if number % 200 == 199:
            process.desk.begin_page()
            time.sleep(0.001)


if __name__ == "__main__":
    main(*sys.argv[1:])
