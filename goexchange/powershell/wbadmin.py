"""What `wbadmin start backup` prints: progress per volume and the final words.

Source: the vendor's wbadmin reference and captured runs. Exit codes other than 0 are not
documented, and the words are those of an English Windows: another language gives Unknown, and the
proof of a backup never rests on this text alone.
"""

from __future__ import annotations

import re
from enum import Enum

from attrs import frozen

from goexchange.model.unknown import Unknown

_PROGRESS = re.compile(r"\s*Creating a backup of volume (.+), copied \((\d{1,3})%\)\.?\s*\Z")
_VOLUME_END = re.compile(r"\s*The backup of volume (.+) completed successfully\.\s*\Z")
_FINAL = re.compile(
    r"\s*(?:The )?[Bb]ackup operation (?:(?P<done>successfully completed)"
    r"|(?P<warned>completed with warnings)|(?P<failed>failed)|(?P<stopped>stopped))"
)
_ERROR = re.compile(r"\s*ERROR - (.+?)\s*\Z")


class BackupEnd(Enum):
    """wbadmin's final words."""

    COMPLETED = "completed"
    COMPLETED_WITH_WARNINGS = "completed-with-warnings"
    FAILED = "failed"


@frozen(kw_only=True)
class VolumeProgress:
    """How far one volume is; `percent` never goes back."""

    volume: str
    percent: int


@frozen(kw_only=True)
class BackupOutput:
    """One run of wbadmin as printed."""

    end: BackupEnd | Unknown
    volumes: tuple[VolumeProgress, ...]
    volumes_completed: tuple[str, ...]
    errors: tuple[str, ...]

    def has_succeeded(self, exit_code: int) -> bool:
        """Exit code and final words both say so, without a warning."""
        return exit_code == 0 and self.end is BackupEnd.COMPLETED and not self.errors


def parse_backup(text: str) -> BackupOutput:
    """The output of `wbadmin start backup`, complete or still growing.

    Unknown: `end`, as long as there are no final words.
    """
    percents: dict[str, int] = {}
    completed: list[str] = []
    errors: list[str] = []
    end: BackupEnd | Unknown = Unknown("the output has no final words")
    for line in re.split(r"[\r\n]+", text):
        if progress := _PROGRESS.match(line):
            volume, percent = progress[1], min(100, int(progress[2]))
            percents[volume] = max(percent, percents.get(volume, 0))
        elif volume_end := _VOLUME_END.match(line):
            completed.append(volume_end[1])
        elif error := _ERROR.match(line):
            errors.append(error[1])
        elif final := _FINAL.match(line):
            end = _end(final)
    return BackupOutput(
        end=end,
        volumes=tuple(VolumeProgress(volume=name, percent=n) for name, n in percents.items()),
        volumes_completed=tuple(completed),
        errors=tuple(errors),
    )


def _end(final: re.Match[str]) -> BackupEnd:
    if final["done"]:
        return BackupEnd.COMPLETED
    return BackupEnd.COMPLETED_WITH_WARNINGS if final["warned"] else BackupEnd.FAILED
