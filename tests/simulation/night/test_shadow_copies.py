"""Copies that runs have made by diskshadow go by the rules of sets, and never the last good one."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

from goexchange.app.shadow_copies import decided_copies, recorded_copies, remove_copy
from goexchange.backup.retention import RetentionPolicy
from goexchange.codec import parse_time, time_text
from goexchange.driver.calls import job_id
from goexchange.errors import NotNow
from goexchange.journal.chain import Draft, line_of, seal
from goexchange.model.plan import Action, JobCall
from goexchange.model.run import Record, RecordKind
from goexchange.plan import sealing
from goexchange.simulation.night import Night
from goexchange.store.runs import RunFolder, Runs
from tests.reliability.scenarios import night_of, simple
from tests.unit.cli.test_command_line import ended

ONE = RetentionPolicy(last=1)


@frozen(kw_only=True)
class Copies:
    """A store with runs of the same night, each a week after the other, and their copies on disk,
    the newest last.
    """

    store: str
    root: str
    folders: tuple[str, ...]


def later(records: tuple[Record, ...], days: int) -> bytes:
    """The journal of the same night so many days later: the times that count are moved."""
    moved: dict[str, str] = {}
    for record in records:
        result = record.data.get("result") or {}
        for name in ("copy_at_utc", "last_full_backup_utc"):
            if isinstance(result, dict) and isinstance(result.get(name), str):
                then = parse_time(result[name]) + timedelta(days=days)
                moved[result[name]] = time_text(then)

    def shifted(data: Any) -> Any:
        text = json.dumps(data)
        for old, new in moved.items():
            text = text.replace(old, new)
        return json.loads(text)

    drafts = [Draft(record.kind, shifted(dict(record.data))) for record in records]
    return b"".join(line_of(each) for each in seal(drafts, after=None, at=records[0].at_utc))


@pytest.fixture(scope="module")
def night() -> Night:
    made = night_of(evolve(simple(), has_shadow=True))
    assert made.run_to_end().exit_code == 0
    return made


@pytest.fixture
def copies(night: Night, tmp_path: Path) -> Copies:
    step = next(
        each
        for lane in night.plan.body.lanes
        for each in lane.steps
        if each.action is Action.ONLINE_BACKUP
    )
    assert isinstance(step.call, JobCall) and step.call.kind == "diskshadow"
    files = night.performer.world.hosts["EX01"].files
    target = str(step.call.request["target"])
    made = job_id(night.run, step, 1)
    folders = []
    for week in range(3):
        now = night.plan.created_at_utc + timedelta(days=7 * week)
        run = Runs(tmp_path / "store").create(
            plan=sealing.dump(night.plan), approval=None, now=now
        )
        run.journal_path.write_bytes(later(tuple(night.performer.records), 7 * week))
        folder = tmp_path / "online" / f"t{week}" / job_id(run.id, step, 1)
        for path in files.below(f"{target}\\{made}"):
            place = folder.joinpath(*path.removeprefix(f"{target}\\{made}\\").split("\\"))
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(files.read(path))
        folders.append(str(folder))
    return Copies(
        store=str(tmp_path / "store"), root=str(tmp_path / "online"), folders=tuple(folders)
    )


def kept(copies: Copies, policy: RetentionPolicy = ONE) -> dict[str, str]:
    """The reasons of those that stay, by folder."""
    found = decided_copies((copies.root,), policy, copies.store)
    assert {each.folder for each in found} <= set(copies.folders)
    return {each.folder: each.reason for each in found if each.is_kept}


def test_the_newest_proved_copies_stay_and_older_ones_may_go(copies: Copies) -> None:
    recorded = recorded_copies(copies.store)
    assert len(recorded) == 3 and all(each.is_proved for each in recorded.values())
    assert {name for each in recorded.values() for _, name in each.databases} == {"DB11"}
    assert set(kept(copies)) == {copies.folders[2]}
    assert "the newest" in kept(copies)[copies.folders[2]]
    assert set(kept(copies, RetentionPolicy(last=2))) == set(copies.folders[1:])


def test_the_last_good_one_is_never_removed(copies: Copies) -> None:
    first, second, third = copies.folders
    next(Path(third).rglob("*.edb")).write_bytes(b"torn")
    next(Path(second).rglob("*.edb")).unlink()
    reasons = kept(copies)
    assert set(reasons) == {first, second, third}
    assert "damaged" in reasons[third] and "files of" in reasons[second]
    assert "the newest" in reasons[first]


def test_what_nobody_recorded_or_proved_is_kept(copies: Copies, tmp_path: Path) -> None:
    own = tmp_path / "online" / "20250101T000000-0000-28-aaaaaa-1"
    own.mkdir()
    (own / "DB11.edb").write_bytes(b"somebody's")
    assert str(own) not in {each.folder for each in decided_copies((copies.root,), ONE,
                                                                   copies.store)}  # fmt: skip
    for run in Runs(Path(copies.store)).list():
        disprove(run)
    reasons = kept(copies)
    assert set(reasons) == set(copies.folders)
    assert all("never proved" in each for each in reasons.values())


def test_a_copy_of_an_unproved_backup_stays_though_later_ones_are_proved(copies: Copies) -> None:
    disprove(Runs(Path(copies.store)).list()[0])
    first, _, third = copies.folders
    assert set(kept(copies)) == {first, third}
    assert "never proved" in kept(copies)[first]


def disprove(run: RunFolder) -> None:
    """The journal of a run whose backup could not be proved."""
    drafts = []
    for line in run.journal_path.read_text("utf-8").splitlines():
        plain = json.loads(line)
        is_proof = str(plain["data"].get("step", "")).endswith("-prove-backup")
        more = {"result": {"proved": False}} if is_proof and plain["kind"] == "outcome" else {}
        drafts.append(Draft(RecordKind(plain["kind"]), {**plain["data"], **more}))
        at = parse_time(plain["at_utc"])
    remade = seal(drafts, after=None, at=at)
    run.journal_path.write_bytes(b"".join(line_of(each) for each in remade))


def test_a_copy_that_changed_since_the_decision_is_not_removed(copies: Copies) -> None:
    decided = {each.folder: each for each in decided_copies((copies.root,), ONE, copies.store)}
    first, _, third = copies.folders
    with pytest.raises(NotNow, match="is kept"):
        remove_copy(decided[third], copies.store)
    (Path(first) / "notes.txt").write_text("mine", "utf-8")
    with pytest.raises(NotNow, match="no longer the copy"):
        remove_copy(decided[first], copies.store)
    assert Path(first).is_dir()


def test_prune_removes_them_with_the_sets_and_writes_it_down(
    copies: Copies, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOEXCHANGE_STORE", copies.store)
    assert ended("backups", "prune", copies.root, "--last", "1") == 0
    told = capsys.readouterr()
    assert told.out.count("remove  ") == 2 and told.out.count("keep    ") == 1
    assert "copy by diskshadow" in told.out and "Nothing was removed" in told.err
    assert all(Path(each).is_dir() for each in copies.folders)
    assert ended("backups", "prune", copies.root, "--last", "1", "--yes") == 0
    assert capsys.readouterr().out.count("removed ") == 2
    assert [Path(each).exists() for each in copies.folders] == [False, False, True]
    lines = (Path(copies.store) / "removed-sets.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(each)["folder"] for each in lines] == list(copies.folders[:2])
