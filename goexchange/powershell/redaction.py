"""Values that look like secrets in command lines and tool output are blotted out before anything
keeps them.

A secret of ours never gets there: it is a reference until a session is opened. These are other
people's: a scheduled task with a password among its arguments, a tool that echoes its own.
"""

from __future__ import annotations

import re

_NAME = r"(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[-_]?key|access[-_]?key|credentials?)"
_SECRETS = (
    # switches and assignments: -Password x, /pwd:x, --token=x, PASSWORD="a b"
    re.compile(rf"(?i)((?:[-/]{{1,2}}|\b){_NAME}\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s\"',;]+)"),
    re.compile(rf"(?i)([-/]{{1,2}}{_NAME}\s+)(\"[^\"]*\"|'[^']*'|[^\s\"',;]+)"),
    # user and password in an address: https://user:secret@host
    re.compile(r"(?i)([a-z][a-z0-9+.-]*://[^\s:/@]+:)([^\s@/]+)(?=@)"),
)
BLOT = "***"


def redacted(text: str) -> str:
    """The text with every value that is named like a secret replaced by `***`."""
    for pattern in _SECRETS:
        text = pattern.sub(rf"\g<1>{BLOT}", text)
    return text
