"""Real kills: the command line dies by `kill -9` in the middle of a run against a lab.

`python -m tests.reliability.kills --kills N` takes the steps of a night in turn. Every second kill
cuts the lab's connections too; every fourth deletes the store, and the run goes on from the host's
record. A kill counts where the journal says that it hit: after an intent (the step is under way) or
after an outcome (between two steps).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import field, frozen

from goexchange.errors import ExitCode
from tests.end_to_end.site import Site, lab

DATABASES = ("DB05", "DB01", "DB03", "DB09")  # each is rebuilt once in a lab
SETTINGS = "lease_expires_after: 8s\nheartbeat_every: 2s\n"
GOES_ON_WITHIN_S = 90
GOOD_ENDS = frozenset({0, int(ExitCode.STOPPED), int(ExitCode.PARTIAL)})


@frozen(kw_only=True)
class Hits:
    """What some kills showed; it can be added up."""

    places: Counter[str] = field(factory=Counter)  # phase and step
    roads: Counter[str] = field(factory=Counter)  # how it went on
    ends: Counter[int] = field(factory=Counter)
    missed: int = 0
    bad: tuple[str, ...] = ()

    def plus(self, other: Hits) -> Hits:
        """Both together."""
        return Hits(
            places=self.places + other.places,
            roads=self.roads + other.roads,
            ends=self.ends + other.ends,
            missed=self.missed + other.missed,
            bad=(*self.bad, *other.bad),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill as often as is asked for; 0 when every run ended well and every kill hit."""
    parser = argparse.ArgumentParser(description="kill -9 of the command line against a lab")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="labs at once")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    total = kill(given.kills, jobs=given.jobs)
    for text in report(total, time.monotonic() - began):
        sys.stdout.write(f"{text}\n")
    return 1 if problems(total, given.kills) else 0


def kill(count: int, *, jobs: int) -> Hits:
    """Kill that many runs, in that many labs at once."""
    numbers = list(range(count))
    batches = [numbers[at : at + len(DATABASES)] for at in range(0, count, len(DATABASES))]
    total = Hits()
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        for hits in pool.map(_batch, batches):
            total = total.plus(hits)
    return total


def problems(hits: Hits, count: int) -> list[str]:
    """What fails the session."""
    hit = sum(hits.places.values())
    found = [f"kills: {text}" for text in hits.bad]
    if hit + hits.missed < count or hits.missed > count // 10:
        found.append(f"kills: {hit} of {count} hit their run")
    return found


def report(hits: Hits, seconds: float) -> Iterator[str]:
    """Every count, for people."""
    hit = sum(hits.places.values())
    yield f"{hit} kills hit their run, {hits.missed} came too late, {seconds:.0f} s"
    yield f"went on: {dict(sorted(hits.roads.items()))}"
    yield f"ends by exit code: {dict(sorted(hits.ends.items()))}"
    for place, count in sorted(hits.places.items()):
        yield f"  {count:4}  {place}"
    for text in hits.bad:
        yield f"FAILED: {text}"


def _batch(numbers: Sequence[int]) -> Hits:
    """Some kills in one lab, each in the night of another database."""
    total = Hits()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        path = Path(folder)
        with lab(path, "--pace", "2", "--scale", "0.4") as site:
            settings = path / "goexchange.yaml"
            settings.write_text(settings.read_text("utf-8") + SETTINGS, "utf-8")
            specification = next((path / "specs").glob("*.yaml"))
            text = specification.read_text("utf-8")
            text = text.replace("servers: [EX01, EX02]", "servers: [EX01, EX04]")
            text = text.replace("white_space_max: 20%", "white_space_max: 2%")
            specification.write_text(text.replace("gain_min: 1MiB", "gain_min: 64KiB"), "utf-8")
            for number, database in zip(numbers, DATABASES, strict=False):
                total = total.plus(_kill(site, number, database))
    return total


