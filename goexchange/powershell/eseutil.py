"""eseutil: the only command lines that are ever sent, and its printed results as values.

Every form has `/o` (no message boxes) and an absolute `/t` (the default lands in the current
folder, and whatever lies at the `/t` path is deleted first). `/r` works on copies only and never
with `/a` or `/i`; `/p` as a mode works on a working copy only, and never with `/g` (it would wait
for a person); never `/b`, `/y`.
Source: ESE source, eseutil.cxx, dbdump.cxx, checksum.cxx, repair.cxx.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from attrs import frozen

from goexchange.errors import GoexchangeError
from goexchange.model.unknown import Unknown

REPAIRED = 595  # Source: ESE source, jethdr.w, JET_wrnDatabaseRepaired
_LOCAL_PATH = re.compile(r'[A-Za-z]:\\[^<>:"|?*\x00-\x1f]+\Z')
# The message inside the brackets may itself hold brackets: greedy up to the last ") after".
_END = re.compile(
    r"Operation (?:"
    r"(?P<done>completed successfully in)"
    r"|completed successfully with (?P<warning>-?\d+) \((?P<warning_text>.*)\) after"
    r"|terminated with error (?P<error>-?\d+) \((?P<error_text>.*)\) after"
    r"|(?P<failed>terminated unsuccessfully) after"
    r") (?P<seconds>\d+)\.(?P<milliseconds>\d{1,3}) seconds\.\s*\Z"
)
_NAME = re.compile(r"JET_\w+")
_COUNTS = {
    "pages seen": "pages_seen",
    "bad checksums": "bad_checksums",
    "correctable checksums": "correctable",
    "wrong page numbers": "wrong_page_numbers",
    "uninitialized pages": "uninitialized",
    "MB/second": "megabytes_s",
}
_COUNT_LINE = re.compile(r"(\d+)\s?(pages seen|bad checksums|correctable checksums"
                         r"|wrong page numbers|uninitialized pages|MB/second)\Z")  # fmt: skip
_BAD_PAGE = re.compile(r"ERROR: page (-?\d+)(?: \(header\))? checksum failed")
_CORRECTABLE_PAGE = re.compile(r"WARNING: page (-?\d+) checksum verification failed but")
# Source: ESE source, dbspacedump.cxx; percentages are printed by the C library, whose decimal sign
# may follow the locale.
_PAGES_LINE = re.compile(
    r"\s*Pages (?P<owned>\d+) \( (?P<used>\d+) Used \(\d+[.,]\d%\),"
    r" (?P<available>\d+) Available \(\d+[.,]\d%\) \)(?: \+ (?P<shelved>\d+) Shelved)?\s*\Z"
)
_TABLES = re.compile(r"Enumerated (\d+) Tables \(")
_WAITING = re.compile(r"Press a key for more help|(?:\A|\n)=> ?\Z")
_BAR = re.compile(r"\s*(\.{1,51})(X?)\s*\Z")


class EseutilRefused(GoexchangeError):
    """Arguments that eseutil must never be given: a mistake of ours; nothing was started."""

    id = "eseutil-refused"


class EndKind(Enum):
    """How eseutil says that it ended."""

    SUCCESS = "success"
    SUCCESS_WITH_WARNING = "success-with-warning"
    ERROR = "error"
    UNSUCCESSFUL = "unsuccessful"


@frozen(kw_only=True)
class End:
    """The last line; `error` is the JET error or warning number, `name` its name."""

    kind: EndKind
    error: int | None
    name: str | None
    seconds: float


@frozen(kw_only=True)
class ChecksumReport:
    """What `/k` counted in a database file; correctable and uninitialized pages alone do not fail
    it.
    """

    pages_seen: int
    bad_checksums: int
    correctable: int
    wrong_page_numbers: int
    uninitialized: int
    megabytes_s: int | None
    bad_pages: tuple[int, ...]
    correctable_pages: tuple[int, ...]
    end: End

    @property
    def is_clean(self) -> bool:
        """Every page was read and none is bad."""
        is_bad = self.bad_checksums or self.wrong_page_numbers or self.bad_pages
        return self.end.kind is EndKind.SUCCESS and self.pages_seen > 0 and not is_bad


@frozen(kw_only=True)
class IntegrityReport:
    """What `/g` said of the logical structure; `is_corrupted` only when it printed that word."""

    is_sound: bool
    end: End
    is_corrupted: bool = False


@frozen(kw_only=True)
class SpaceReport:
    """What `/ms` counted: pages that the database owns, and those of them that hold nothing.

    Shape: shelved pages lie behind the end of what is owned; a rebuild drops them too.
    """

    pages_owned: int
    pages_used: int
    pages_available: int
    pages_shelved: int
    tables: int | None
    end: End

    @property
    def is_complete(self) -> bool:
        """It counted to its end, and its figures agree with each other."""
        agrees = self.pages_used + self.pages_available == self.pages_owned
        return self.end.kind is EndKind.SUCCESS and self.pages_owned > 0 and agrees


@frozen(kw_only=True)
class DefragmentationReport:
    """What `/d` with `/p` said; the result itself is judged by its header and size."""

    is_complete: bool
    end: End


@frozen(kw_only=True)
class RecoveryReport:
    """What `/r` without `/a` and `/i` said: logs replayed into a copy, nothing lost."""

    is_complete: bool
    end: End


class RepairEnd(Enum):
    """What a repair says of the file."""

    REPAIRED = "repaired"  # it changed the file; what it could not read is gone
    NOTHING_TO_REPAIR = "nothing-to-repair"


@frozen(kw_only=True)
class RepairReport:
    """What `/p` on a working copy said; both ends are good ones."""

    outcome: RepairEnd
    end: End


def repair_arguments(working_copy: str, *, temporary: str) -> tuple[str, ...]:
    """Repair a copy in place: pages that cannot be read are discarded."""
    scratch = _other_path(temporary, than=working_copy)
    return ("/p", _path(working_copy), f"/t{scratch}", "/o")


def recovery_arguments(base: str, *, logs: str, database: str) -> tuple[str, ...]:
    """Replay the logs of one folder into the databases of another; the checkpoint lies with the
    logs.
    """
    if not re.fullmatch(r"[A-Za-z][0-9A-Za-z]{2}", base):
        raise EseutilRefused(f"'{base}' is no base name of logs.")
    return ("/r", base, f"/l{_path(logs)}", f"/s{_path(logs)}", f"/d{_path(database)}", "/o")


def header_arguments(database: str) -> tuple[str, ...]:
    """Print the header of a closed database."""
    return ("/mh", _path(database), "/o")


def checksum_arguments(database: str) -> tuple[str, ...]:
    """Verify every page checksum of a closed database."""
    return ("/k", _path(database), "/o")


def integrity_arguments(database: str, *, temporary: str) -> tuple[str, ...]:
    """Verify the logical structure; `temporary` is eseutil's own scratch database."""
    return ("/g", _path(database), f"/t{_other_path(temporary, than=database)}", "/o")


