"""What docs/operate.md tells an operator to type, set and scrape is what there is."""

import configparser
import re
import shlex
from pathlib import Path

import click
import pytest
from flask import Flask

from lms import config
from lms.cli import main
from lms.core import meters

ROOT = Path(__file__).parents[1]
HANDBOOK = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
NOT_READ_BY_US = {"SULUH_VENV", "SULUH_CRASH_AT"}
"""By `./run` alone; by tests alone."""


def settings_in(text: str) -> set[str]:
    return set(re.findall(r"\bSULUH_[A-Z_]*[A-Z]\b", text))


def test_every_setting_is_explained_and_every_explained_one_is_read():
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "lms").rglob("*.py"))
    read = settings_in(code) - NOT_READ_BY_US
    table = HANDBOOK.split("## Settings")[1].split("\n## ")[0]
    explained = settings_in("\n".join(re.findall(r"^\|(.*?)\|", table, re.M)))
    assert explained - NOT_READ_BY_US == read
    assert settings_in(HANDBOOK) - NOT_READ_BY_US <= read
    assert "SULUH_VENV" in (ROOT / "run").read_text(encoding="utf-8")


def test_what_the_table_gives_as_default_is_the_default():
    defaults = config.from_environment(
        {"SULUH_SECRET_KEY": "x" * 40, "DATABASE_URL": "sqlite:///x"}
    )
    said = dict(re.findall(r"^\| `(SULUH_\w+)` \| `?([^|`]+?)`? \|", HANDBOOK, re.M))
    for name, value in {
        "SULUH_ZONE": defaults.zone,
        "SULUH_SECOND_FACTOR": defaults.second_factor,
        "SULUH_STAFF_IDLE_MINUTES": defaults.staff_idle_minutes,
        "SULUH_CONSENT": defaults.consent,
        "SULUH_MAIL_FROM": defaults.mail_from,
        "SULUH_VERIFY_LIMIT": defaults.verify_limit,
        "SULUH_RESERVE_MIB": defaults.reserve_mib,
        "SULUH_FILE_DAYS": defaults.file_days,
        "SULUH_LOG": defaults.log,
    }.items():
        assert said[name] == str(value), name


COMMANDS = sorted(
    set(re.findall(r"(?:\./run cli|-m lms) ([a-z][^`\n|]*)", HANDBOOK))
    | set(re.findall(r"`(doctor|restore|reinstate|list)[` ]", HANDBOOK)) - {"reinstate", "list"}
)


def follow(line: str) -> tuple[click.Command, list[str]]:
    """Return the command a line names, and the words after it."""
    words, found = shlex.split(line, comments=True), main
    while isinstance(found, click.Group) and words and words[0] in found.commands:
        found = found.commands[words.pop(0)]  # type: ignore[assignment]  # a command or a group
    return found, words


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_exists_with_its_options(line: str):
    found, words = follow(re.split(r"[\[(;]|, | for | with | and | to | from ", line)[0].strip())
    assert found is not main, line
    if isinstance(found, click.Group):
        assert words in ([], ["--help"], ["…"]), line
        return
    known = {name for option in found.params for name in option.opts}
    asked = {word for word in words if word.startswith("--")} - {"--help"}
    assert asked <= known or found.name == "bench", line


def test_a_command_nobody_made_is_found():
    """The control."""
    assert follow("backup --portable")[0].name == "backup"
    assert follow("hapus semua")[0] is main


def units() -> dict[str, configparser.ConfigParser]:
    found = {}
    for name, text in re.findall(r"^# /etc/systemd/system/(\S+)\n(.*?)^```", HANDBOOK, re.M | re.S):
        found[name] = configparser.ConfigParser(interpolation=None, strict=True)
        found[name].optionxform = str  # type: ignore[assignment,method-assign]  # keys keep their case
        found[name].read_string(text)
    return found


def test_the_units_of_systemd_are_whole():
    serve, backup = units()["suluh.service"], units()["suluh-backup.service"]
    assert serve["Install"]["WantedBy"] == "multi-user.target"
    for unit, command in ((serve, "serve"), (backup, "backup")):
        service = unit["Service"]
        python, flag, module, word, *_options = shlex.split(service["ExecStart"])
        assert (Path(python).name, flag, module, word) == ("python", "-m", "lms", command)
        assert word in main.commands
        assert service["Environment"].startswith("PYTHONPATH=/opt/suluh")
        assert (service["UMask"], service["User"]) == ("0077", "suluh")
        assert service["WorkingDirectory"] == "/var/lib/suluh"
    assert serve["Service"]["StateDirectory"] == Path(serve["Service"]["WorkingDirectory"]).name


def test_what_is_worth_an_alarm_is_measured(make_app):  # type: ignore[no-untyped-def]
    token = "x" * 20
    app: Flask = make_app(metrics_token=token)
    page = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert page.status_code == 200
    measured = set(re.findall(r"^# TYPE (\S+)", page.text, re.M))
    told = set(
        re.findall(r"\bsuluh_[a-z_]+[a-z]\b", HANDBOOK.split("Worth an alarm:")[1].split("\n\n")[0])
    )
    assert len(told) >= 4
    known = measured | {f"{name}_total" for name in measured}
    assert told <= known, meters.__name__


def test_a_way_back_is_described():
    back = HANDBOOK.split("## New version, and back")[1].split("\n## ")[0]
    for word in ("backup", "doctor", "/readyz", "restore", "--yes"):
        assert word in back
