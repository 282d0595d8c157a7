"""The verb `verify`: scan a path, judge it, say so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen

from goexchange.backup.check import judge, plain_judgement
from goexchange.backup.findings import Found, Judgement, Verdict, Weight
from goexchange.report.verify_junit import VerifiedCase, VerifiedSuite, render_verify_junit

GOOD = (
    Verdict.RESTORABLE,
    Verdict.RESTORABLE_WITH_REPLAY,
    Verdict.SOUND,
    Verdict.SAMPLE_SOUND,
)
WORDS = {
    Verdict.RESTORABLE: "restorable",
    Verdict.RESTORABLE_WITH_REPLAY: "restorable, with replay of its logs",
    Verdict.NOT_RESTORABLE: "NOT restorable",
    Verdict.SOUND: "sound",
    Verdict.DAMAGED: "DAMAGED",
    Verdict.SAMPLE_SOUND: "no damage in the sample; the rest is not known",
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


def junit(verifications: Sequence[Verification]) -> str:
    """What was found at all paths, as JUnit XML: a failure is damage, an error is undecided."""
    return render_verify_junit([_suite(each.judgement) for each in verifications])


def verify_path(
    path: str,
    *,
    sample: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Scan and judge a file, a loose folder or a set.

    Shape: `sample` between 0 and 1 reads that part of each big file only.
    Raises: UsageError when there is nothing at the path.
    """
    from goexchange.store.scanning import scan_path

    return Verification(judgement=judge(scan_path(path, sample=sample, progress=progress)))


def _suite(judgement: Judgement) -> VerifiedSuite:
    """A case for each file, one for the path itself, and one for each file that is missing."""
    files = [each.path for each in judgement.files]
    missing = [each.path for each in judgement.findings if each.path and each.path not in files]
    cases = [_case(name, judgement) for name in dict.fromkeys([*files, *missing])]
    whole = _case("", judgement)
    verdict = f"verdict: {WORDS[judgement.verdict]}"
    return VerifiedSuite(
        name=judgement.path,
        cases=(
            VerifiedCase(
                name="verdict",
                failures=whole.failures + ((verdict,) if _is_failure(judgement) else ()),
                errors=whole.errors,
                output=(verdict, *whole.output),
            ),
            *cases,
        ),
    )


def _is_failure(judgement: Judgement) -> bool:
    return judgement.verdict in (Verdict.NOT_RESTORABLE, Verdict.DAMAGED)


def _case(name: str, judgement: Judgement) -> VerifiedCase:
    own = [each for each in judgement.findings if each.path == name]

    def words(*weights: Weight) -> tuple[str, ...]:
        return tuple(_words(each) for each in own if each.weight in weights)

    summary = next((each.summary for each in judgement.files if each.path == name), None)
    return VerifiedCase(
        name=name,
        failures=words(Weight.DAMAGE),
        errors=words(Weight.UNKNOWN),
        output=(*((summary,) if summary else ()), *words(Weight.WARNING, Weight.NOTE)),
    )


def _words(found: Found) -> str:
    return f"{found.detail} [{found.finding.value}]"
