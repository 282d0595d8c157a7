"""What is typed of the documents, document by document, on a site of the lab.

A scenario gives the words that stand for something (`RUN`, `SET`, `PATH`, `STEP`, a time) their
values, makes what a block needs, and says how each block ends.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.end_to_end.site import Site, steps
from tests.tidy.command_blocks import TUTORIAL, blocks, to_run

LIMIT_S = 900
OK, HELD, LATER, UNPROTECTED, USAGE = 0, 11, 14, 25, 64


class Page:
    """The blocks of one document; each is typed, and all of them have to be."""

    def __init__(self, document: str, site: Site) -> None:
        self.site = site
        self._left = list(to_run(document))
        assert self._left, f"{document} has no block that could be typed"

    def types(self, part: str, code: int = OK, **words: str) -> str:
        """Type the block that has `part` in it; what it says."""
        (block,) = [each for each in self._left if part in each.text]
        self._left.remove(block)
        return self.line(block.text, code, where=f"{block.document}:{block.line}", **words)

    def line(self, text: str, code: int = OK, *, where: str = "", **words: str) -> str:
        """Type something, with the words that stand for something replaced."""
        for word, value in words.items():
            text = re.sub(rf"\b{word}\b", lambda _, to=value: to, text)
        done = self._typed(text)
        deadline = time.monotonic() + LIMIT_S
        while done.returncode == HELD and time.monotonic() < deadline:
            time.sleep(2)  # as the documents say: the lease of a dead controller ends by itself
            done = self._typed(text)
        assert done.returncode == code, f"{where} ended with {done.returncode}\n{done.stdout}"
        return done.stdout

    def _typed(self, text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-c", text],
            cwd=self.site.folder,
            env={**os.environ, "PATH": f"{programs(self.site)}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=LIMIT_S,
            check=False,
        )

    def replaced(self, text: str, typed: str, code: int = OK) -> str:
        """Type something in place of a block whose words need more than a replacement."""
        (block,) = [each for each in self._left if each.text == text]
        self._left.remove(block)
        return self.line(typed, code, where=f"{block.document}:{block.line}")

    def done(self, text: str) -> None:
        """The block has been typed already, to make the site."""
        (block,) = [each for each in self._left if each.text == text]
        self._left.remove(block)

    def skip_none(self) -> None:
        """Nothing of the document was left out."""
        assert not self._left, [f"{each.document}:{each.line}" for each in self._left]


def programs(site: Site) -> Path:
    """A folder in which `goexchange` is this checkout's."""
    folder = site.folder / ".bin"
    folder.mkdir(exist_ok=True)
    program = folder / "goexchange"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m goexchange "$@"\n', "utf-8")
    program.chmod(0o755)
    return folder


def newest_run(site: Site) -> str:
    runs = site.folder / ".goexchange" / "runs"
    return max(each.name for each in runs.iterdir() if each.is_dir())


def newest_set(site: Site) -> Path:
    found = site.disk("backup01", "exchange$").rglob("backup-set.json")
    return max(each.parent for each in found)


def rebuilding_run(site: Site) -> str:
    """The newest run that has rebuilt something."""
    journals = (site.folder / ".goexchange" / "runs").glob("*/journal.jsonl")
    return max(each.parent.name for each in journals if "-rebuild" in each.read_text("utf-8"))


def killed(site: Site, action: str) -> str:
    """A run on DB05 whose controller is killed in a step; the run."""
    site.planned("--database", "DB05")
    known = {newest_run(site)} if (site.folder / ".goexchange" / "runs").exists() else set()
    process = site.start("apply", "plan.json")
    site.wait_until(lambda: newest_known(site) not in {*known, ""})
    site.wait_for(lambda journal: bool(steps(journal, "intent", action)), 120)
    process.kill()
    process.communicate(timeout=120)
    return newest_run(site)


def newest_known(site: Site) -> str:
    runs = site.folder / ".goexchange" / "runs"
    return newest_run(site) if runs.is_dir() and any(runs.iterdir()) else ""


def first_server(site: Site) -> None:
    page = Page("first-real-server.md", site)
    assert "PROVED" in page.types("goexchange pilot")
    page.types("goexchange observe")
    page.types("goexchange approve")
    page.skip_none()


def account(site: Site) -> None:
    page = Page("least-privilege-account.md", site)
    page.types("goexchange observe")
    page.skip_none()