def defragmentation_arguments(database: str, *, temporary: str) -> tuple[str, ...]:
    """Rebuild into `temporary` and leave the original alone (`/p`); the swap is ours."""
    return ("/d", _path(database), f"/t{_other_path(temporary, than=database)}", "/p", "/o")


def decode_output(content: bytes) -> str:
    """Captured output as text with plain line ends; it may be UTF-8, UTF-16 or an OEM code page."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp437")
    return re.sub(r"[\r\n]+", "\n", text)


def is_waiting_for_key(text: str) -> bool:
    """It printed its help and waits for a key that nobody will press."""
    return _WAITING.search(text) is not None


def signed_exit_code(code: int) -> int:
    """The JET error of an exit code, which Windows often shows unsigned (4294966746 is -550)."""
    return code - 2**32 if code >= 2**31 else code


def parse_end(text: str) -> End | Unknown:
    """The last line that is not empty.

    Unknown: output that is cut, or that goes on after its end.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return Unknown("eseutil printed nothing")
    if is_waiting_for_key(text):
        return Unknown("eseutil waits for a key: its arguments were not accepted")
    match = _END.match(lines[-1])
    if match is None:
        return Unknown(f"the output does not end with eseutil's last line: {lines[-1][:120]!r}")
    # The part after the point is milliseconds without leading zeros: `6.7` is 6.007 s.
    seconds = int(match["seconds"]) + int(match["milliseconds"]) / 1000
    if match["done"]:
        return End(kind=EndKind.SUCCESS, error=None, name=None, seconds=seconds)
    if match["failed"]:
        return End(kind=EndKind.UNSUCCESSFUL, error=None, name=None, seconds=seconds)
    is_error = match["error"] is not None
    found = _NAME.search(match["error_text"] if is_error else match["warning_text"])
    return End(
        kind=EndKind.ERROR if is_error else EndKind.SUCCESS_WITH_WARNING,
        error=int(match["error"] if is_error else match["warning"]),
        name=found[0] if found else None,
        seconds=seconds,
    )


