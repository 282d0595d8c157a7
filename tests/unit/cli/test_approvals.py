"""`approve` and `apply` under policies, with real keys and signed commits, up to where a host would
be asked.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from goexchange.errors import InvalidDocument, Unreachable
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
def project(tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose specification carl has committed, with a signature."""
    folder = tmp_path / "p"
    write_project(folder, servers=1, databases=5)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("GOEXCHANGE_KEY", raising=False)
    monkeypatch.setattr("goexchange.app.running._fleet", unreachable)
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
