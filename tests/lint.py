"""Runs every linter and reports all of them, not only the first. Called by `./run lint`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
LINTERS = (
    ("ruff", "check", "--quiet", "."),
    ("ruff", "format", "--check", "--quiet", "."),
    ("mypy",),
    ("lint-imports",),
    ("djlint", "lms", "--lint", "--quiet", "--profile=jinja"),
)


def main() -> int:
    """Run them all; return 1 when one found something."""
    failed = []
    for command in LINTERS:
        done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, check=False)
        if done.returncode:
            failed.append(" ".join(command))
    for name in failed:
        print(f"not clean: {name}", file=sys.stderr)
    print("linters: " + ("not clean" if failed else "clean"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
