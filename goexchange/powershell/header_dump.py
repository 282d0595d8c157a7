"""What `eseutil /mh` prints of a database header.

Keys repeat inside the backup sections, so the section a line stands in counts. Source: ESE source,
dbdump.cxx; the state words are promised never to change. Exchange 2003 to Subscription Edition
print subsets of the same lines.
"""

from __future__ import annotations

import re

from attrs import frozen

from goexchange.model.unknown import Unknown
from goexchange.powershell.eseutil import End, parse_end

_LINE = re.compile(r"\s*([A-Za-z][^:]*?)\s*:\s?(.*?)\s*\Z")
_RANGE = re.compile(r"(\d+)-(\d+)(?=\s|\Z)")
_NUMBER = re.compile(r"(\d+)")
# The oldest tools print positions in decimal, all later ones in hexadecimal with 0x in front.
_POSITION = re.compile(r"\((?:0x([0-9A-Fa-f]+)|(\d+)),")
_SIGNATURE = re.compile(r"Create time:\s*(\S+ \S+) Rand:(\d+)")
_BACKUP_SECTION = re.compile(r"\s*((?:Previous|Current) [A-Za-z ]*[Bb]ackup):\s*\Z")
_SHADOW = "DATABASE SHADOW HEADER:"
_PRIMARY = "DATABASE HEADER:"
STATES = frozenset(
    {
        "Illegal", "Just Created", "Dirty Shutdown", "Clean Shutdown", "Being Converted",
        "Force Detach Replay Error", "Incremental Reseed In Progress",
        "Dirty and Patched Shutdown", "Database Revert in Progress", "Consistent", "Inconsistent",
    }
)  # fmt: skip
CLEAN_STATES = frozenset({"Clean Shutdown", "Consistent"})


@frozen
class Signature:
    """A signature as printed: two are the same when both members are."""

    created: str
    random: int


@frozen(kw_only=True)
class HeaderDump:
    """The fields of one header that decisions need.

    Unknown: a field that this build of the tool does not print, or prints in another form.
    Shape: `open_backups` are the sections *Current ... backup* that hold a log range other than
    0-0; `warnings` are the lines about headers that differ or are damaged.
    """

    is_shadow: bool
    state: str
    log_required: tuple[int, int] | Unknown
    signature: Signature | Unknown
    log_signature: Signature | Unknown
    page_bytes: int | Unknown
    dbtime: int | Unknown
    repair_count: int | Unknown
    last_consistent_generation: int | Unknown
    previous_full_backup: tuple[int, int] | Unknown
    open_backups: tuple[str, ...]
    warnings: tuple[str, ...]
    end: End

    @property
    def is_clean(self) -> bool:
        """Clean shutdown and no log required: nothing but this file is needed to mount it."""
        return self.state in CLEAN_STATES and self.log_required == (0, 0)


def parse_header_dump(text: str) -> HeaderDump | Unknown:
    """The header that `/mh` printed.

    Unknown: cut output, no header in it, or a state word that is not known.
    """
    end = parse_end(text)
    if isinstance(end, Unknown):
        return end
    fields, sections, warnings = _fields(text)
    if _PRIMARY not in text and _SHADOW not in text:
        return Unknown("there is no database header in the output")
    if "State" not in fields or fields["State"] not in STATES:
        return Unknown("the header has no state that is known")
    full = "Previous Full Backup"
    return HeaderDump(
        is_shadow=_SHADOW in text,
        state=fields["State"],
        log_required=_range(fields, "Log Required"),
        signature=_signature(fields, "DB Signature"),
        log_signature=_signature(fields, "Log Signature"),
        page_bytes=_number(fields, "cbDbPage"),
        dbtime=_number(fields, "dbtime"),
        repair_count=_number(fields, "Repair Count"),
        last_consistent_generation=_generation(fields, "Last Consistent"),
        previous_full_backup=sections[full] if full in sections else Unknown("no backup history"),
        open_backups=tuple(
            name
            for name, generations in sections.items()
            if name.startswith("Current") and generations != (0, 0)
        ),
        warnings=warnings,
        end=end,
    )


def _fields(
    text: str,
) -> tuple[dict[str, str], dict[str, tuple[int, int] | Unknown], tuple[str, ...]]:
    fields: dict[str, str] = {}
    sections: dict[str, tuple[int, int] | Unknown] = {}
    warnings = []
    section = None
    for line in text.splitlines():
        opened = _BACKUP_SECTION.match(line)
        match = _LINE.match(line)
        if line.strip().startswith("WARNING:"):
            warnings.append(line.strip())
        elif opened:
            section = opened[1]
        elif match and section and match[1] in ("Log Gen", "Mark"):
            if match[1] == "Log Gen":
                sections[section] = _range({"Log Gen": match[2]}, "Log Gen")
        elif match:
            section = None
            fields.setdefault(match[1], match[2])
    return fields, sections, tuple(warnings)


def _range(fields: dict[str, str], name: str) -> tuple[int, int] | Unknown:
    match = _RANGE.match(fields[name]) if name in fields else None
    return (int(match[1]), int(match[2])) if match else Unknown(f"the header has no {name}")


def _number(fields: dict[str, str], name: str) -> int | Unknown:
    match = _NUMBER.match(fields[name]) if name in fields else None
    return int(match[1]) if match else Unknown(f"the header has no {name}")


def _generation(fields: dict[str, str], name: str) -> int | Unknown:
    if name not in fields:
        return Unknown(f"the header has no {name}")
    match = _POSITION.match(fields[name])
    if match is None:
        return Unknown(f"{name} has no log position")
    return int(match[1], 16) if match[1] else int(match[2])


def _signature(fields: dict[str, str], name: str) -> Signature | Unknown:
    match = _SIGNATURE.match(fields[name]) if name in fields else None
    return Signature(match[1], int(match[2])) if match else Unknown(f"the header has no {name}")
