"""A repository made by `init`, taken through the shell blocks of its own pipelines against a lab.

The files themselves are checked with the forges' published schemas. What stands between the blocks
(checkout, artifacts, comments) is the forge's and is only imitated: files stay in the folder.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("pipelines")
    with lab(folder, "--pace", "20", "--scale", "0.3") as running:
        specification = folder / "specs" / "preventative.yaml"
        text = specification.read_text("utf-8")
        specification.write_text(text.replace('["RDB*"]', '["RDB*", "DB0[1-4]*"]'), "utf-8")
        for kind in PIPELINES:
            start_repository(folder, pipeline=kind)
        (folder / "inventory" / "site.yaml").unlink()  # the lab's own names its servers
        assert running.run("fmt").code == 0
        yield running


def blocks(kind: str, site: Site) -> dict[str, str]:
    """The shell blocks of a pipeline: validate, plan, apply, report, nightly."""
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


def shell(block: str, site: Site, tmp_path: Path, **environment: str) -> tuple[int, str]:
    """Run a block as the forges do: bash that ends at the first command that fails."""
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    program = programs / "goexchange"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m goexchange "$@"\n', "utf-8")
    program.chmod(0o755)
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", block],
        cwd=site.folder,
        env={
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "GOEXCHANGE_STORE": str(tmp_path / "store"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            "PIPELINE_WORKSPACE": str(site.folder / "artifacts"),
            **environment,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=200,
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
        timeout=120,
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
