"""`approve` and `apply` under policies, with real keys and signed commits, up to where a host would
be asked.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from goexchange import codec
from goexchange.app import kept_approval, loading
from goexchange.app.approving import read_approval, require_approved
from goexchange.app.planning import read_plan
from goexchange.errors import InvalidDocument, Unreachable
from goexchange.model.plan import Plan
from goexchange.model.run import Record, RecordKind
from goexchange.store.runs import RunFolder, Runs
from tests.bench.big_site import write_project
from tests.unit.cli.test_command_line import ended

POLICY = """\
apiVersion: goexchange/v1
kind: Policy
metadata: {name: production}
approvals:
  - {signatures: 2, not_author: true, expires_within: 24h}
"""
PEOPLE = ("anna", "bert", "carl")


def run(*words: str, folder: Path) -> str:
    """Run a program without anybody's own git settings."""
    environment = {**os.environ, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, env=environment, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def name(person: str) -> str:
    return f"{person}@contoso.example"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for person in (*PEOPLE, "mallory"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", person, folder=folder)
    return folder


@pytest.fixture
def project(tmp_path: Path, signed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository, for one test alone."""
    folder = tmp_path / "p"
    shutil.copytree(signed, folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("GOEXCHANGE_KEY", raising=False)
    monkeypatch.setattr("goexchange.app.running._fleet", unreachable)
    return folder


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> Path:
    """A repository whose specification carl has committed, with a signature."""
    folder = tmp_path_factory.mktemp("signed") / "p"
    write_project(folder, servers=1, databases=5)
    (folder / "policies").mkdir()
    (folder / "policies" / "production.yaml").write_text(POLICY, "utf-8")
    lines = [f"{name(each)} {(keys / f'{each}.pub').read_text('ascii')}" for each in PEOPLE]
    (folder / "policies" / "allowed_signers").write_text("".join(lines), "utf-8")
    (folder / ".gitignore").write_text("*.json\n!facts.json\n", "utf-8")
    run("git", "init", "-q", folder=folder)
    committed(folder, keys, "carl")
    return folder


def committed(folder: Path, keys: Path, person: str | None) -> None:
    settings = ["-c", "user.name=x", "-c", f"user.email={person}@x"]
    if person is not None:
        key = f"user.signingkey={keys / f'{person}.pub'}"
        settings += ["-c", "gpg.format=ssh", "-c", key]
    run("git", "add", "-A", folder=folder)
    sign = ["-S"] if person else ["--no-gpg-sign"]
    run("git", *settings, "commit", "-q", *sign, "-m", "x", "--allow-empty", folder=folder)


def planned(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("-q", "plan", "--facts", "facts.json", "--out", "plan.json", "--summary") == 0
    capsys.readouterr()


def approved(keys: Path, person: str, *words: str) -> int:
    return ended("approve", "plan.json", "--consent", "all", "--key", str(keys / person), *words)


def refusal(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> str:
    capsys.readouterr()
    assert ended("apply", "plan.json", *words) == code
    return capsys.readouterr().err


def unreachable(*_: object) -> None:
    """What stands where sessions are opened."""
    raise Unreachable("this is where hosts are asked")


def nobody_has_it(*_: object, **__: object) -> None:
    raise InvalidDocument("nobody holds a lease of that name")


def reaches_the_hosts(capsys: pytest.CaptureFixture[str], *words: str) -> bool:
    """Nothing but the hosts stands in the way."""
    return "this is where hosts are asked" in refusal(capsys, 15, *words)


def test_two_people_who_are_not_the_author_have_to_sign(
    project: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned(capsys)
    assert "needs 2 signatures" in refusal(capsys, 13)
    assert ended("approve", "plan.json", "--consent", "all") == 0
    output = capsys.readouterr()
    assert "MISSING" in output.out and "it has no signature" in output.out
    assert approved(keys, "carl") == 0
    assert "carl@contoso.example is the author" in refusal(capsys, 13)
    assert approved(keys, "anna", "--comment", "looks right") == 0
    assert "anna@contoso.example has approved" in refusal(capsys, 13)
    assert approved(keys, "bert") == 0
    assert "MISSING" not in capsys.readouterr().out
    assert sorted(path.name for path in project.glob("plan.approval*")) == [
        "plan.approval.anna@contoso.example.json",
        "plan.approval.bert@contoso.example.json",
        "plan.approval.carl@contoso.example.json",
        "plan.approval.json",
    ]
    assert reaches_the_hosts(capsys)


def test_a_key_that_nobody_knows_cannot_approve(
    project: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned(capsys)
    assert approved(keys, "mallory") == 16
    assert "is not in policies/allowed_signers" in capsys.readouterr().err
    assert approved(keys, "nobody") == 16


def test_one_changed_character_is_refused_each_time(
    project: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned(capsys)
    for person in ("anna", "bert"):
        assert approved(keys, person) == 0
    approval = project / "plan.approval.anna@contoso.example.json"
    whole = approval.read_text("utf-8")
    stated = json.loads(whole)
    stated["approval"]["comment"] = "x"
    approval.write_text(json.dumps(stated), "utf-8")
    assert "its signature is not of this statement" in refusal(capsys, 13)
    approval.write_text(whole.replace("SSH SIGNATURE", "SSH SIGNATURE "), "utf-8")
    assert refusal(capsys, 13)
    approval.write_text(whole, "utf-8")
    assert reaches_the_hosts(capsys)

    plan = project / "plan.json"
    kept = plan.read_bytes()
    plan.write_bytes(kept.replace(b"everything", b"everythinh", 1))
    assert "digest does not match" in refusal(capsys, 10)
    plan.write_bytes(kept)

    specification = project / "specs" / "everything.yaml"
    text = specification.read_text("utf-8")
    specification.write_text(text.replace("20%", "21%"), "utf-8")
    assert "specs/everything.yaml was" in refusal(capsys, 12)
    specification.write_text(text, "utf-8")
    policy = project / "policies" / "production.yaml"
    policy.write_text(POLICY.replace("signatures: 2", "signatures: 1"), "utf-8")
    assert "policies/production.yaml was" in refusal(capsys, 12)
    policy.unlink()
    assert "is not there now" in refusal(capsys, 12)
    policy.write_text(POLICY, "utf-8")
    assert reaches_the_hosts(capsys)


def test_an_unsigned_or_uncommitted_specification_fails_closed(
    project: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    specification = project / "specs" / "everything.yaml"
    specification.write_text(specification.read_text("utf-8") + "# more\n", "utf-8")
    planned(capsys)
    for person in ("anna", "bert"):
        assert approved(keys, person) == 0
    assert "files that were not committed" in refusal(capsys, 13)
    committed(project, keys, None)
    planned(capsys)
    for person in ("anna", "bert"):
        assert approved(keys, person) == 0
    assert "has no good signature" in refusal(capsys, 13)
    specification.write_text(specification.read_text("utf-8") + "# again\n", "utf-8")
    committed(project, keys, "mallory")
    planned(capsys)
    for person in ("anna", "bert"):
        assert approved(keys, person) == 0
    assert refusal(capsys, 13)


def test_expiry_and_missing_consents_are_said(
    project: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned(capsys)
    assert approved(keys, "anna", "--valid-for", "3d") == 0
    assert ended("approve", "plan.json", "--key", str(keys / "bert")) == 0
    said = refusal(capsys, 13)
    assert "holds for 72 h, longer than the policy allows" in said
    assert "it lacks the consent" in said


def test_a_policy_that_cannot_be_used_allows_nothing(
    project: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned(capsys)
    (project / "policies" / "allowed_signers").unlink()
    assert "cannot be read" in refusal(capsys, 10)
    (project / "policies" / "production.yaml").write_text("kind: Policy\nx: [\n", "utf-8")
    assert "nothing is allowed" in refusal(capsys, 10)
    assert ended("validate") == 10


def test_without_a_policy_an_approval_needs_no_signature(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "policies" / "production.yaml").unlink()
    planned(capsys)
    assert ended("approve", "plan.json", "--consent", "all") == 0
    assert reaches_the_hosts(capsys)


def test_roles_are_by_key(
    project: Path, keys: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = f"roles: {{run: [{name('anna')}], suspend: [{name('bert')}]"
    roles += f", administer: [{name('carl')}]}}\n"
    head = POLICY.split("approvals")[0]
    (project / "policies" / "production.yaml").write_text(head + roles, "utf-8")
    planned(capsys)
    assert ended("approve", "plan.json", "--consent", "all") == 0
    assert "sign it with --key FILE or GOEXCHANGE_KEY" in refusal(capsys, 13)
    assert "not bert@contoso.example" in refusal(capsys, 13, "--key", str(keys / "bert"))
    assert "is not in policies" in refusal(capsys, 13, "--key", str(keys / "mallory"))
    assert reaches_the_hosts(capsys, "--key", str(keys / "anna"))
    monkeypatch.setenv("GOEXCHANGE_KEY", str(keys / "anna"))
    assert reaches_the_hosts(capsys)
    assert ended("hold", "on", "--why", "x") == 13
    assert ended("hold", "on", "--key", str(keys / "bert")) == 0
    capsys.readouterr()
    assert ended("pause", "any") == 13
    breaks = ("lock", "break", "EX01", "--why", "x", "--yes")
    monkeypatch.setattr("goexchange.app.locks.break_lease", nobody_has_it)
    assert ended(*breaks) == 13
    assert ended(*breaks, "--key", str(keys / "carl")) == 10


def test_limits_hold_for_plan_and_validate(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = "limits: {scripts: [exchange-backup]}\n"
    path = project / "policies" / "production.yaml"
    path.write_text(POLICY.split("approvals")[0] + limits, "utf-8")
    assert ended("validate") == 10
    assert "specs/everything.yaml:6:16: over a limit of the policy" in capsys.readouterr().out
    assert ended("plan", "--facts", "facts.json") == 10


def begun(project: Path, keys: Path) -> tuple[RunFolder, Plan, Record]:
    """A run as `apply` leaves it: its folder, and the record that it began with."""
    plan = read_plan("plan.json")
    sites = loading.inventory(loading.configuration({}))
    given = require_approved(plan, "plan.json", sites, key=None)
    assert given.approval is not None
    folder = Runs(project / ".goexchange").create(
        plan=(project / "plan.json").read_bytes(),
        approval=codec.canonical_json(codec.to_plain(given.approval)),
        now=datetime.now(UTC),
        evidence=given.evidence,
    )
    record = Record(
        sequence=1,
        at_utc=datetime.now(UTC),
        kind=RecordKind.RUN_STARTED,
        data={"approval": codec.to_plain(given.approval)},
        previous="0" * 64,
        sha256="1" * 64,
    )
    return folder, plan, record


def why_not(folder: RunFolder, plan: Plan, *records: Record) -> str | None:
    sites = loading.inventory(loading.configuration({}))
    approval = read_approval(folder.approval_path)
    return kept_approval.why_not(folder, plan, approval=approval, inventory=sites, records=records)


def test_a_resume_decides_again_on_what_is_kept_with_the_run(
    project: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned(capsys)
    for person in ("anna", "bert"):
        assert approved(keys, person) == 0
    folder, plan, record = begun(project, keys)
    assert why_not(folder, plan, record) is None

    # nothing that happens in the repository afterwards counts: policies and keys are as they were
    (project / "policies" / "allowed_signers").unlink()
    (project / "policies" / "production.yaml").unlink()
    for each in project.glob("plan.approval*"):
        each.unlink()
    assert why_not(folder, plan, record) is None

    late = evolve(record, at_utc=record.at_utc + timedelta(days=3))
    assert "it expired" in (why_not(folder, plan, late) or ""), "it had when the run began"


def other_policy(kept: dict[str, Any]) -> None:
    name = "policies/production.yaml"
    kept["policies"][name] = kept["policies"][name].replace("signatures: 2", "signatures: 1")


def broken_signatures(kept: dict[str, Any]) -> None:
    for name, given in kept["approvals"].items():
        kept["approvals"][name] = json.dumps({**json.loads(given), "signature": "none"})


def other_statement(kept: dict[str, Any]) -> None:
    for name, given in kept["approvals"].items():
        kept["approvals"][name] = given.replace('"comment": "yes"', '"comment": "no"')


def one_signature(kept: dict[str, Any]) -> None:
    kept["approvals"].popitem()


def a_way_out(kept: dict[str, Any]) -> None:
    kept["approvals"]["../../x"] = "{}"


def no_approvals(kept: dict[str, Any]) -> None:
    del kept["approvals"]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (other_policy, "policies kept with the run are not those"),
        (broken_signatures, "nobody has approved"),
        (other_statement, "not of this statement"),
        (one_signature, "needs 2 signatures"),
        (a_way_out, "leads out of its folder"),
        (no_approvals, "cannot be read"),
    ],
)
def test_what_was_changed_in_the_run_folder_leaves_the_way_back_alone(
    project: Path,
    keys: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[dict[str, Any]], None],
    words: str,
) -> None:
    planned(capsys)
    for person in ("anna", "bert"):
        assert approved(keys, person, "--comment", "yes") == 0
    folder, plan, record = begun(project, keys)
    kept = json.loads(folder.evidence_path.read_bytes())
    damage(kept)
    folder.evidence_path.write_text(json.dumps(kept), "utf-8")
    assert words in (why_not(folder, plan, record) or "it holds")
    folder.evidence_path.unlink()
    assert "not kept with the run" in (why_not(folder, plan, record) or "it holds")


def test_another_approval_than_the_journals_leaves_the_way_back_alone(
    project: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "policies" / "production.yaml").unlink()
    planned(capsys)
    assert ended("approve", "plan.json", "--consent", "all") == 0
    folder, plan, record = begun(project, keys)
    assert why_not(folder, plan, record) is None
    other = folder.approval_path.read_text("utf-8").replace('"comment":""', '"comment":"x"')
    folder.approval_path.write_text(other, "utf-8")
    assert "not the one that its journal has" in (why_not(folder, plan, record) or "it holds")
