"""A repository made by `init`, taken through the shell blocks of its own pipelines against a lab.

The files themselves are checked with the forges' published schemas. What stands between the blocks
(checkout, artifacts, comments) is the forge's and is only imitated: files stay in the folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from goexchange.app.starting import PIPELINES, start_repository
from tests.end_to_end.clients import exchange_cmdlet
from tests.end_to_end.site import Site, lab

SCHEMAS = {
    "github": ("vendor.github-workflows",),
    "gitlab": ("vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
    "azure": ("vendor.azure-pipelines", "--data-transform", "azure-pipelines"),
}
BASH = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c")
LAST_S = 10.0
"""How long a killed process may take to be seen as ended."""
# Interrupt, 7.5 s later terminate, 2.5 s later everything is killed: what a cancelled job of GitHub
# and of Azure gets. GitLab's runner terminates; how patient it is we do not know: the shortest.
CANCELS: dict[str, tuple[tuple[signal.Signals, float], ...]] = {
    "github": ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 0)),
    "azure": ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 0)),
    "gitlab": ((signal.SIGTERM, 7.5), (signal.SIGKILL, 0)),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("pipelines")
    with repository(folder) as running:
        yield running


@contextmanager
def repository(folder: Path, pace: str = "20") -> Iterator[Site]:
    """A lab's folder made into a repository by `init`, with all three pipelines."""
    with lab(folder, "--pace", pace, "--scale", "0.3") as running:
        specification = folder / "specs" / "preventative.yaml"
        text = specification.read_text("utf-8")
        specification.write_text(text.replace('["RDB*"]', '["RDB*", "DB0[1-4]*"]'), "utf-8")
        for kind in PIPELINES:
            start_repository(folder, pipeline=kind)
        (folder / "inventory" / "site.yaml").unlink()  # the lab's own names its servers
        test = folder / "specs" / "tests" / "preventative.test.yaml"
        first = test.read_text("utf-8").partition("---\n")[0]  # the other is of Saturdays
        # The lab's window closes an hour before the time at which the lab was made.
        opened = f"2026-11-29T{datetime.now(UTC):%H}:30:00Z"
        first = first.replace("2026-11-28T22:30:00+01:00", opened)
        assert "2026-11-29T" in first
        test.write_text(first, "utf-8")
        assert running.run("fmt").code == 0
        yield running


def blocks(kind: str, site: Site) -> dict[str, str]:
    """The shell blocks of a pipeline: validate, test, plan, apply, report, resume, nightly."""
    text = (site.folder / PIPELINES[kind][0]).read_text("utf-8")
    tree = YAML(typ="safe", pure=True).load(text)
    if kind == "github":
        found = {
            step["name"]: step["run"]
            for job in tree["jobs"].values()
            for step in job["steps"]
            if "run" in step
        }
    elif kind == "gitlab":
        jobs = {name: job for name, job in tree.items() if "script" in (job or ())}
        found = {name.capitalize(): "\n".join(job["script"]) for name, job in jobs.items()}
        found["Report"] = "\n".join(tree["apply"]["after_script"])
    else:
        found = {step["displayName"]: step["bash"] for step in _azure_steps(tree)}
    names = {"Nothing has drifted": "Nightly"}
    return {names.get(name, name): block for name, block in found.items() if name != "Comment"}


