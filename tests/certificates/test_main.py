"""The command line of the paper."""

from pathlib import Path

import pytest

from certificates.__main__ import main, sample
from certificates.layout import render


def test_sample_writes_a_marked_certificate(tmp_path: Path):
    out = tmp_path / "contoh.pdf"
    assert main(["sample", str(out), "--language", "en"]) == 0
    assert out.read_bytes() == render(sample("en"))
    assert sample("en").sample


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "missing" / "contoh.pdf"
    assert main(["sample", str(out)]) == 1
    assert capsys.readouterr().err == f"{out} was not written: No such file or directory\n"


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main([])
    assert "required: command" in capsys.readouterr().err
