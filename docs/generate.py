"""Writes the documents that are made from the code, or checks that they are up to date.

`python docs/generate.py` writes, `python docs/generate.py --check` exits 1 naming what differs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import faults_page
import invariants_page
import lake_page
import link_page
import managing_page
import messages_page
import orders_page
import risk_page

from thetawarden.config.reference import render_reference
from thetawarden.infra.control.app import describe_api
from thetawarden.practice.faults.reference import render_reference as render_faults

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).parent
GENERATORS: dict[str, Callable[[], str]] = {
    "configuration.md": render_reference,
    "control-api.json": describe_api,
    "link.md": link_page.render,
    "lake.md": lake_page.render,
    "managing.md": managing_page.render,
    "messages.md": messages_page.render,
    "faults.md": faults_page.render,
    "invariants.md": invariants_page.render,
    "orders.md": orders_page.render,
    "practice-faults.md": render_faults,
    "risk-rules.md": risk_page.render,
}


def main(*, check: bool) -> int:
    """Write each generated document, or compare it with what stands in the tree."""
    stale = []
    for name, generate in GENERATORS.items():
        path, text = DOCS / name, generate()
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text)
    for name in stale:
        state = "is out of date: run `make docs`" if check else "written"
        sys.stdout.write(f"docs/{name} {state}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
