"""Runs several pieces of work at the same moment."""

import threading
from collections.abc import Callable, Sequence

from flask import Flask

from lms.core.db import db


def race(app: Flask, tasks: Sequence[Callable[[], object]]) -> list[object]:
    """Run `tasks` at once, each in a thread and an application context of its own.

    Returns what each gave back, or the error it ended with.
    """
    barrier, results = threading.Barrier(len(tasks)), [None] * len(tasks)

    def run(place: int, task: Callable[[], object]) -> None:
        with app.app_context():
            barrier.wait(10)
            try:
                results[place] = task()
            except Exception as error:
                results[place] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
