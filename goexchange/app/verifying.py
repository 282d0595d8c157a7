"""The verb `verify`: scan a path, judge it, say so."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from goexchange.backup.check import judge, plain_judgement
from goexchange.backup.findings import Judgement, Verdict, Weight
from goexchange.errors import GoexchangeError

GOOD = (Verdict.RESTORABLE, Verdict.RESTORABLE_WITH_REPLAY, Verdict.SOUND)
WORDS = {
    Verdict.RESTORABLE: "restorable",
    Verdict.RESTORABLE_WITH_REPLAY: "restorable, with replay of its logs",
    Verdict.NOT_RESTORABLE: "NOT restorable",
    Verdict.SOUND: "sound",
    Verdict.DAMAGED: "DAMAGED",
    Verdict.UNDECIDED: "cannot be decided",
}


@frozen(kw_only=True)
class Verification:
    """What was found at one path."""

    judgement: Judgement

    @property
    def is_good(self) -> bool:
        """Nothing is damaged and nothing is left undecided."""
        return self.judgement.verdict in GOOD and not self.judgement.is_damaged

    @property
    def plain(self) -> Any:
        """As JSON values."""
        return plain_judgement(self.judgement)

    @property
    def text(self) -> str:
        """For people: verdict, findings, a line per file."""
        found = self.judgement
        of_set = f" · set {found.set_id} · digest {found.set_sha256}" if found.set_id else ""
        lines = [f"{found.path}: {WORDS[found.verdict]}{of_set}"]
        for each in found.findings:
            mark = {Weight.DAMAGE: "x", Weight.UNKNOWN: "?", Weight.WARNING: "!"}.get(
                each.weight, "-"
            )
            where = f"{each.path}: " if each.path else ""
            lines.append(f"  {mark} {where}{each.detail} [{each.finding.value}]")
        for file in found.files:
            mark = "x" if file.is_damaged else "="
            lines.append(f"  {mark} {file.path}  {file.size_bytes:,} bytes  {file.summary}")
        return "\n".join(lines)


def verify_path(path: str, *, progress: Callable[[int, int], None] | None = None) -> Verification:
    """Scan and judge a file, a loose folder or a set.

    Raises: UsageError when there is nothing at the path.
    """
    from goexchange.store.scanning import scan_path

    return Verification(judgement=judge(scan_path(path, progress=progress)))


def verify_in_child(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same in a process of its own, for a run: its hub must go on renewing leases meanwhile.

    Shape: `{"ok": bool, "verdict", "set_sha256", "findings": [text]}`.
    Raises: GoexchangeError when the child gives no verdict.
    """
    command = [sys.executable, "-m", "goexchange", "--json", "verify", str(arguments["path"])]
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    try:
        document = json.loads(done.stdout)
        found = document["paths"][0]
    except (ValueError, KeyError, IndexError) as error:
        words = done.stderr.decode("utf-8", "replace").strip()
        raise GoexchangeError(
            f"our verifier gave no verdict (exit {done.returncode}): {words}"
        ) from error
    return {
        "ok": done.returncode == 0,
        "verdict": found["verdict"],
        "set_sha256": found["set_sha256"],
        "findings": [f"{each['path']}: {each['detail']}" for each in found["findings"]],
    }