def _azure_steps(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        own = [tree] if "bash" in tree else []
        return own + [step for value in tree.values() for step in _azure_steps(value)]
    if isinstance(tree, list):
        return [step for value in tree for step in _azure_steps(value)]
    return []


def environment_of(site: Site, tmp_path: Path, **more: str) -> dict[str, str]:
    """What a forge's job has around it, with this checkout's program on its path."""
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    program = programs / "goexchange"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m goexchange "$@"\n', "utf-8")
    program.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "GOEXCHANGE_STORE": str(tmp_path / "store"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "PIPELINE_WORKSPACE": str(site.folder / "artifacts"),
        **more,
    }


def shell(block: str, site: Site, tmp_path: Path, **environment: str) -> tuple[int, str]:
    """Run a block as the forges do: bash that ends at the first command that fails."""
    done = subprocess.run(
        [*BASH, block],
        cwd=site.folder,
        env=environment_of(site, tmp_path, **environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("kind", sorted(PIPELINES))
def test_the_files_agree_with_the_forges_schemas(kind: str, site: Site) -> None:
    # the schemas' patterns are not all of the dialect that JSON Schema names
    command = [sys.executable, "-m", "check_jsonschema", "--regex-variant", "python"]
    path = str(site.folder / PIPELINES[kind][0])
    done = subprocess.run(
        [*command, "--builtin-schema", *SCHEMAS[kind], path],
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", sorted(PIPELINES))
def test_a_bad_specification_fails_at_the_right_line(kind: str, site: Site, tmp_path: Path) -> None:
    specification = site.folder / "specs" / "preventative.yaml"
    kept = specification.read_text("utf-8")
    line = next(n for n, each in enumerate(kept.splitlines(), 1) if "white_space_max" in each)
    try:
        specification.write_text(kept.replace("white_space_max", "white_space_mx"), "utf-8")
        workspace = {"GITHUB_WORKSPACE": str(site.folder)}
        code, out = shell(blocks(kind, site)["Validate"], site, tmp_path, **workspace)
    finally:
        specification.write_text(kept, "utf-8")
    assert code == 10, out
    report = site.folder / "gl-code-quality-report.json"
    place = json.loads(report.read_text("utf-8"))[0]["location"] if kind == "gitlab" else None
    expected = {
        "github": f"::error file=specs/preventative.yaml,line={line},col=3,",
        "azure": f"sourcepath=specs/preventative.yaml;linenumber={line};columnnumber=3;",
    }
    if place is not None:
        assert place == {"path": "specs/preventative.yaml", "lines": {"begin": line}}
    else:
        assert expected[kind] in out
    assert shell(blocks(kind, site)["Validate"], site, tmp_path)[0] == 0


@pytest.mark.parametrize("kind", sorted(PIPELINES))
def test_a_specification_that_leads_elsewhere_fails_its_test(
    kind: str, site: Site, tmp_path: Path
) -> None:
    block = blocks(kind, site)["Test"]
    code, out = shell(block, site, tmp_path)
    assert code == 0 and "1 test: 0 failed" in out, out
    specification = site.folder / "specs" / "preventative.yaml"
    kept = specification.read_text("utf-8")
    assert "white_space_max: 20%" in kept
    try:
        specification.write_text(kept.replace("white_space_max: 20%", "white_space_max: 90%"))
        code, out = shell(block, site, tmp_path)
    finally:
        specification.write_text(kept, "utf-8")
    assert code == 10 and "EX01/DB05 needs nothing" in out, out
    if kind != "github":
        assert 'failures="1"' in (site.folder / "out" / "tests.xml").read_text("utf-8")


def test_a_change_goes_from_plan_to_report(site: Site, tmp_path: Path) -> None:
    steps = blocks("github", site)
    code, out = shell(steps["Plan"], site, tmp_path)
    assert code == 0, out
    assert (tmp_path / "summary.md").read_text("utf-8").startswith("<!-- goexchange:plan -->")
    assert shell(steps["Apply"], site, tmp_path)[0] != 0, "nobody has approved"

    approvals = site.folder / "approvals"
    assert site.run("approve", "out/plan.json", "--consent", "all").code == 0
    (site.folder / "out" / "plan.approval.json").rename(approvals / "plan.approval.json")
    inside = {"GITHUB_WORKSPACE": str(tmp_path)}
    refused = shell(steps["Apply"], site, tmp_path, **inside)
    assert refused[0] == 14 and "inside the pipeline's workspace" in refused[1]

    code, out = shell(steps["Apply"], site, tmp_path)
    assert code == 0, out
    assert shell(steps["Report"], site, tmp_path)[0] == 0
    assert sorted(path.name for path in (site.folder / "out" / "report").iterdir())
    code, out = shell(steps["Nightly"], site, tmp_path)
    assert code == 0, out

    exchange_cmdlet(site, "Dismount-Database", Identity="DB05", Confirm=False)
    try:
        code, out = shell(steps["Nightly"], site, tmp_path)
    finally:
        exchange_cmdlet(site, "Mount-Database", Identity="DB05")
    assert code == 2, out


@pytest.mark.long
@pytest.mark.parametrize("kind", ["gitlab", "azure"])
def test_the_plan_blocks_of_the_other_forges(kind: str, site: Site, tmp_path: Path) -> None:
    code, out = shell(blocks(kind, site)["Plan"], site, tmp_path)
    assert code == 0, out
    assert (site.folder / "out" / "plan.md").read_text("utf-8").startswith("<!-- goexchange")
    if kind == "gitlab":
        widget = json.loads((site.folder / "out" / "widget.json").read_text("utf-8"))
        assert set(widget) == {"create", "update", "delete"}
    else:
        assert re.search(r"##vso\[task.uploadsummary\].*/out/plan.md", out)
    assert shell(blocks(kind, site)["Nightly"], site, tmp_path)[0] in (0, 2)


@pytest.mark.long  # the sequence of signals itself is played by test_signals
@pytest.mark.parametrize("kind", ["github", "azure", "gitlab"])
def test_a_cancelled_job_ends_in_time_and_the_next_one_goes_on(kind: str, tmp_path: Path) -> None:
    """The forge signals the process that it started, and kills whatever is left at the end."""
    folder = tmp_path / "site"
    folder.mkdir()
    with repository(folder, pace="8") as site:
        steps = blocks(kind, site)
        code, out = shell(steps["Plan"], site, tmp_path)
        assert code == 0, out
        assert site.run("approve", "out/plan.json", "--consent", "all").code == 0
        (folder / "out" / "plan.approval.json").rename(folder / "approvals" / "plan.approval.json")
        (folder / "artifacts" / "plan").mkdir(parents=True)
        shutil.copy(folder / "out" / "plan.json", folder / "artifacts" / "plan" / "plan.json")
        with (tmp_path / "job.log").open("wb") as log:
            job = subprocess.Popen(
                [*BASH, steps["Apply"]],
                cwd=folder,
                env=environment_of(site, tmp_path),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for_intent(tmp_path / "store", "copy-set", job)
        took, sent = cancelled(job, CANCELS[kind])
        assert sent == 1 and took < 5.0, (sent, took, (tmp_path / "job.log").read_text("utf-8"))
        assert job.returncode == 22, "the database is down, and a cancel does not hide it"

        run = {"RUN": "last"}
        assert shell(steps["Report"], site, tmp_path, **run)[0] == 0, "it runs after a cancel too"
        report = next((folder / "out" / "report").rglob("report.html"))
        said = report.read_text("utf-8")
        assert "out of service now" in said and "goexchange resume" in said
        code, out = shell(steps["Resume"], site, tmp_path, **run)
        assert code == 0, out
        assert shell(steps["Nightly"], site, tmp_path)[0] == 0


def wait_for_intent(store: Path, action: str, job: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while not any(
        f"-{action}" in line and '"intent"' in line
        for journal in store.glob("runs/*/journal.jsonl")
        for line in journal.read_text("utf-8").splitlines()
    ):
        assert job.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)


def cancelled(
    job: subprocess.Popen[bytes], sequence: tuple[tuple[signal.Signals, float], ...]
) -> tuple[float, int]:
    """Play the sequence; how long the job took to end, and how many signals that needed."""
    began = time.monotonic()
    for sent, (number, wait_s) in enumerate(sequence, start=1):
        if number is signal.SIGKILL:
            os.killpg(job.pid, number)
        else:
            job.send_signal(number)
        try:
            job.wait(timeout=wait_s or LAST_S)
        except subprocess.TimeoutExpired:
            continue
        return time.monotonic() - began, sent
    raise AssertionError("a killed process does not end")
