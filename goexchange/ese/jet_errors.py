"""JET error numbers that file tools end with, by name.

Source: ESE source, jethdr.w (names) and jetmsg.mc (texts).
"""

from __future__ import annotations

from enum import IntEnum

_TEXTS = {
    -501: "Log file is corrupt",
    -528: "Current log file missing",
    -540: "Database and streaming file do not match each other",
    -543: "The required log files for recovery is missing.",
    -550: (
        "Database was not shutdown cleanly. Recovery must first be run to properly complete "
        "database operations for the previous shutdown."
    ),
    -1018: "Checksum error on a database page",
    -1022: "Disk IO error",
    -1032: "Cannot access file, the file is locked or in use",
    -1206: "Non database file or corrupted db",
    -1213: "The database page size does not match the engine",
    -1808: "No space left on disk",
    -1811: "File not found",
}


class JetError(IntEnum):
    """An engine error; the tools' exit code is the number."""

    LogFileCorrupt = -501
    LogGenerationMismatch = -513
    InvalidLogSequence = -515
    MissingLogFile = -528
    BadLogSignature = -530
    BadDbSignature = -531
    BadCheckpointSignature = -532
    CheckpointCorrupt = -533
    DatabaseStreamingFileMismatch = -540
    LogFileSizeMismatch = -541
    RequiredLogFilesMissing = -543
    DatabaseDirtyShutdown = -550
    CommittedLogFilesMissing = -582
    LogSequenceChecksumMismatch = -590
    InvalidParameter = -1003
    ReadVerifyFailure = -1018
    PageNotInitialized = -1019
    DiskIO = -1022
    FileAccessDenied = -1032
    DatabaseCorrupted = -1206
    PageSizeMismatch = -1213
    AttachedDatabaseMismatch = -1216
    DiskFull = -1808
    FileNotFound = -1811

    @property
    def text(self) -> str:
        """`JET_err<Name>, <text>` as tools print it; the name alone where we know no text."""
        name = f"JET_err{self.name}"
        return f"{name}, {_TEXTS[self.value]}" if self.value in _TEXTS else name
