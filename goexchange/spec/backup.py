"""The backup part of a specification."""

from __future__ import annotations

from goexchange.documents import Mapping, Scalar
from goexchange.model.configuration import SecretReference
from goexchange.model.desired import (
    BackupActions,
    BackupAgent,
    BackupConflicts,
    BackupPart,
    BackupState,
    BackupTarget,
    ConflictPolicy,
    DeclaredBackup,
    OfflineBackup,
    OnlineBackup,
    OnlineBackupMethod,
    StateMapping,
)
from goexchange.reading import Findings, Section, rate_bytes_per_s


def read_backup_actions(
    part: Section, findings: Findings, *, is_after: bool = False
) -> BackupActions:
    """Return the backups of one side. Nothing but the database is taken after maintenance, where
    nothing else is asked for.
    """
    offline = part.section("offline") if part.has("offline") else None
    online = part.section("online") if part.has("online") else None
    return BackupActions(
        offline=None if offline is None else _offline(offline, findings, is_after=is_after),
        online=None if online is None else _online(online, findings),
        place=part.place,
    )


def read_conflicts(part: Section) -> BackupConflicts:
    """Return what happens when another backup is in the way."""
    return BackupConflicts(
        running=part.choice("running", ConflictPolicy),
        scheduled=part.choice("scheduled", ConflictPolicy),
        wait_max_s=part.duration_s("wait_max"),
        suspend=part.optional_texts("suspend"),
        resume=part.optional_texts("resume"),
        declared=tuple(_declared(declared) for declared in part.sections("declared")),
        place=part.place,
    )


def _declared(part: Section) -> DeclaredBackup:
    return DeclaredBackup(
        name=part.text("name"),
        due=part.text("due"),
        zone=part.optional_text("zone"),
        lasts_s=part.duration_s("lasts"),
        place=part.place,
    )


def _offline(part: Section, findings: Findings, *, is_after: bool) -> OfflineBackup:
    rate = part.optional_text("rate_max")
    return OfflineBackup(
        target=_target(part.section("target"), findings),
        parts=() if is_after and not part.has("include") else _parts(part),
        paths=_paths(part),
        keep_last=part.section("keep").integer("last"),
        timeout_s=part.duration_s("timeout"),
        rate_max_bytes_per_s=None if rate is None else rate_bytes_per_s(rate),
        place=part.place,
    )


def _parts(part: Section) -> tuple[BackupPart, ...]:
    if not part.has("include"):
        return part.choices("include", BackupPart)
    written = [node.text for node in part.nodes("include") if isinstance(node, Scalar)]
    return tuple(kind for kind in BackupPart if kind.value in written)


def _paths(part: Section) -> tuple[str, ...]:
    nodes = (node.find("path") for node in part.nodes("include") if isinstance(node, Mapping))
    return tuple(node.text for node in nodes if isinstance(node, Scalar))


def _online(part: Section, findings: Findings) -> OnlineBackup:
    return OnlineBackup(
        method=part.choice("method", OnlineBackupMethod),
        target=_target(part.section("target"), findings) if part.has("target") else None,
        agent=_agent(part.section("agent")) if part.has("agent") else None,
        timeout_s=part.duration_s("timeout"),
        place=part.place,
    )


def _target(part: Section, findings: Findings) -> BackupTarget:
    return BackupTarget(
        path=part.text("path"), credential=_credential(part, findings), place=part.place_of("path")
    )


def _credential(part: Section, findings: Findings) -> SecretReference | None:
    try:
        return part.secret("credential")
    except ValueError as error:
        findings.add(
            "secret-reference",
            detail=f"The reference cannot be used: {error}.",
            place=part.place_of("credential"),
        )
        return None


def _agent(part: Section) -> BackupAgent:
    return BackupAgent(
        start=part.texts("start"),
        state=part.texts("state"),
        stop=part.optional_texts("stop"),
        states=tuple(
            StateMapping(prints=word, means=BackupState(meaning), place=part.place_of("states"))
            for word, meaning in part.words("states")
        ),
        poll_every_s=part.duration_s("poll_every"),
        runs_on=part.optional_text("runs_on"),
        copies=part.optional_texts("copies"),
        place=part.place,
    )
