"""An operator's hands: cmdlets, scripts and jobs on a small world, with a clock that jobs move."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

from attrs import define, field

from goexchange.powershell.eseutil import decode_output
from goexchange.world.clock import ManualClock
from goexchange.world.disk import MemoryDisk
from goexchange.world.site import SiteDescription, default_site
from goexchange.world.world import World

ROOT = "C:\\ProgramData\\goexchange"
START = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
SMALL = default_site(scale=0.03)
EDB = "D:\\DB05\\DB05.edb"
TEMPORARY = "D:\\DB05\\gx-1\\DB05.tmp.edb"
KEPT = f"{EDB}.before-x"
SET = "E:\\sets\\DB05"


@define
class JobSeen:
    """What polling a job to its end showed; `sizes` are those of the first watched file."""

    answer: dict[str, Any]
    output: str
    sizes: list[int | None]

    @property
    def exit_code(self) -> int:
        return int(self.answer["exit_code"])


@define
class Hands:
    """Calls to one host of a world."""

    world: World
    clock: ManualClock
    disk: MemoryDisk
    host: str = "EX01"
    fence: int = 1
    started: int = field(default=0)

    def cmdlet(self, name: str, /, **parameters: Any) -> dict[str, Any]:
        """A cmdlet's plain answer."""
        answer = self.world.cmdlet(self.host, "gxadmin", name, parameters)
        self.clock.move(seconds=answer.duration_s)
        return self.world.to_plain(answer)

    def one(self, name: str, /, **parameters: Any) -> dict[str, Any]:
        """The only object of a cmdlet's answer."""
        answer = self.cmdlet(name, **parameters)
        assert not answer["errors"], answer["errors"]
        (found,) = answer["objects"]
        return dict(found)

    def script(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """A script that only reads."""
        return self.world.script(self.host, "gxadmin", name, arguments)

    def change(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """A script that changes something, under our fence."""
        return self.script(name, root=ROOT, fence=self.fence, **arguments)

    def start(self, kind: str, /, **request: Any) -> str:
        """Start a job; its id."""
        self.started += 1
        job = f"{kind}-{self.started}"
        answer = self.change("start-job", job=job, kind=kind, request=request, runner="")
        assert answer["state"] == "started"
        return job

    def poll(self, job: str, *watch: str) -> dict[str, Any]:
        """One look at a job."""
        return self.script("poll-job", root=ROOT, job=job, offset=0, watch=list(watch))

    def finish(self, job: str, *watch: str) -> JobSeen:
        """Poll a job until it has ended or is lost."""
        sizes: list[int | None] = []
        for _ in range(1000):
            answer = self.poll(job, *watch)
            sizes += [each["size_bytes"] for each in answer["watched"][:1]]
            if answer["state"] in ("ended", "lost"):
                output = decode_output(base64.b64decode(answer["output"]))
                return JobSeen(answer, output, sizes)
            self.clock.move(seconds=0.05)
        raise AssertionError(f"{job} does not end")

    def eseutil(self, *arguments: str, creates: tuple[str, ...] = ()) -> JobSeen:
        """Run the database utility to its end."""
        job = self.start_eseutil(*arguments, creates=creates)
        return self.finish(job, *creates)

    def start_eseutil(self, *arguments: str, creates: tuple[str, ...] = ()) -> str:
        """Start the database utility."""
        return self.start(
            "eseutil",
            eseutil=self.tool,
            arguments=list(arguments),
            must_not_exist=list(creates),
            folder="D:\\DB05\\gx-1",
        )

    def copy(self, source: str, destination: str) -> JobSeen:
        """Copy one file."""
        files = [{"source": source, "destination": destination}]
        return self.finish(self.start("copy-files", files=files), destination)

    def header_digest(self, path: str) -> str:
        """The digest by which the swap knows a file."""
        answer = self.read_header(path)
        return hashlib.sha256(base64.b64decode(answer["slots"])).hexdigest()

    def read_header(self, path: str) -> dict[str, Any]:
        """Header slots, the tool's dump, and the logs of DB05."""
        return self.script(
            "read-header",
            path=path,
            eseutil=self.tool,
            log_folder="L:\\DB05",
            log_prefix="E04",
            page_bytes=32768,
        )

    def observe(self, *paths: str, folders: tuple[str, ...] = ()) -> dict[str, Any]:
        """One observation of the host."""
        return self.script(
            "observe-host",
            root=ROOT,
            paths=list(paths),
            log_folders=list(folders),
            events_since="2026-11-22T19:00:00Z",
        )

    def guid(self, database: str) -> str:
        """GUID of a database by name."""
        return str(self.world.database_named(database).guid)

    def dismount(self, database: str = "DB05") -> None:
        """Dismount a database."""
        answer = self.cmdlet("Dismount-Database", Identity=self.guid(database), Confirm=False)
        assert answer["errors"] == []

    def database(self, name: str = "DB05") -> dict[str, Any]:
        """A database with its live state."""
        return self.one("Get-MailboxDatabase", Identity=self.guid(name), Status=True)

    @property
    def tool(self) -> str:
        return self.world.hosts[self.host].description.eseutil_path


def take_hold(*, site: SiteDescription = SMALL, host: str = "EX01", seed: int = 1) -> Hands:
    """A fresh world."""
    clock, disk = ManualClock(START), MemoryDisk()
    return Hands(World(site, clock, disk, seed), clock, disk, host=host)
