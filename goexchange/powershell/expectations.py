"""What the parsers of printed output expect, line by line, and how a real output differs from it.

A parser takes the lines that it needs and passes over the rest. Here every line is held against
those that the references name, so that a host that prints something else is noticed before a night
depends on it. Source: ESE source, eseutil.cxx, dbdump.cxx, checksum.cxx, repair.cxx; the vendor's
wbadmin reference and captured runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from attrs import AttrsInstance, fields, frozen

from goexchange.model.unknown import Unknown
from goexchange.powershell.eseutil import (
    parse_checksum,
    parse_defragmentation,
    parse_integrity,
    parse_recovery,
    parse_space,
)
from goexchange.powershell.header_dump import parse_header_dump
from goexchange.powershell.isinteg import parse_isinteg
from goexchange.powershell.wbadmin import parse_backup

LINE_CHARACTERS_MAX = 200
_COMMON = (
    r"(Extensible Storage Engine Utilities for )?Microsoft\(R\) .*",
    r"Version \d+\.\d+",
    r"Copyright \(C\) Microsoft Corporation\. All Rights Reserved\.",
    r"Initiating [A-Z ]+ mode\.\.\.",
    r"(Temp\. )?(Database|Streaming File|DB): .*",
    r"\w[\w .-]* Status \(% complete\)",
    r"0 +10 +20 +30 +40 +50 +60 +70 +80 +90 +100",
    r"\|(----\|)+",
    r"[.X]{1,52}",
    r"Operation (completed successfully|terminated).* seconds\.",
    r"File: .*",
)
_TOOLS: Mapping[str, tuple[str, ...]] = {
    "/mh": (
        r"DATABASE( SHADOW)? HEADER:",
        r"(Fields|Checksum Information|OS Version):?.*",
        r"[A-Za-z(\[][^:]*:.*",  # a field: its name, and what it says
        r"\(.*\).*",
        r"WARNING: .*",
    ),
    "/k": (
        (r"\d+ (pages seen|bad checksums|correctable checksums|uninitialized pages"
        r"|wrong page numbers|reads performed|[KMG]B read|seconds? taken|[KMG]B/second"
        r"|milliseconds used|milliseconds per read|milliseconds for the (slowest|fastest) read)"),
        r"0x[0-9a-f]+ highest dbtime \(pgno 0x[0-9a-f]+\)",
        r"(ERROR|WARNING): page -?\d+.*",
    ),
    "/g": (
        r"Checking database integrity\.",
        r"The database is (not )?up-to-date\..*",
        r"(This operation may find that|this database is corrupt|data from the log files).*",
        r"To ensure the database is up-to-date please use the 'Recovery' operation\.",
        r"this database is corrupt because.*|placed in the database\..*",
        r"Integrity check (successful|completed).*",
        r".*CORRUPTED.*",
    ),
    "/d": (
        r"Moving '.*' to '.*'\.\.\. DONE!",
        r"Note:",
        r"It is recommended that you immediately perform a full backup",
        r"of this database\. If you restore a backup made before the",
        r"defragmentation, the database will be rolled back to the state",
        r"it was in at the time of that backup\.",
    ),
    "/ms": (
        r"\*+ SPACE DUMP \*+|=+|-+",
        r"Pages \d+ \(.*",
        r"Enumerated \d+ Tables \(.*",
        r"[A-Za-z].*",
    ),
    "/r": (
        r"(Logfile base name|Log files|System files|Database Directory): .*",
        r"Performing soft recovery\.\.\.",
    ),
}
_BACKUP = (
    r"wbadmin \d\.\d - Backup command-line tool",
    r"\(C\) Copyright .*Microsoft Corporation\. All rights reserved\.",
    r"Retrieving volume information\.\.\.",
    r"This (would|will) back up .*",
    r"The backup operation to .* is starting\.",
    r"(Creating|Waiting for|Running a consistency check|Scanning the file system).*",
    r"The (backup of volume|backup operation|consistency check).*",
    r"Backup operation .*",
    r"Summary of (the )?backup operation:",
    r"-+",
    r"Log of files .*|.*WindowsServerBackup\\.*\.log",
    r"[A-Za-z]:\\.*\.log",
    r"ERROR - .*",
    r"Application backup|Component: .*|.*\(\d+%\).*",
)

_ISINTEG = (
    r"Databases for server .*:",
    r"Only databases marked as Offline can be checked",
    r"Index +Status +Database-Name",
    r"Storage Group Name: .*",
    r"\d+ +(Offline|Online) +.*",
    r"Enter a number to select a database or press Return to exit\.",
    r"You have selected .* / .*\.",
    r"Continue\?\(Y/N\).*",
    r"Test .* result: .*",
    r"Now in test .*% complete\.",
)


@frozen(kw_only=True)
class Reading:
    """One output held against its parser: what was unknown, and the lines that nobody names."""

    parser: str
    reasons: tuple[str, ...]
    lines: tuple[str, ...]


def read_tool(
    switch: str, text: str, errors: str = "", *, streaming: str | None = None
) -> Reading:
    """One output of eseutil with that switch (`/mh`, `/k`, `/g`, `/d`, `/ms`, `/r`); `streaming` is
    the second file of a pair.

    Unknown: a switch without a parser is itself a reason.
    """
    parser = f"eseutil {switch}"
    if switch not in _TOOLS:
        return Reading(parser=parser, reasons=("there is no parser for it",), lines=())
    parsers: Mapping[str, Callable[[], AttrsInstance | Unknown]] = {
        "/mh": lambda: parse_header_dump(text),
        "/k": lambda: parse_checksum(text, errors, streaming=streaming),
        "/g": lambda: parse_integrity(text),
        "/d": lambda: parse_defragmentation(text),
        "/ms": lambda: parse_space(text),
        "/r": lambda: parse_recovery(text),
    }
    found = parsers[switch]()
    patterns = (*_COMMON, *_TOOLS[switch])
    lines = unknown_lines(f"{text}\n{errors}", patterns)
    return Reading(parser=parser, reasons=_reasons(found), lines=lines)


def read_backup(text: str) -> Reading:
    """One output of `wbadmin start backup`."""
    found = parse_backup(text)
    reasons = (found.end.reason,) if isinstance(found.end, Unknown) else ()
    return Reading(
        parser="wbadmin start backup", reasons=reasons, lines=unknown_lines(text, _BACKUP)
    )


def read_isinteg(text: str) -> Reading:
    """One output of `isinteg -fix`."""
    found = parse_isinteg(text)
    reasons = (found.reason,) if isinstance(found, Unknown) else ()
    return Reading(parser="isinteg", reasons=reasons, lines=unknown_lines(text, _ISINTEG))


def unknown_lines(text: str, patterns: tuple[str, ...]) -> tuple[str, ...]:
    """The lines that fit none of the patterns, each once, in order."""
    known = re.compile("|".join(f"(?:{each})" for each in patterns))
    seen: dict[str, None] = {}
    for line in re.split(r"[\r\n]+", text):
        stripped = line.strip()
        if stripped and known.fullmatch(stripped) is None:
            seen.setdefault(stripped[:LINE_CHARACTERS_MAX])
    return tuple(seen)


def _reasons(found: AttrsInstance | Unknown) -> tuple[str, ...]:
    """Why nothing was read, or which fields of it were not; no backup history is an answer."""
    if isinstance(found, Unknown):
        return (found.reason,)
    members = {one.name: getattr(found, one.name) for one in fields(type(found))}
    return tuple(
        f"{name}: {value.reason}"
        for name, value in members.items()
        if isinstance(value, Unknown) and name != "previous_full_backup"
    )
