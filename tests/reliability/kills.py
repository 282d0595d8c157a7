"""Real kills: the command line dies by SIGKILL in the middle of a run against a lab, again and
again, until the run has ended.

`python -m tests.reliability.kills --kills N` plays as many runs as that takes. Each process of a
run dies at the next moment of a list (`dying.Moment`), each moment once in a run, at steps that a
seed chooses; the moment *at any moment* is a kill from outside. Before every second resume all
connections of the lab are cut; once in every second run the store is deleted, and the run goes on
from the host's record. A kill counts when the process really died of it.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from attrs import field, frozen

from goexchange.errors import ExitCode
from tests.end_to_end.site import GOEXCHANGE, Site, lab
from tests.reliability.dying import OF_A_CALL, VARIABLE, Moment

DATABASES = ("DB05", "DB01", "DB03", "DB09")  # each is rebuilt once in a lab
SETTINGS = "lease_expires_after: 6s\nheartbeat_every: 2s\n"
LAB = ("--pace", "3", "--scale", "0.3", "--delay-ms", "15")
ENDS_WITHIN_S = 150
FREE_WITHIN_S = 60
REPOSITORY = Path(__file__).parents[2]
ONCE = ("dismount", "mount", "swap")


@frozen(kw_only=True)
class Hits:
    """What some kills showed; it can be added up."""

    moments: Counter[str] = field(factory=Counter)
    places: Counter[str] = field(factory=Counter)  # moment and action
    roads: Counter[str] = field(factory=Counter)  # how it went on
    ends: Counter[int] = field(factory=Counter)
    missed: Counter[str] = field(factory=Counter)  # the process ended before that moment
    runs: int = 0
    bad: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return self.moments.total()

    def plus(self, other: Hits) -> Hits:
        """Both together."""
        return Hits(
            moments=self.moments + other.moments,
            places=self.places + other.places,
            roads=self.roads + other.roads,
            ends=self.ends + other.ends,
            missed=self.missed + other.missed,
            runs=self.runs + other.runs,
            bad=(*self.bad, *other.bad),
        )


@frozen(kw_only=True)
class Target:
    """Where the next process of a run is to die."""

    moment: Moment
    step: str
    nth: int = 1


Dies = Callable[[Site, Target, Sequence[str], random.Random], tuple[int, str]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill as often as is asked for; 0 when every run ended well and every moment was hit."""
    parser = argparse.ArgumentParser(description="kill -9 of the command line against a lab")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="labs at once")
    given = parser.parse_args(arguments)
    began = time.monotonic()
    total = kill(given.kills, jobs=given.jobs)
    for text in report(total, time.monotonic() - began):
        sys.stdout.write(f"{text}\n")
    found = problems(total, given.kills)
    for text in found:
        sys.stdout.write(f"FAILED: {text}\n")
    return 1 if found else 0