def _kill(site: Site, number: int, database: str) -> Hits:
    plan = site.planned("--database", database)
    sent = [
        step["id"]
        for lane in plan["body"]["lanes"]
        for step in lane["steps"]
        if step["runs_when"] == "all-well"
    ]
    kind = "intent" if number % 2 == 0 else "outcome"
    wanted = sent[(number * 7) % len(sent)]
    before = _runs(site)
    process = site.start("apply", "plan.json")
    while process.poll() is None and not _has(_records(site, before), kind, wanted):
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=30)
    records = _records(site, before)
    if any(record["kind"] == "run-ended" for record in records):
        return Hits(missed=1)
    place = _place(records)
    is_cut, is_lost = number % 4 >= 2, number % 4 == 3
    if is_cut:
        for host in ("EX01", "EX04"):
            site.control("restart", host=host)
    if is_lost:
        shutil.rmtree(site.folder / ".goexchange")
    server = plan["body"]["lanes"][0]["server"]
    code, said = _go_on(site, ("--from-host", server) if is_lost else ("last",))
    road = ("from the host" if is_lost else "from the store") + (", cut" if is_cut else "")
    bad = _judged(site, database, code, said)
    return Hits(
        places=Counter([place]),
        roads=Counter([road]),
        ends=Counter([code]),
        bad=tuple(f"kill {number} at {place} ({road}): {text}" for text in bad),
    )


def _go_on(site: Site, words: Sequence[str]) -> tuple[int, str]:
    """Resume; a holder of whom nobody knows that it is dead is waited for."""
    deadline = time.monotonic() + GOES_ON_WITHIN_S
    while True:
        done = site.run("resume", *words)
        if done.code != ExitCode.LOCKED or time.monotonic() > deadline:
            return done.code, (done.out + done.err)[-600:]
        time.sleep(1)


def _judged(site: Site, database: str, code: int, said: str) -> list[str]:
    """What is not as it has to be, on the site itself and in the journal."""
    found = []
    if code not in GOOD_ENDS:
        found.append(f"resume ended with {code}: {said}")
    seen = site.run("--json", "observe")
    mounted = None
    with suppress(ValueError, KeyError, TypeError):
        mounted = {
            one["name"]: one["is_mounted"]
            for server in seen.document["servers"]
            for one in server["databases"]
        }[database]
    if mounted is not True:
        found.append(f"{database} is not seen mounted: {mounted} {seen.err[-200:]}")
    swaps = [
        record["data"]["step"]
        for record in site.journal()
        if record["kind"] == "outcome"
        and record["data"]["outcome"] == "done"
        and record["data"]["step"].endswith(("-swap", "-dismount"))
    ]
    if any(count > 1 for count in Counter(swaps).values()):
        found.append(f"twice: {swaps}")
    return found


def _runs(site: Site) -> set[str]:
    folder = site.folder / ".goexchange" / "runs"
    return {each.name for each in folder.glob("*")} if folder.exists() else set()


def _records(site: Site, before: set[str]) -> list[dict[str, Any]]:
    """The records of the run that is not among those before; a torn end is left out."""
    new = sorted(_runs(site) - before)
    path = site.folder / ".goexchange" / "runs" / new[-1] / "journal.jsonl" if new else None
    if path is None or not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def _has(records: Sequence[dict[str, Any]], kind: str, step: str) -> bool:
    return any(each["kind"] == kind and each["data"].get("step") == step for each in records)


def _place(records: Sequence[dict[str, Any]]) -> str:
    """Where the kill hit: the last record of a step says it."""
    for record in reversed(records):
        if record["kind"] in ("intent", "outcome", "progress", "looked") and record["data"]:
            action = str(record["data"]["step"]).rsplit("/", 1)[-1].partition("-")[2]
            return f"{'between steps' if record['kind'] == 'outcome' else 'in the step'}: {action}"
    return "before the first step"


if __name__ == "__main__":
    sys.exit(main())
