"""May anything be written? Not before the disk is full, and not when the operator says so."""

import logging
import os
import time
from enum import StrEnum
from pathlib import Path

from flask import Flask, current_app

from lms.config import Config

SWITCH = "read-only"
"""The file whose presence in the installation's folder forbids writing."""
EVERY = 2.0
"""Seconds a look at the disk and at the switch holds."""
RETRY_AFTER = 30
log = logging.getLogger(__name__)


class Reason(StrEnum):
    """Why nothing is written."""

    DISK = "disk"
    SWITCH = "switch"


class ReadOnly(Exception):
    """Nothing is written for now; nothing that was sent has been stored."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Gate:
    """Tells, cheaply enough for every write, whether writing is allowed."""

    def __init__(self, folder: Path | None, database: Path | None, reserve: int) -> None:
        self.switch = folder / SWITCH if folder else None
        self.disk = database.parent if database else None
        """None when the database lies on another machine, which looks after its own disk."""
        self.reserve = reserve
        self._until = 0.0
        self._reason: Reason | None = None
        self._told: Reason | None = None

    def free(self) -> int | None:
        """Return how many bytes are left for us on the disk of the database, if it is here."""
        if self.disk is None:
            return None
        found = os.statvfs(self.disk)
        return found.f_bavail * found.f_frsize

    def look(self) -> Reason | None:
        """Look now."""
        if self.switch is not None and self.switch.exists():
            return Reason.SWITCH
        free = self.free()
        return Reason.DISK if free is not None and free < self.reserve else None

    @property
    def reason(self) -> Reason | None:
        """Why nothing may be written, at most EVERY seconds old; None when it may."""
        now = time.monotonic()
        if now >= self._until:
            self._reason = self.look()
            self._until = now + EVERY
        return self._reason

    def watch(self) -> Reason | None:
        """Look now, and say in the log when writing stops or begins again."""
        before, self._reason = self._told, self.look()
        self._told, self._until = self._reason, time.monotonic() + EVERY
        if self._reason is not before:
            words = {Reason.DISK: "the disk is nearly full", Reason.SWITCH: "the operator says so"}
            if self._reason is None:
                log.warning("writing goes on")
            else:
                log.warning("nothing is written: %s", words[self._reason])
        return self._reason

    def forget(self) -> None:
        """Look again at the next question."""
        self._until = 0.0


def init_app(app: Flask, config: Config) -> None:
    """Attach the gate to `app`."""
    app.extensions["suluh_readonly"] = Gate(
        config.folder, config.database_file, config.reserve_mib * 1024 * 1024
    )


def gate() -> Gate:
    """Return the gate of this application."""
    found: Gate = current_app.extensions["suluh_readonly"]
    return found


def refuse() -> None:
    """Let a write pass, or raise ReadOnly."""
    reason = gate().reason
    if reason is not None:
        raise ReadOnly(reason)
