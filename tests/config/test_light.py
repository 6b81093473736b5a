"""What every verb pays to know its configuration."""

import subprocess
import sys

PROGRAM = """
import sys
from {module} import {name}
print([heavy for heavy in ("numpy", "scipy", "rich", "polars") if heavy in sys.modules])
"""


def heavy_after(module, name):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module, name=name)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.strip()


def test_a_configuration_is_read_without_the_libraries_that_compute():
    assert heavy_after("thetawarden.config.loader", "load_config") == "[]"


def test_the_help_of_chaos_loads_no_simulation():
    assert heavy_after("thetawarden.cli.chaos", "chaos") == "[]"
