"""The database utility: what it does to real bytes and what it prints, exit codes and quirks
included.

Shape: /mh, /ms, /k, /g, /d and /p of a database, /ml and /r of a log base. Exit code is the
engine's error; the dots of a bar are not flushed into a redirected output, so all that a run prints
comes at its end.
Source: ESE source, eseutil.cxx, _esefile/checksum.cxx, comp.cxx, logdump.cxx.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import evolve, frozen

from goexchange.errors import Damaged
from goexchange.ese.header import DatabaseHeader, HeaderProblem, HeaderReading, read_database_header
from goexchange.ese.jet_errors import JetError
from goexchange.ese.pages import PageVerdicts, verify_pages
from goexchange.ese.rendering import (
    DEFAULT_ENGINE,
    ChecksumRun,
    EngineVersion,
    checksum_error_lines,
    checksum_report,
    failure_line,
    header_dump,
    logo_lines,
    mode_line,
    progress_lines,
    space_lines,
    success_line,
)
from goexchange.ese.space import free_pages, owned_pages
from goexchange.ese.structures import Signature
from goexchange.ese.writer import defragment, defragmented_header
from goexchange.world.databases import HEADER_BYTES, flush_map
from goexchange.world.eseutil_pair import pair_error, second_file, told_of_pair
from goexchange.world.eseutil_recovery import recovered, recovery_lines
from goexchange.world.eseutil_repair import repair_lines, repaired, verdict_lines, warning_line
from goexchange.world.files import HostFiles, flush_map_of, name_of
from goexchange.world.refusals import NotModelled
from goexchange.world.site import PAGE_BYTES, Rates
from goexchange.world.work import Ending, Work, Write

_MODES = {
    "/mh": "FILE DUMP",
    "/ms": "FILE DUMP",
    "/k": "CHECKSUM",
    "/g": "INTEGRITY",
    "/d": "DEFRAGMENTATION",
    "/ml": "FILE DUMP",
    "/r": "RECOVERY",
    "/p": "REPAIR",
}
_WITH_VALUE = {
    "/d": "tbsf",
    "/g": "tf",
    "/k": "tps",
    "/mh": "",
    "/ms": "f",
    "/ml": "",
    "/r": "lsd",
    "/p": "t",
}
_PLAIN = {
    "/d": ("p", "o", "v"),
    "/g": ("o",),
    "/k": ("o", "e", "i"),
    "/mh": ("o",),
    "/ms": ("o", "v"),
    "/ml": ("o",),
    "/r": ("o",),
    "/p": ("o",),
}
_PROCESS = "eseutil"
_NOT_MODELLED = ("/y", "/c", "/mk", "/mm", "/mn", "/mp", "/z")
_FINAL_NOTE = (
    "Note:",
    "  It is recommended that you immediately perform a full backup",
    "  of this database. If you restore a backup made before the",
    "  defragmentation, the database will be rolled back to the state",
    "  it was in at the time of that backup.",
    "",
)
_DESCRIPTION = (
    "DESCRIPTION:  Database utilities for the Extensible Storage Engine for Microsoft(R)"
    " Exchange Server."
)
_DIRTY_NOTE = (
    "The database is not up-to-date. This operation may find that",
    "this database is corrupt because data from the log files has",
    "yet to be placed in the database.",
    "",
    "To ensure the database is up-to-date please use the 'Recovery' operation.",
    "",
)


@frozen(kw_only=True)
class Bench:
    """What a run works with: the host's files and speed, a signature for what it makes, a fault to
    end with, and when that is.
    """

    files: HostFiles
    rates: Rates
    floor_s: float
    new_signature: Signature
    engine: EngineVersion = DEFAULT_ENGINE
    fault: int | None = None
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    @property
    def logo(self) -> tuple[str, ...]:
        """What the tool says of itself before everything else."""
        return logo_lines(self.engine)


@frozen(kw_only=True)
class _Command:
    """A command line taken apart."""

    mode: str
    path: str
    values: dict[str, str]
    flags: frozenset[str]


def mode_of(arguments: Sequence[str]) -> str:
    """The mode that a command line asks for (`/d`), also when the rest of it is wrong."""
    first = arguments[0].lower().replace("-", "/", 1) if arguments else ""
    return next(
        (mode for mode in _MODES if first.startswith(mode)), first
    )


def run_eseutil(arguments: Sequence[str], bench: Bench) -> Work:
    """What a command line does.

    Raises: NotModelled for modes that the real tool has and this one has not.
    """
    if mode_of(arguments) not in _MODES and mode_of(arguments).startswith(_NOT_MODELLED):
        raise NotModelled(f"eseutil {mode_of(arguments)}")
    command = _parse(arguments)
    if command is None:
        return _usage_error(bench)
    if command.mode == "/ml":
        return _list_logs(command, bench)
    if command.mode == "/r":
        return _recover(command, bench)
    error = _refusal(command, bench.files)
    if error is not None:
        return _refused(command, bench, error)
    reading = read_database_header(bench.files.read(command.path, 0, HEADER_BYTES))
    if command.mode == "/mh":
        return _dump_header(command, bench, reading)
    if command.mode == "/ms":
        return _count_space(command, bench, reading)
    if command.mode == "/k":
        return _check_pages(command, bench, reading)
    if command.mode == "/g":
        return _check_integrity(command, bench, reading)
    if command.mode == "/p":
        return _repair(command, bench, reading)
    return _defragment(command, bench, reading)


def _parse(arguments: Sequence[str]) -> _Command | None:
    """Switches are glued to their values (`/tD:\\x.edb`), apart from them, or have a colon
    between.
    """
    if not arguments or mode_of(arguments) not in _MODES:
        return None
    mode = mode_of(arguments)
    paths: list[str] = [arguments[0][len(mode) :].lstrip(":")] if arguments[0][len(mode) :] else []
    values: dict[str, str] = {}
    flags: set[str] = set()
    rest = list(arguments[1:])
    while rest:
        word = rest.pop(0)
        if word[:1] not in ("/", "-"):
            paths.append(word)
            continue
        letter, value = word[1:2].lower(), word[2:].lstrip(":")
        if letter in _WITH_VALUE[mode]:
            if not value and not rest:
                return None
            values[letter] = value or rest.pop(0)
        elif letter in _PLAIN[mode] and not value:
            flags.add(letter)
        else:
            return None
    if len(paths) != 1:
        return None
    return _Command(mode=mode, path=paths[0], values=values, flags=frozenset(flags))


def _refusal(command: _Command, files: HostFiles) -> JetError | None:
    if not files.exists(command.path):
        return JetError.FileNotFound
    if files.is_closed_to_readers(command.path):
        return JetError.FileAccessDenied
    return None


def _usage_error(bench: Bench) -> Work:
    """It prints help and waits for a key: in a service's session it never ends."""
    lines = (
        *bench.logo,
        "Usage Error: Invalid arguments.",
        "",
        _DESCRIPTION,
        "",
        "<<<<<  Press a key for more help  >>>>>",
    )
    spoken = ((0.0, _text(lines) + b"=> "),)
    return Work(process=_PROCESS, seconds=None, ending=Ending(exit_code=-1), spoken=spoken)


