"""Runs every test on two processes and holds the coverage to its gates. Called by `./run test`.

With arguments it is plain pytest: `./run test tests/quizzes -k draw`.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from tests.memory import room  # noqa: E402  # called by its path

WHOLE = [
    "lms/**/rules.py",
    "certificates/*",
    "lms/quizzes/services.py",
    "lms/competency/services.py",
]
"""Rules, paper, answers and ledger: covered to the last branch."""


def call(*command: str) -> int:
    """Run a module of this Python in the project's folder."""
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode


def main() -> int:
    """Run the tests; return 0 when all passed and enough was covered."""
    # Every server that tests start would compile the whole application anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # Memory is not left full when somebody ends us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="suluh-tests-", dir=room()) as folder:
        Path(folder).chmod(0o711)  # PostgreSQL runs as somebody else
        os.environ["TMPDIR"] = folder
        return run(sys.argv[1:])


def run(asked: list[str]) -> int:
    """Run what was asked for, or everything."""
    if asked:
        return call("pytest", *asked)
    call("coverage", "erase")
    # One more than cores: journeys wait for their browser.
    workers = str(max(2, os.cpu_count() or 2) + 1)
    failed = call("coverage", "run", "-m", "pytest", "-n", workers, "--dist", "worksteal")
    if failed:
        return failed
    call("coverage", "combine", "--quiet")
    return call("coverage", "report", f"--include={','.join(WHOLE)}", "--fail-under=100") or call(
        "coverage", "report", "--fail-under=95"
    )


if __name__ == "__main__":
    sys.exit(main())
