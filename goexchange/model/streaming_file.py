"""The name of a streaming file: the second file of a database of Exchange 2003, which goes with the
first wherever that goes.

Source: the vendor's references of eseutil for Exchange 2003 (`priv1.edb` and `priv1.stm`).
"""

from __future__ import annotations

import re

_DATABASE = re.compile(r"(.*)\.edb(\.[^\\]*)?\Z", re.IGNORECASE | re.DOTALL)


def streaming_beside(path: str) -> str:
    """The streaming file of a database file: `priv1.edb` has `priv1.stm`, a kept
    `priv1.edb.before-<stamp>` has `priv1.stm.before-<stamp>`.
    """
    match = _DATABASE.match(path)
    return f"{match[1]}.stm{match[2] or ''}" if match else f"{path}.stm"