def kill(count: int, *, jobs: int) -> Hits:
    """Kill that many processes, in that many labs at once; a few more, for every run is ended."""
    total, lab_number = Hits(), 0
    with ThreadPoolExecutor(max_workers=max(jobs, 1)) as pool:
        while total.count < count and not total.bad:
            left = count - total.count
            labs = max(1, min(jobs, -(-left // (len(Moment) * len(DATABASES)))))
            runs = min(len(DATABASES), -(-left // (labs * len(Moment))))
            wanted = [(lab_number + at, runs) for at in range(labs)]
            lab_number += labs
            for hits in pool.map(lambda each: in_one_lab(*each), wanted):
                total = total.plus(hits)
    return total


def problems(hits: Hits, count: int) -> list[str]:
    """What fails the session."""
    found = [f"kills: {text}" for text in hits.bad]
    if hits.count < count:
        found.append(f"kills: {hits.count} of {count} hit their run")
    if count >= len(Moment):
        found += [
            f"kills: nobody died {moment.value}"
            for moment in Moment
            if not hits.moments[moment.value]
        ]
    return found


def report(hits: Hits, seconds: float) -> Iterator[str]:
    """Every count, for people."""
    yield f"{hits.count} kills hit {hits.runs} runs, {seconds:.0f} s"
    yield f"processes that ended before their moment: {dict(sorted(hits.missed.items()))}"
    yield f"went on: {dict(sorted(hits.roads.items()))}"
    yield f"ends by exit code: {dict(sorted(hits.ends.items()))}"
    for moment in Moment:
        yield f"  {hits.moments[moment.value]:4}  {moment.value}"
    for place, count in sorted(hits.places.items()):
        yield f"  {count:4}  {place}"


def in_one_lab(number: int, runs: int) -> Hits:
    """Some runs in one lab, each the night of another database."""
    total = Hits()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder, lab(Path(folder), *LAB) as site:
        prepare(site)
        for at, database in enumerate(DATABASES[:runs]):
            seed = number * len(DATABASES) + at
            try:
                total = total.plus(one_run(site, seed, database))
            except (AssertionError, subprocess.TimeoutExpired, OSError) as error:
                text = f"run {seed}: {type(error).__name__}: {str(error)[-500:]}"
                return total.plus(Hits(runs=1, bad=(text,)))
    return total


def prepare(site: Site) -> None:
    """Leases that end soon, and a specification that every database is to be rebuilt by."""
    settings = site.folder / "goexchange.yaml"
    settings.write_text(settings.read_text("utf-8") + SETTINGS, "utf-8")
    specification = next((site.folder / "specs").glob("*.yaml"))
    text = specification.read_text("utf-8")
    text = text.replace("servers: [EX01, EX02]", "servers: [EX01, EX04]")
    text = text.replace("white_space_max: 20%", "white_space_max: 2%")
    specification.write_text(text.replace("gain_min: 1MiB", "gain_min: 64KiB"), "utf-8")


def one_run(site: Site, seed: int, database: str, *, dies: Dies | None = None) -> Hits:
    """One run from its plan to its end, killed on the way at each of the moments once.

    Shape: `dies` goes on with a run in a process that dies; by default that is the command itself.
    """
    chance = random.Random(seed)
    plan = site.planned("--database", database)
    targets = targets_of(plan, chance)
    loses_store_at = chance.randrange(3, len(targets) - 1) if seed % 2 else None
    server = plan["body"]["lanes"][0]["server"]
    total = Hits(runs=1)
    words: Sequence[str] = ("apply", "plan.json")
    for number, target in enumerate(targets):
        code, said = _until_free(partial(dies or die, site, target, words, chance))
        if code != -signal.SIGKILL:
            total = total.plus(Hits(missed=Counter([target.moment.value])))
            if code not in (ExitCode.OK, ExitCode.LOCKED):
                text = f"run {seed}: {target.moment.value} {target.step}: {code}: {said}"
                return total.plus(Hits(ends=Counter([code]), bad=(text,)))
            continue
        is_lost = number == loses_store_at
        is_cut = number % 2 == 1
        if is_cut:
            for host in ("EX01", "EX04"):
                site.control("restart", host=host)
        if is_lost:
            shutil.rmtree(site.folder / ".goexchange")
            words = ("resume", "--from-host", server)
        elif _has_begun(site, plan):
            words = ("resume", "last")
        road = ("from the host" if is_lost else "from the store") + (", cut" if is_cut else "")
        place = f"{target.moment.value}: {_action(target.step)}"
        total = total.plus(
            Hits(
                moments=Counter([target.moment.value]),
                places=Counter([place]),
                roads=Counter([road]),
            )
        )
    code, said = _go_on(site, words)
    bad = tuple(f"run {seed}: {text}" for text in judged(site, database, code, said))
    return total.plus(Hits(ends=Counter([code]), bad=bad))


def targets_of(plan: Any, chance: random.Random) -> list[Target]:
    """Each moment once, at steps that follow each other; the report comes last."""
    steps = [
        step for lane in plan["body"]["lanes"] for step in lane["steps"]
        if step["runs_when"] in ("all-well", "in-service-again", "settings-changed")
    ]  # fmt: skip
    moments = [each for each in Moment if each is not Moment.IN_REPORT]
    chance.shuffle(moments)
    places = sorted(chance.sample(range(len(steps)), len(moments)))
    found = []
    for moment, place in zip(moments, places, strict=True):
        at = place  # a call needs a step that is sent: the next such one
        while moment in OF_A_CALL and at + 1 < len(steps) and not _is_sent(steps[at]):
            at += 1
        found.append(Target(moment=moment, step=steps[at]["id"]))
    return [*found, Target(moment=Moment.IN_REPORT, step="report")]


def _folder(path: str) -> str:
    r"""`DB05` of `D:\DB05\DB05.edb`: a swap is told by its file."""
    parts = path.split("\\")
    return parts[1] if len(parts) > 2 else ""


def _is_sent(step: Any) -> bool:
    return "work" not in step["call"]


def _action(step: str) -> str:
    return step.rsplit("/", 1)[-1].partition("-")[2] or step


def die(
    site: Site, target: Target, words: Sequence[str], chance: random.Random
) -> tuple[int, str]:
    """Go on with the run until the process is dead, or has ended before its time."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [*GOEXCHANGE, *words]
    if target.moment is not Moment.ANY:
        environment[VARIABLE] = f"{target.moment.value}|{target.step}|{target.nth}"
        command = [sys.executable, "-m", "tests.reliability.dying", *words]
    with (site.folder / "output.txt").open("w+", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, cwd=site.folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if target.moment is Moment.ANY:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1.0 + 5 * chance.random())
            process.kill()
        code = process.wait(timeout=ENDS_WITHIN_S)
        output.seek(0)
        return code, output.read()[-600:]


def _has_begun(site: Site, plan: Any) -> bool:
    """Whether the newest run of the store is of this plan; before its first record there is none.
    """
    headers = [one["data"] for one in site.journal() if one["kind"] == "run-started"]
    return [one["plan_sha256"] for one in headers] == [plan["sha256"]]


def _until_free(start: Callable[[], tuple[int, str]]) -> tuple[int, str]:
    """Again while the host says that a holder may live of whom only its leases' end tells."""
    deadline = time.monotonic() + FREE_WITHIN_S
    while True:
        code, said = start()
        if code != ExitCode.LOCKED or time.monotonic() > deadline:
            return code, said
        time.sleep(0.5)


def _go_on(site: Site, words: Sequence[str]) -> tuple[int, str]:
    """Resume to the end."""

    def start() -> tuple[int, str]:
        done = site.run(*words)
        return done.code, (done.out + done.err)[-600:]

    return _until_free(start)


def judged(site: Site, database: str, code: int, said: str) -> list[str]:
    """What is not as it has to be: on the site itself, in the journal, in what a plan would do."""
    found = []
    if code != ExitCode.OK:
        found.append(f"resume ended with {code}: {said}")
    counts = Counter(
        each["kind"]
        for each in site.control("effects")["effects"]
        if each["by"] and database in (each["database"], _folder(each["detail"]))
    )
    wrong = {kind: counts[kind] for kind in ONCE if counts[kind] != 1}
    if wrong:
        found.append(f"{database}: not once: {wrong}")
    if site.run("journal", "verify", "last").code != ExitCode.OK:
        found.append("the journal does not verify")
    again = site.run("plan", "--database", database, "--detailed-exitcode")
    if again.code != ExitCode.OK:
        found.append(f"a second plan is not empty: {again.code} {(again.out + again.err)[-400:]}")
    return found


if __name__ == "__main__":
    sys.exit(main())
