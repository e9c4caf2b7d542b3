"""Breaks a `rules.py` on purpose, once per place, and sees whether its tests notice.

`python -m tests.mutate lms/competency/rules.py tests/competency/test_rules.py`

Works on a copy of the repository. Prints every change that no test noticed; not part of CI, as a
run takes minutes. A survivor is a missing test or a place where both ways mean the same.
"""

import argparse
import ast
import copy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
}


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, what was changed, and the changed source, one change at a time."""
    tree = ast.parse(source)
    flags = {  # of dataclass(...): they change no answer
        id(part)
        for kind in ast.walk(tree)
        if isinstance(kind, ast.ClassDef)
        for decorator in kind.decorator_list
        for part in ast.walk(decorator)
    }
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in flags:
            continue
        for words, change in _changes(node):
            changed = copy.deepcopy(tree)
            twin = next(n for i, n in enumerate(ast.walk(changed)) if i == number)
            change(twin)
            line = getattr(node, "lineno", 0)
            yield line, words, ast.unparse(ast.fix_missing_locations(changed))


def _changes(node: ast.AST):  # type: ignore[no-untyped-def]  # pairs of words and functions
    if isinstance(node, ast.Compare):
        for place, op in enumerate(node.ops):
            if type(op) in SWAPS:
                new = SWAPS[type(op)]
                yield (
                    f"{type(op).__name__} -> {new.__name__}",
                    lambda n, p=place, o=new: n.ops.__setitem__(p, o()),
                )
    elif isinstance(node, ast.BoolOp | ast.BinOp) and type(node.op) in SWAPS:
        new = SWAPS[type(node.op)]
        yield f"{type(node.op).__name__} -> {new.__name__}", lambda n, o=new: setattr(n, "op", o())
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{node.value} -> {not node.value}", lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield f"{node.value} -> {node.value + 1}", lambda n: setattr(n, "value", n.value + 1)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not -> nothing", lambda n: setattr(n, "op", ast.UAdd()) or _drop_not(n)


def _drop_not(node: ast.UnaryOp) -> None:
    """Turn `not x` into `bool(x)`: the same type, the other value."""
    node.op = ast.Not()
    node.operand = ast.UnaryOp(op=ast.Not(), operand=node.operand)


def main() -> int:
    """Run the tests against every mutant; return 1 when one survived."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rules", type=Path)
    parser.add_argument("tests", nargs="+")
    parser.add_argument("--every", type=int, default=1, help="try only every Nth change")
    asked = parser.parse_args()
    source = (ROOT / asked.rules).read_text(encoding="utf-8")
    survivors = tried = 0
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "copy"
        ignore = shutil.ignore_patterns(".git", ".venv", "instance", "__pycache__", "docs")
        shutil.copytree(ROOT, work, ignore=ignore)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        for line, words, changed in list(mutants(source))[:: asked.every]:
            (work / asked.rules).write_text(changed, encoding="utf-8")
            done = subprocess.run(
                [*command, *asked.tests], cwd=work, capture_output=True, timeout=300, check=False
            )
            tried += 1
            if done.returncode == 0:
                survivors += 1
                print(f"{asked.rules}:{line}: {words}", flush=True)
    print(f"{tried} changes, {survivors} not noticed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
