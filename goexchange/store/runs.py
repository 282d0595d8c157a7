"""The runs of a store: a folder each, with plan, approval and journal; found by id, listed, never
applied twice.
"""

from __future__ import annotations

import os
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

from goexchange.errors import InvalidDocument, NotNow
from goexchange.store.journal_file import JournalFile, flush_folder, read_journal
from goexchange.store.pruning import pruned
from goexchange.store.requests import remove_requests

PLAN_NAME = "plan.json"
APPROVAL_NAME = "approval.json"
EVIDENCE_NAME = "approved-by.json"
JOURNAL_NAME = "journal.jsonl"
_ID = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9a-f]{4}\Z")


@frozen(kw_only=True)
class RunFolder:
    """One run of the store; `id` is its moment of creation and four random digits."""

    id: str
    path: Path

    @property
    def plan_path(self) -> Path:
        """The plan that it runs, byte for byte."""
        return self.path / PLAN_NAME

    @property
    def approval_path(self) -> Path:
        """The approval that it rests on; may be missing."""
        return self.path / APPROVAL_NAME

    @property
    def evidence_path(self) -> Path:
        """What the approval was decided on, where a policy asked for one."""
        return self.path / EVIDENCE_NAME

    @property
    def journal_path(self) -> Path:
        """Its journal."""
        return self.path / JOURNAL_NAME

    def discard(self) -> None:
        """Remove a run that was refused before its first record: there is nothing to go on with.

        Raises: NotNow when its journal holds anything; OSError when something is in the folder that
        `create` did not put there.
        """
        if self.journal_path.exists() and self.journal_path.stat().st_size:
            raise NotNow(f"Run {self.id} has begun; its folder stays.")
        for path in (self.plan_path, self.approval_path, self.evidence_path, self.journal_path):
            path.unlink(missing_ok=True)
        remove_requests(self.path)
        self.path.rmdir()

    @property
    def plan_sha256(self) -> str | None:
        """The plan's digest as the journal's header says it; None while nothing has begun."""
        for record in read_journal(self.journal_path).records:
            if "plan_sha256" in record.data:
                return str(record.data["plan_sha256"])
        return None


class Runs:
    """The folder `runs` of a store."""

    def __init__(self, store: Path) -> None:
        self._folder = store / "runs"

    def create(
        self, *, plan: bytes, approval: bytes | None, now: datetime, evidence: bytes | None = None
    ) -> RunFolder:
        """Make the folder of a new run with its plan, its approval and what that was decided on,
        flushed.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        run = f"{now.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
        folder = RunFolder(id=run, path=self._folder / run)
        folder.path.mkdir()
        _write(folder.plan_path, plan)
        if approval is not None:
            _write(folder.approval_path, approval)
        if evidence is not None:
            _write(folder.evidence_path, evidence)
        flush_folder(folder.path)
        flush_folder(self._folder)
        return folder

    def adopt(self, run: str, *, plan: bytes, approval: bytes | None, journal: bytes) -> RunFolder:
        """Make the folder of a run that was read back from its hosts, flushed.

        Shape: what the store has of the run itself, when it is another journal or an older copy, is
        set aside beside it, never removed.
        Raises: NotNow when the store's journal holds all that the hosts keep; Locked.
        """
        if not _ID.match(run):
            raise InvalidDocument(f"'{run}' is no run of this tool")
        folder = RunFolder(id=run, path=self._folder / run)
        if folder.path.exists():
            with JournalFile(folder.journal_path) as own:
                if own.path.read_bytes().startswith(journal):
                    raise NotNow(
                        f"The store has run {run} with all that its hosts keep of it:"
                        f" goexchange resume {run}"
                    )
            folder.path.rename(_free_name(self._folder, f"{run}.set-aside"))
        folder.path.mkdir(parents=True)
        _write(folder.plan_path, plan)
        if approval is not None:
            _write(folder.approval_path, approval)
        _write(folder.journal_path, journal)
        flush_folder(folder.path)
        flush_folder(self._folder)
        return folder

    def list(self) -> tuple[RunFolder, ...]:
        """Every run, oldest first."""
        if not self._folder.is_dir():
            return ()
        found = (path for path in self._folder.iterdir() if path.is_dir() and _ID.match(path.name))
        return tuple(RunFolder(id=path.name, path=path) for path in sorted(found))

    def find(self, name: str) -> RunFolder:
        """Find a run by its id, a unique beginning of it, or `last`.

        Raises: InvalidDocument when there is none or more than one.
        """
        runs = self.list()
        found = (
            runs[-1:] if name == "last" else tuple(run for run in runs if run.id.startswith(name))
        )
        if len(found) == 1:
            return found[0]
        if not found:
            known = ", ".join(run.id for run in runs[-5:]) or "none"
            raise InvalidDocument(
                f"There is no run '{name}' in {self._folder} (the last ones: {known})."
            )
        raise InvalidDocument(
            f"'{name}' fits more than one run: {', '.join(run.id for run in found)}."
        )

    def applied_by(self, plan_sha256: str) -> RunFolder | None:
        """The run that has begun to apply this plan; None when none has."""
        return next((run for run in self.list() if run.plan_sha256 == plan_sha256), None)

    def require_unapplied(self, plan_sha256: str) -> None:
        """Refuse a plan that a run has begun to apply.

        Raises: NotNow naming that run, and how to go on with it.
        """
        for gone in pruned(self._folder.parent):
            if gone["plan_sha256"] == plan_sha256:
                raise NotNow(
                    f"The plan {plan_sha256[:8]} was applied by run {gone['run']}, which the store"
                    " keeps no more; a plan is applied once. Plan again."
                )
        run = self.applied_by(plan_sha256)
        if run is not None:
            raise NotNow(
                f"The plan {plan_sha256[:8]} has been applied by run {run.id};"
                " a plan is applied once."
                f" To go on with that run: goexchange resume {run.id}. Otherwise plan again."
            )


def _free_name(folder: Path, name: str) -> Path:
    numbers = (folder / f"{name}-{number}" for number in range(1, 1000))
    return next(path for path in numbers if not path.exists())


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
