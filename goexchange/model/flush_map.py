"""The name of a flush map: it lies beside its database file and goes with it wherever that goes.

Source: ESE source, flushmap.hxx: file name of the database with the extension .jfm.
"""

from __future__ import annotations

import re

_DATABASE = re.compile(r"(.*)\.edb(\.[^\\]*)?\Z", re.IGNORECASE | re.DOTALL)


def flush_map_beside(path: str) -> str:
    """The flush map of a database file: `DB.edb` has `DB.jfm`, a kept `DB.edb.before-<stamp>` has
    `DB.jfm.before-<stamp>`.
    """
    match = _DATABASE.match(path)
    return f"{match[1]}.jfm{match[2] or ''}" if match else f"{path}.jfm"
