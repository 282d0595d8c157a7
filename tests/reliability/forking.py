"""Begins the command line in processes that are forked from this one, which has loaded everything.

Started by `loaded.py`. It imports no HTTP library itself: gevent's patch comes before any of them.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
import traceback
from typing import Any, NoReturn

from goexchange.cli.main import main
from tests.reliability.dying import VARIABLE, Moment, lay

EVERYTHING = ("worker", "running", "reporting", "perform")  # `worker` patches first


def _serve() -> None:
    """Begin a process for each line that is asked; its number first, and how it ended."""
    for name in EVERYTHING:
        importlib.import_module(f"goexchange.app.{name}")
    while line := sys.stdin.readline():
        asked = json.loads(line)
        child = os.fork()
        if not child:
            _begin(asked)
        _say(child)
        _, status = os.waitpid(child, 0)
        _say(os.waitstatus_to_exitcode(status))


def _file(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _begin(asked: Any) -> NoReturn:
    """In the new process: the command, as it was typed in its folder."""
    os.chdir(asked["folder"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(_file(asked["output"]), 1)
    os.dup2(_file(asked["errors"]) if "errors" in asked else 1, 2)
    os.environ |= {"COLUMNS": "100", **asked.get("environment", {})}
    random.seed()
    code: Any = 1
    try:
        if asked.get("dies"):
            moment, step, nth = asked["dies"].split("|")
            os.environ[VARIABLE] = asked["dies"]
            lay(Moment(moment), step, int(nth))
        main(asked["words"])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    except BaseException:  # noqa: BLE001 - as the interpreter does at the end of a process
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
