"""`init` and `import`: files that are valid, canonical and never overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.big_site import write_project
from tests.unit.cli.test_command_line import ended

PIPELINES = {
    "github": ".github/workflows/goexchange.yml",
    "gitlab": ".gitlab-ci.yml",
    "azure": "azure-pipelines.yml",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path / "new")
    return tmp_path / "new"


def test_a_new_repository_is_valid_and_canonical(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended("init", "--json") == 0
    written = json.loads(capsys.readouterr().out)["written"]
    assert {"goexchange.yaml", "inventory/site.yaml", "specs/preventative.yaml"} <= set(written)
    assert not any((folder / path).exists() for path in PIPELINES.values())
    assert ended("validate") == 0
    assert ended("fmt", "--check") == 0
    settings = json.loads((folder / ".vscode" / "settings.json").read_text("utf-8"))
    for schema in settings["yaml.schemas"]:
        assert (folder / schema).is_file()
    for name in ("goexchange.yaml", "inventory/site.yaml", "specs/preventative.yaml"):
        first, second, *_ = (folder / name).read_text("utf-8").splitlines()
        modeline = first.partition("$schema=")[2]
        assert (folder / name).parent.joinpath(modeline).is_file()
        assert second == f"# $schema: {modeline}"


@pytest.mark.parametrize("kind", sorted(PIPELINES))
def test_a_pipeline_is_written_where_the_forge_looks(folder: Path, kind: str) -> None:
    assert ended("init", "--ci", kind) == 0
    text = (folder / PIPELINES[kind]).read_text("utf-8")
    assert "exec goexchange apply out/plan.json" in text
    assert "GOEXCHANGE_STORE: /var/lib/goexchange" in text
    others = [path for other, path in PIPELINES.items() if other != kind]
    assert not any((folder / path).exists() for path in others)


def test_existing_files_are_never_touched(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "goexchange.yaml").write_text("mine\n", "utf-8")
    assert ended("init") == 0
    assert "kept     goexchange.yaml" in capsys.readouterr().out
    assert (folder / "goexchange.yaml").read_text("utf-8") == "mine\n"


def test_drafts_are_valid_and_say_what_was_seen(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(folder / "p", servers=2, databases=4)
    monkeypatch.chdir(folder / "p")
    assert ended("import", "--facts", "facts.json", "--out", "drafts", "--json") == 0
    written = json.loads(capsys.readouterr().out)["written"]
    assert written == ["inventory/draft.yaml", "specs/ex001.yaml", "specs/ex002.yaml"]
    drafts = folder / "p" / "drafts"
    text = (drafts / "specs" / "ex001.yaml").read_text("utf-8")
    assert "- DB0000   # 20 GiB, white space 12 GiB 60%, last full backup" in text
    assert 'generation: "2019"   # build 15.2' in (drafts / "inventory" / "draft.yaml").read_text()
    assert ended("validate", "drafts") == 0
    kept = (drafts / "specs" / "ex001.yaml").read_bytes()
    assert ended("import", "--facts", "facts.json", "--out", "drafts") == 10
    assert "left as it is" in capsys.readouterr().err
    assert (drafts / "specs" / "ex001.yaml").read_bytes() == kept
    assert ended("import", "--facts", "facts.json", "--out", "d2", "--server", "EX002") == 0
    assert [path.name for path in (folder / "p" / "d2" / "specs").iterdir()] == ["ex002.yaml"]
    assert "EX001" not in (folder / "p" / "d2" / "inventory" / "draft.yaml").read_text("utf-8")