def _refused(command: _Command, bench: Bench, error: JetError) -> Work:
    lines = _start(command, bench)
    if command.mode == "/mh":
        lines += [f"         Database: {command.path}", ""]
        lines += [f"Unable to read the database header.  Error {int(error)}."] if error else []
    return _ended(command, bench, lines=lines, seconds=bench.floor_s, error=error)


def _dump_header(command: _Command, bench: Bench, reading: HeaderReading) -> Work:
    lines = _start(command, bench)
    if reading.header is None:
        lines += [f"         Database: {command.path}", ""]
        error = JetError.DatabaseCorrupted
        return _ended(command, bench, lines=lines, seconds=bench.floor_s, error=error)
    lines += header_dump(reading, command.path, bench.engine)
    return _ended(command, bench, lines=lines, seconds=bench.floor_s)


def _check_pages(command: _Command, bench: Bench, reading: HeaderReading) -> Work:
    files = bench.files
    size = files.size(command.path)
    seconds = max(bench.floor_s, size / bench.rates.checksum)
    page_size = reading.page_size or PAGE_BYTES
    pages = max(0, size // page_size - 2)
    content = files.read(command.path, 2 * page_size, pages * page_size)
    run = ChecksumRun(
        path=command.path,
        temp_name=command.values.get("t", "TEMPCHKSUM5820.EDB"),
        page_size=page_size,
        verdicts=verify_pages(content, 1, page_size) if pages else PageVerdicts(),
        bad_header_slots=_bad_slots(reading),
        milliseconds=round(seconds * 1000),
    )
    errors = _text(checksum_error_lines(run), end=b"\r\n")
    report, error = checksum_report(run), run.error
    if "s" in command.values:
        report = told_of_pair(report, command.values["s"])
        error = error or pair_error(files, command.path, command.values["s"])
    lines = [*_start(command, bench), *report]
    return _ended(command, bench, lines=lines, seconds=seconds, error=error, errors=errors)


def _count_space(command: _Command, bench: Bench, reading: HeaderReading) -> Work:
    """Pages owned and pages free, as the space trees of the file have them."""
    files, header = bench.files, reading.header
    lines = [*_start(command, bench), f"        Database: {command.path}", ""]
    seconds = max(bench.floor_s, files.size(command.path) / bench.rates.checksum)
    if header is None:
        error = JetError.DatabaseCorrupted
    elif not header.is_clean:
        error = JetError.DatabaseDirtyShutdown
    else:

        def read(offset: int, length: int) -> bytes:
            return files.read(command.path, offset, length)

        owned = owned_pages(read, header.page_size)
        free = free_pages(read, header.page_size)
        if owned is not None and free is not None:
            lines += space_lines(owned=owned, free=free, page_size=header.page_size)
            return _ended(command, bench, lines=lines, seconds=seconds)
        error = JetError.DatabaseCorrupted
    return _ended(command, bench, lines=lines, seconds=bench.floor_s, error=error)


def _bad_slots(reading: HeaderReading) -> tuple[int, ...]:
    if reading.header is None:
        return (-1, 0)
    bad = ((HeaderProblem.PRIMARY_BAD, -1), (HeaderProblem.SHADOW_BAD, 0))
    return tuple(slot for problem, slot in bad if problem in reading.problems)


def _check_integrity(command: _Command, bench: Bench, reading: HeaderReading) -> Work:
    size = bench.files.size(command.path)
    seconds = max(bench.floor_s, size / bench.rates.integrity)
    temporary = command.values.get("t", "TEMPINTEG1492.EDB")
    lines = [
        *_start(command, bench),
        f"        Database: {command.path}",
        f"  Temp. Database: {temporary}",
        "",
        "Checking database integrity.",
        "",
    ]
    header = reading.header
    if header is not None and not header.is_clean:
        lines += _DIRTY_NOTE
        if "o" not in command.flags:
            # A message box that nobody sees.
            spoken = ((0.0, _text(lines)),)
            never = Ending(exit_code=JetError.InvalidParameter)
            return Work(
                process=_PROCESS, seconds=None, ending=never, holds=(command.path,), spoken=spoken
            )
    error = _integrity_error(command, bench, reading)
    lines += [*progress_lines("Scanning"), ""]
    words = (
        "Integrity check completed.  Database is CORRUPTED!"
        if error
        else "Integrity check successful."
    )
    lines += ["", words, ""]
    temporary_files = tuple(
        path for path in (temporary, flush_map_of(temporary)) if bench.files.exists(path)
    )
    return _ended(
        command, bench, lines=lines, seconds=seconds, error=error, deletes=temporary_files
    )


def _integrity_error(command: _Command, bench: Bench, reading: HeaderReading) -> JetError | None:
    if reading.header is None or reading.page_size is None:
        return JetError.DatabaseCorrupted
    page_size = reading.page_size
    content = bench.files.read(command.path)[2 * page_size :]
    whole = len(content) // page_size * page_size
    verdicts = verify_pages(content[:whole], 1, page_size)
    return JetError.DatabaseCorrupted if verdicts.bad + verdicts.misplaced else None


def _defragment(command: _Command, bench: Bench, reading: HeaderReading) -> Work:
    files, header = bench.files, reading.header
    temporary = command.values.get("t", "C:\\Windows\\System32\\TEMPDFRG4712.EDB")
    lines = [*_start(command, bench), f"            Database: {command.path}", ""]
    if temporary.lower() == command.path.lower():
        words = "cannot be the same as the temporary database."
        lines += [f"Error: Source database '{command.path}' {words}", ""]
        return _ended(
            command, bench, lines=lines, seconds=bench.floor_s, error=JetError.InvalidParameter
        )
    # Silently, before anything is looked at: whatever lies at the temporary path is deleted.
    deletes = tuple(
        path
        for path in (temporary, flush_map_of(temporary))
        if files.exists(path) and not files.is_open(path)
    )
    error, content = _defragmented(files, command.path, header, bench)
    if "s" in command.values:
        lines[-1:] = [f"      Streaming File: {command.values['s']}", ""]
        error = error or pair_error(files, command.path, command.values["s"])
    if error is None:
        lines += [*progress_lines("Defragmentation"), ""]
        if "p" not in command.flags:
            lines += [f"Moving '{name_of(temporary)}' to '{name_of(command.path)}'... DONE!", ""]
        lines += _FINAL_NOTE
    seconds = max(bench.floor_s, files.size(command.path) / bench.rates.rebuild)
    if error is not None:
        seconds, content = bench.floor_s, b""
    writes: tuple[Write, ...] = ()
    if content:
        writes = (Write(path=temporary, content=content),)
        if error is None and not bench.engine.is_short:
            writes += (Write(path=flush_map_of(temporary), content=flush_map(temporary)),)
        if error is None and "s" in command.values:
            writes += second_file(files, command.values["s"], content, to=command.values["f"])
    work = _ended(
        command, bench, lines=lines, seconds=seconds, error=error, deletes=deletes, writes=writes
    )
    if work.ending.exit_code == 0 and "p" not in command.flags:
        return evolve(work, moves=((temporary, command.path),))
    return work


def _defragmented(
    files: HostFiles, path: str, header: DatabaseHeader | None, bench: Bench
) -> tuple[JetError | None, bytes]:
    if header is None:
        return JetError.DatabaseCorrupted, b""
    if not header.is_clean:
        return JetError.DatabaseDirtyShutdown, b""

    def read(offset: int, length: int) -> bytes:
        return files.read(path, offset, length)

    result = defragmented_header(header, signature=bench.new_signature)
    try:
        return None, b"".join(defragment(read, header, result=result))
    except Damaged:
        return JetError.ReadVerifyFailure, b""


def _repair(command: _Command, bench: Bench, reading: HeaderReading) -> Work:
    """In place, and without a question only with `/o`: a message box that nobody sees waits."""
    files, path = bench.files, command.path
    temporary = command.values.get("t", "TEMPREPAIR4712.EDB")
    lines = [*_start(command, bench), *repair_lines(path, temporary)]
    seconds = max(bench.floor_s, files.size(path) / bench.rates.rebuild)
    if "o" not in command.flags:
        never = Ending(exit_code=JetError.InvalidParameter)
        return Work(process=_PROCESS, seconds=None, ending=never, holds=(path,))
    error, writes = repaired(files, path, reading, signature=bench.new_signature, at=bench.at)
    lines += verdict_lines(bool(writes)) if error is None else []
    work = _ended(command, bench, lines=lines, seconds=seconds, error=error, writes=writes)
    if not writes:
        return work
    if work.ending.exit_code != 0:
        return evolve(work, holds=())  # it writes what it has open
    last = warning_line(round(seconds * 1000))
    ending = evolve(work.ending, output=_text([*lines, "", last, ""]))
    return evolve(work, ending=ending, holds=())


def _list_logs(command: _Command, bench: Bench) -> Work:
    """`/ml` of a base name (`L:\\DB01\\E00`): its log files in order."""
    folder, _, base = command.path.rpartition("\\")
    names = [path for path in bench.files.names_in(folder) if _is_log(name_of(path), base)]
    lines = [*_start(command, bench), "Verifying log files...", f"     Base name: {base}", ""]
    lines += [
        f"      Log file: {path} - OK"
        for path in sorted(names, key=lambda path: (len(name_of(path)) < 12, path))
    ]
    error = None if names else JetError.FileNotFound
    if names:
        lines += ["", "No damaged log files were found.", ""]
    seconds = bench.floor_s + sum(map(bench.files.size, names)) / bench.rates.checksum
    return _ended(command, bench, lines=lines, seconds=seconds, error=error)


def _recover(command: _Command, bench: Bench) -> Work:
    """`/r` of a base name, with the folders of logs and databases given."""
    logs, databases = (command.values.get(each, "") for each in ("l", "d"))
    system = command.values.get("s", "<current directory>")
    if not logs or not databases:
        raise NotModelled("eseutil /r without /l and /d")
    lines = [
        *_start(command, bench),
        *recovery_lines(command.path, logs=logs, system=system, databases=databases),
    ]
    error, writes, seconds = recovered(bench.files, command.path, logs=logs, databases=databases)
    if error is None:
        lines += [*progress_lines("Restore"), ""]
    seconds = max(bench.floor_s, seconds)
    return _ended(command, bench, lines=lines, seconds=seconds, error=error, writes=writes)


def _is_log(name: str, base: str) -> bool:
    lowered = name.lower()
    return lowered.startswith(base.lower()) and lowered.endswith(".log") and "tmp" not in lowered


def _start(command: _Command, bench: Bench) -> list[str]:
    logo = () if "o" in command.flags else bench.logo
    return [*logo, "", mode_line(_MODES[command.mode])]


def _ended(
    command: _Command,
    bench: Bench,
    *,
    lines: Sequence[str],
    seconds: float,
    error: JetError | None = None,
    errors: bytes = b"",
    deletes: tuple[str, ...] = (),
    writes: tuple[Write, ...] = (),
) -> Work:
    """A run that ends, with the error planned for it when it has none of its own."""
    milliseconds = round(seconds * 1000)
    code = int(error) if error is not None else 0
    last = failure_line(error, milliseconds) if error else success_line(milliseconds)
    if bench.fault is not None and error is None:
        code, seconds = bench.fault, seconds / 2
        writes = tuple(
            Write(path=each.path, content=each.content[: len(each.content) // 2])
            for each in writes[:1]
        )
        lines, last = lines[:4], _fault_line(bench.fault, round(seconds * 1000))
    output = _text([*lines, "", last, ""])
    result = {"error_output": base64.b64encode(errors).decode()}
    full = _text([*lines[:4], "", failure_line(JetError.DiskFull, milliseconds), ""])
    is_open = bench.files.exists(command.path) and error is not JetError.FileAccessDenied
    return Work(
        process=_PROCESS,
        seconds=seconds,
        ending=Ending(exit_code=code, output=output, result=result),
        holds=(command.path,) if is_open else (),
        deletes=deletes,
        writes=writes,
        disk_full=Ending(exit_code=int(JetError.DiskFull), output=full, result=result),
    )


def _fault_line(error: int, milliseconds: int) -> str:
    try:
        return failure_line(JetError(error), milliseconds)
    except ValueError:
        elapsed = f"{milliseconds // 1000}.{milliseconds % 1000}"
        reason = f"with error {error} (JET_err, unknown error)"
        return f"Operation terminated {reason} after {elapsed} seconds."


def _text(lines: Sequence[str], *, end: bytes = b"\r\r\n") -> bytes:
    """Text as the tool writes it: its own line ends are made longer by the text mode of its
    output.
    """
    encoded = (line.encode("cp437", "replace") for line in lines)
    return b"".join(line + end for line in encoded)
