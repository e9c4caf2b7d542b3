"""`python -m lms …`: the operator's command line."""

import gc
import sys
from importlib import import_module


def run() -> None:
    """Load what the command line asks for, then do it.

    What a start makes stays until the end. Looking through it for garbage again and again took a
    fifth of the time; kept apart afterwards, it is never looked through again.
    """
    gc.disable()
    # A server starts with the little it needs; the other commands work with every feature.
    commands = import_module("lms.door" if sys.argv[1:2] == ["serve"] else "lms.cli")
    gc.freeze()
    gc.enable()
    commands.main()


if __name__ == "__main__":
    run()
