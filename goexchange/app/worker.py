"""The entry of every verb that talks to hosts: gevent's patch comes before any HTTP library.

Verbs that talk to no host never import this module. A library that was loaded before the patch
would talk over
unpatched sockets and stop every other host while it waits, so that is an error of ours and said
loudly.
Source: architecture decision record 0001 (channels).
"""

from __future__ import annotations

import sys

_TOO_EARLY = sorted({"requests", "urllib3", "winrm", "pypsrp", "ssl"} & set(sys.modules))
if _TOO_EARLY and "gevent.monkey" not in sys.modules:
    raise RuntimeError(f"loaded before the patch: {', '.join(_TOO_EARLY)}")

from gevent import monkey  # noqa: E402

if not monkey.is_module_patched("socket"):
    monkey.patch_all()

from goexchange.transport.fleet import Fleet as Fleet  # noqa: E402
from goexchange.transport.session import RemoteSession as RemoteSession  # noqa: E402
