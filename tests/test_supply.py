"""What others wrote is pinned and asks nobody; what may act on the market is two actors."""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from thetawarden.actors.vocabulary import OUTSIDERS, check_tree
from thetawarden.config.schema import Config
from thetawarden.messages import orders
from thetawarden.supervisor import ADAPTERS, desk_tree

ROOT = Path(__file__).parent.parent
PINNED = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split())
WATCHED_RUN = """
import json, sys
asked = []

def listen(event, arguments):
    if event in {"socket.connect", "socket.sendto"}:
        asked.append(str(arguments[1]))
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        asked.append(str(arguments[0]))

sys.addaudithook(listen)
from thetawarden.cli import run_command_line
code = run_command_line(["run", "--for", "1s"])
print(json.dumps([code, asked]))
"""


def needed(name, found):
    """Everything that is installed because of this distribution."""
    try:
        wanted = distribution(name).requires or ()
    except PackageNotFoundError:
        return
    for words in wanted:
        one = Requirement(words)
        key = canonicalize_name(one.name)
        if key not in found and (one.marker is None or one.marker.evaluate({"extra": ""})):
            found.add(key)
            needed(key, found)


def test_x09_every_package_the_product_needs_is_the_version_that_was_tested():
    found = set()
    needed("thetawarden", found)
    installed = {}
    for name in found:
        try:
            installed[name] = distribution(name).version
        except PackageNotFoundError:
            continue  # for another platform
    pinned = {canonicalize_name(name): version for name, version in PINNED.items()}

    assert len(installed) > 30
    assert {name: pinned.get(name) for name in installed} == installed


def test_x09_a_desk_on_the_practice_market_talks_to_nobody_but_this_machine(tmp_path):
    environment = {
        "PATH": "/usr/bin:/bin",
        "THETAWARDEN_HOME": str(tmp_path),
        "THETAWARDEN__JOURNAL__RESERVE_MB": "1",
        "THETAWARDEN__GUARDIAN__ENABLED": "false",
    }
    done = subprocess.run(
        [sys.executable, "-c", WATCHED_RUN],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env=environment,
    )

    code, asked = json.loads(done.stdout.splitlines()[-1])
    elsewhere = [one for one in asked if not re.search(r"127\.0\.0\.1|^/|^b?'?/|localhost", one)]
    assert code == 0
    assert any("127.0.0.1" in one for one in asked)
    assert elsewhere == []


@pytest.mark.parametrize(
    ("message", "actor"),
    [
        (orders.OrderApproved, "governor"),
        (orders.SubmitOrder, "executor"),
        (orders.ModifyOrder, "executor"),
    ],
)
def test_x10_whoever_proposes_only_the_governor_approves_and_only_the_executor_sends(
    message, actor
):
    vocabularies = check_tree(desk_tree(Config()), adapters=ADAPTERS)

    assert [one.name for one in (*vocabularies, *OUTSIDERS) if message in one.says] == [actor]