def kerberos(site: Site) -> None:
    page = Page("kerberos-and-certificates.md", site)
    page.types("goexchange validate")
    page.skip_none()


def agents(site: Site) -> None:
    page = Page("backup-agents.md", site)
    page.types("goexchange window next")
    page.skip_none()


def share(site: Site) -> None:
    page = Page("share-as-backup-target.md", site)
    page.types("goexchange backups list", PATH=str(newest_set(site)))
    page.skip_none()


def running(site: Site) -> None:
    page = Page("running-nights.md", site)
    assert "exit code 0" in page.types("goexchange status", RUN=newest_run(site))
    page.skip_none()


def reports(site: Site) -> None:
    page = Page("reports.md", site)
    (block,) = to_run("reports.md")
    typed = block.text.replace(r"E:\goexchange\EX01\DB05", str(newest_set(site)))
    assert typed != block.text
    page.replaced(block.text, typed)
    page.skip_none()


def restoring(site: Site) -> None:
    page = Page("restore.md", site)
    given = newest_set(site)
    text = next(each.text for each in to_run("restore.md") if "backup01" in each.text)
    named = re.findall(r"'([^']+)'", text)[0]
    inside = str(given.relative_to(site.disk("backup01", "exchange$"))).replace("/", "\\")
    assert named.startswith("\\\\backup01\\exchange$\\EX01\\DB05\\"), named
    replaced = text.replace(named, f"\\\\backup01\\exchange$\\{inside}")
    assert "EX01" in page.replaced(text, replaced)
    run = rebuilding_run(site)
    said = page.line(f"goexchange rollback {run} --database DB05", LATER)
    since = said.split("--discard-mail-since ")[1].split()[0]
    rolled = next(each.text for each in to_run("restore.md") if "rollback" in each.text)
    first, rest = rolled.split("\n", 1)
    again = re.sub(r"--discard-mail-since \S+", f"--discard-mail-since {since}", rest)
    assert first == "goexchange rollback RUN --database DB05", "it was typed above"
    page.replaced(rolled, again.replace("RUN", run))
    page.types("--to original", UNPROTECTED, SET=str(given))
    page.skip_none()


def left_offline(site: Site) -> None:
    page = Page("left-offline-at-night.md", site)
    killed(site, "copy-set")
    page.types("goexchange release DB05")
    run = killed(site, "copy-set")
    step = steps(site.journal(), "outcome", "dismount")[0]
    answer = "goexchange resume RUN --assume done"
    assert "nothing was changed" in page.types(
        answer, USAGE, RUN=run, **{"EX01/DB05/07-dismount": step}
    )
    shutil.rmtree(site.folder / ".goexchange")
    page.types("--from-host EX01")
    page.types("goexchange resume last")
    page.types("goexchange leftovers EX01")
    page.skip_none()


def readme(site: Site) -> None:
    """The site of its first block is up already; the second is typed there."""
    page = Page("README.md", site)
    up, *rest = (each.text for each in to_run("README.md"))
    assert "goexchange lab up my-lab" in up
    page.done(up)
    (used,) = rest
    assert used.startswith("cd my-lab")
    sets = f"{site.disk('backup01', 'exchange$')}/EX01/DB05/*"  # what is there when it is typed
    page.replaced(used, used.partition("\n")[2].replace("PATH", sets))
    page.skip_none()


SCENARIOS: dict[str, Callable[[Site], None]] = {
    "README.md": readme,
    "first-real-server.md": first_server,
    "least-privilege-account.md": account,
    "kerberos-and-certificates.md": kerberos,
    "share-as-backup-target.md": share,
    "backup-agents.md": agents,
    "running-nights.md": running,
    "reports.md": reports,
    "restore.md": restoring,
    "left-offline-at-night.md": left_offline,
}


def others() -> tuple[str, ...]:
    """Documents without a scenario of their own: their blocks are typed as they stand."""
    named = {*SCENARIOS, TUTORIAL}
    return tuple(
        dict.fromkeys(
            each.document
            for each in blocks()
            if each.document not in named and to_run(each.document)
        )
    )


def as_it_stands(document: str, site: Site) -> None:
    """Every block of a document in its order, each expected to succeed."""
    page = Page(document, site)
    for block in to_run(document):
        words = {
            "RUN": newest_run(site),
            "SET": str(newest_set(site)),
            "PATH": str(newest_set(site)),
        }
        page.types(block.text, **words)
    page.skip_none()
