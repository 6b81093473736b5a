"""`thetawarden`, also as `python -m thetawarden`."""

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from thetawarden.cli import run_command_line  # noqa: PLC0415  # so that importing this is free

    sys.exit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
