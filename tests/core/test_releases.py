"""Which content is loaded."""

from pathlib import Path

from lms.core import releases


def digest_of(folder: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return releases.digest_of(folder)


def test_the_digest_depends_on_places_and_bytes_and_nothing_else(tmp_path: Path):
    digest = digest_of(tmp_path / "one", {"b.md": "b", "a.yaml": "a: 1"})
    assert digest == digest_of(tmp_path / "two", {"a.yaml": "a: 1", "b.md": "b", "notes.txt": "x"})
    assert digest != digest_of(tmp_path / "moved", {"a.yaml": "a: 1", "cases/b.md": "b"})
    assert digest != digest_of(tmp_path / "changed", {"a.yaml": "a: 2", "b.md": "b"})
    assert digest != digest_of(tmp_path / "fewer", {"a.yaml": "a: 1"})
