"""What the planner decides about a database, and why: two closed lists of the plan file."""

from __future__ import annotations

from enum import Enum


class Need(Enum):
    """What a database needs (the decision of the planner)."""

    REBUILD = "rebuild"
    REPAIR = "repair"
    CORRECT = "correct"
    VERIFY = "verify"
    MEASURE = "measure"
    OFFLINE_BACKUP = "offline-backup"
    ONLINE_BACKUP = "online-backup"
    MOUNT = "mount"
    RESTORE = "restore"
    ROLL_BACK = "roll-back"
    PILOT = "pilot"
    MAINTAIN = "maintain"
    NOTHING = "nothing"
    NOT_POSSIBLE = "not-possible"


class Reason(Enum):
    """Why a database or step is as it is; a closed list, stable in the plan file."""

    WHITE_SPACE_OVER_MAXIMUM = "white-space-over-maximum"
    VERIFICATION_TOO_OLD = "verification-too-old"
    NEVER_VERIFIED = "never-verified"
    NEVER_MAINTAINED = "never-maintained"
    MAINTENANCE_TOO_OLD = "maintenance-too-old"
    BACKUP_TOO_OLD = "backup-too-old"
    NEVER_BACKED_UP = "never-backed-up"
    ERRORS_FOUND = "errors-found"
    NEVER_MEASURED = "never-measured"
    MEASUREMENT_TOO_OLD = "measurement-too-old"
    NO_OFFLINE_SET = "no-offline-set"
    OFFLINE_SET_TOO_OLD = "offline-set-too-old"
    NOT_IN_SCRIPT = "not-in-script"
    OUTAGE_NOT_ASKED_FOR = "outage-not-asked-for"
    REPAIRED = "repaired"
    REPAIR_MAY_LOSE_DATA = "repair-may-lose-data"
    MEETS_SPECIFICATION = "meets-specification"
    WHITE_SPACE_WITHIN_MAXIMUM = "white-space-within-maximum"
    GAIN_TOO_SMALL = "gain-too-small"
    REBUILT_RECENTLY = "rebuilt-recently"
    REBUILD_MISSED_GOAL = "rebuild-missed-goal"
    MORE_THAN_ONE_COPY = "more-than-one-copy"
    COPY_NOT_WELL = "copy-not-well"
    COPIES_UNKNOWN = "copies-unknown"
    NO_COPY_TO_LOOK_AT = "no-copy-to-look-at"
    RECOVERY_DATABASE = "recovery-database"
    DISMOUNTED = "dismounted"
    FACT_UNKNOWN = "fact-unknown"
    SCRIPT_NOT_FOR_VERSION = "script-not-for-version"
    NOT_YET_EXECUTED = "not-yet-executed"
    BLOCKED_BY_GUARD = "blocked-by-guard"
    PART_OF_SCRIPT = "part-of-script"
    WAY_BACK = "way-back"
    ASKED_FOR = "asked-for"