def has_succeeded(exit_code: int, end: End | Unknown) -> bool:
    """Exit code and last line both say so; a repair with loss ends with 0 too."""
    return (
        signed_exit_code(exit_code) == 0
        and not isinstance(end, Unknown)
        and (end.kind is EndKind.SUCCESS)
    )


def parse_checksum(
    text: str, errors: str = "", *, streaming: str | None = None
) -> ChecksumReport | Unknown:
    """The counts of `/k` on a database; `errors` is what it printed on standard error. Of a pair of
    files (`streaming` is the second) they are those of both, and old tools count no correctable
    pages.
    """
    end = parse_end(text)
    if isinstance(end, Unknown):
        return end
    if "Initiating CHECKSUM mode" not in text:
        return Unknown("not the output of a checksum run")
    counts: dict[str, int] = {}
    for line in text.splitlines():
        match = _COUNT_LINE.match(line.strip())
        if match:
            name = _COUNTS[match[2]]
            counts[name] = int(match[1]) + counts.get(name, 0)
    if streaming is not None and not _names_streaming(text, streaming):
        return Unknown("the checksum run does not name the streaming file as its own")
    may_lack = {"MB/second"} | ({"correctable checksums"} if streaming is not None else set())
    missing = [word for word, name in _COUNTS.items() if name not in counts]
    if set(missing) - may_lack:
        return Unknown(f"the checksum run did not count {', '.join(missing)}")
    return ChecksumReport(
        pages_seen=counts["pages_seen"],
        bad_checksums=counts["bad_checksums"],
        correctable=counts.get("correctable", 0),
        wrong_page_numbers=counts["wrong_page_numbers"],
        uninitialized=counts["uninitialized"],
        megabytes_s=counts.get("megabytes_s"),
        bad_pages=_pages(_BAD_PAGE, text, errors),
        correctable_pages=_pages(_CORRECTABLE_PAGE, text, errors),
        end=end,
    )


def streaming_of(arguments: Sequence[str]) -> str | None:
    """The streaming file that the tool was given beside the database, if any."""
    given = [each[2:] for each in arguments if each.lower().startswith("/s")]
    return given[0] if given else None


def _names_streaming(text: str, path: str) -> bool:
    """Source: what eseutil 6.5 prints of its files (KB 825088)."""
    lines = (line.partition("Streaming File:")[2].strip() for line in text.splitlines())
    return path.casefold() in (line.casefold() for line in lines)


def parse_integrity(text: str) -> IntegrityReport | Unknown:
    """The verdict of `/g`."""
    end = parse_end(text)
    if isinstance(end, Unknown):
        return end
    if "Initiating INTEGRITY mode" not in text:
        return Unknown("not the output of an integrity run")
    is_sound = "Integrity check successful." in text
    is_corrupted = "CORRUPTED" in text
    if is_sound and not is_corrupted and end.kind is EndKind.SUCCESS:
        return IntegrityReport(is_sound=True, end=end)
    if is_corrupted or end.kind in (EndKind.ERROR, EndKind.UNSUCCESSFUL):
        return IntegrityReport(is_sound=False, end=end, is_corrupted=is_corrupted)
    return Unknown("the integrity run ended without a verdict")


def parse_space(text: str) -> SpaceReport | Unknown:
    """The totals of `/ms` on a whole database.

    Unknown: without its line of pages, with more than one, or when it says that pages are
    overbooked: then its own figures are wrong.
    """
    end = parse_end(text)
    if isinstance(end, Unknown):
        return end
    if "Initiating FILE DUMP mode" not in text:
        return Unknown("not the output of a space dump")
    found = [match for match in map(_PAGES_LINE.match, text.splitlines()) if match]
    if len(found) != 1:
        return Unknown(f"the space dump has {len(found)} lines of totals instead of one")
    if "overbooked" in text:
        return Unknown("the space trees overlap: their figures cannot be believed")
    tables = _TABLES.search(text)
    return SpaceReport(
        pages_owned=int(found[0]["owned"]),
        pages_used=int(found[0]["used"]),
        pages_available=int(found[0]["available"]),
        pages_shelved=int(found[0]["shelved"] or 0),
        tables=None if tables is None else int(tables[1]),
        end=end,
    )


def space_arguments(database: str) -> tuple[str, ...]:
    """Count the pages of a closed database; it only reads."""
    return ("/ms", _path(database))


def parse_defragmentation(text: str) -> DefragmentationReport | Unknown:
    """The end of `/d` with `/p`."""
    end = parse_end(text)
    if isinstance(end, Unknown):
        return end
    if "Initiating DEFRAGMENTATION mode" not in text:
        return Unknown("not the output of a defragmentation")
    is_complete = end.kind is EndKind.SUCCESS and progress_percent(text) == 100
    return DefragmentationReport(is_complete=is_complete, end=end)


def parse_recovery(text: str) -> RecoveryReport | Unknown:
    """The end of `/r`; one that found nothing to do says success too, so the header is read
    afterwards.
    """
    end = parse_end(text)
    if isinstance(end, Unknown):
        return end
    if "Initiating RECOVERY mode" not in text:
        return Unknown("not the output of a recovery")
    return RecoveryReport(is_complete=end.kind is EndKind.SUCCESS, end=end)


def parse_repair(text: str) -> RepairReport | Unknown:
    """The end of `/p` as a mode: success with warning 595 where it changed the file.

    Source: ESE source, repair.cxx; jethdr.w, JET_wrnDatabaseRepaired.
    Unknown: an end that its own words do not say too.
    """
    end = parse_end(text)
    if isinstance(end, Unknown):
        return end
    if "Initiating REPAIR mode" not in text:
        return Unknown("not the output of a repair")
    is_repaired = "Repair completed. Database corruption has been repaired!" in text
    is_sound = "Integrity check successful." in text
    if is_repaired and end.kind is EndKind.SUCCESS_WITH_WARNING and end.error == REPAIRED:
        return RepairReport(outcome=RepairEnd.REPAIRED, end=end)
    if is_sound and not is_repaired and end.kind is EndKind.SUCCESS:
        return RepairReport(outcome=RepairEnd.NOTHING_TO_REPAIR, end=end)
    return Unknown(f"the repair does not say that it ended well ({end.name or end.kind.value})")


def progress_percent(text: str) -> int | Unknown:
    """How far the bar is: one dot per two percent, one more at the end.

    Unknown: dots are not flushed into a file, so a missing bar says nothing.
    """
    bars = [match for match in map(_BAR.match, text.splitlines()) if match]
    if not bars:
        return Unknown("no progress bar yet")
    return min(100, (len(bars[-1][1]) - 1) * 2)


def _pages(pattern: re.Pattern[str], *texts: str) -> tuple[int, ...]:
    return tuple(sorted({int(page) for text in texts for page in pattern.findall(text)}))


def _path(path: str) -> str:
    if not _LOCAL_PATH.match(path) or path.endswith(("\\", " ", ".")) or "\\..\\" in path:
        raise EseutilRefused(f"'{path}' is not an absolute path of a local file.")
    return path


def _other_path(path: str, *, than: str) -> str:
    if path.lower() == than.lower():
        raise EseutilRefused(f"the temporary file cannot be the database itself: {path}")
    return _path(path)
