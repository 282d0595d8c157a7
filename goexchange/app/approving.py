"""The verb `approve`, and what `apply` asks of approvals: statements over a plan's digest, kept
beside the plan, signed where a policy asks for it.
"""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import evolve, frozen

from goexchange import codec
from goexchange.app import kept_approval
from goexchange.app import policies as app_policies
from goexchange.app.planning import who
from goexchange.errors import (
    AuthenticationRefused,
    Diagnostic,
    InvalidDocument,
    PlanStale,
    Unapproved,
    UsageError,
)
from goexchange.guard.policy import Decision, Evidence, decide_approval
from goexchange.model.approval import Approval, GivenConsent
from goexchange.model.configuration import Inventory
from goexchange.model.plan import Plan
from goexchange.model.policy import GivenApproval, Policy, Role
from goexchange.model.unknown import Unknown
from goexchange.store import signatures

DEFAULT_LIFE = timedelta(hours=24)
ALL = "all"


@frozen(kw_only=True)
class Approved:
    """What a run rests on; only `require_approved` makes one for `apply`.

    Shape: `approval` is None where no policy asks for one and none was given; the guards then say
    what the plan needs. `signer` is whose key started the run, where a policy asks for that;
    `evidence` what the policies decided on, for a resume to decide on again.
    """

    approval: Approval | None
    signer: str | None = None
    evidence: bytes | None = None


def approval_path(plan_file: str, signer: str | None = None) -> Path:
    """Where an approval of a plan file lies: `plan.approval.json` beside `plan.json`, and one file
    for each signer.
    """
    path = Path(plan_file)
    name = re.sub(r"[^A-Za-z0-9@._+-]", "_", signer or "")
    return path.with_name(
        f"{path.stem}.approval.{name}.json" if name else f"{path.stem}.approval.json"
    )


def approve(
    plan: Plan, *, consents: Sequence[str], life: timedelta | None, comment: str
) -> Approval:
    """State consent, by name, to needs of this plan; `all` gives every consent that it needs.

    Raises: UsageError for a consent that this plan does not need.
    """
    needed = {need.consent.value for need in plan.body.consents}
    unknown = sorted(set(consents) - needed - {ALL})
    if unknown:
        listed = ", ".join(sorted(needed)) or "none"
        raise UsageError(
            f"--consent: this plan does not need {', '.join(unknown)}; it needs: {listed}"
        )
    given = tuple(
        GivenConsent(consent=need.consent, address=need.address)
        for need in plan.body.consents
        if ALL in consents or need.consent.value in consents
    )
    now = datetime.now(UTC)
    return Approval(
        plan_sha256=plan.sha256,
        approved_by=who(),
        approved_at_utc=now,
        expires_at_utc=now + (life or DEFAULT_LIFE),
        comment=comment,
        consents=given,
    )


def save_approval(approval: Approval, plan_file: str, *, key: Path | None = None) -> Path:
    """Write an approval beside the plan; with a key it is signed, in the name that the signers
    file of a policy gives the key.

    Raises: AuthenticationRefused when the key cannot sign, or no policy knows it.
    """
    signer = None if key is None else _signer_of(key)
    stated = approval if signer is None else evolve(approval, approved_by=signer)
    plain = codec.to_plain(stated)
    if key is not None:
        content = codec.canonical_json(plain)
        signature = signatures.sign(content, key, namespace=signatures.APPROVAL_NAMESPACE)
        plain = {"approval": plain, "signature": signature}
    path = approval_path(plan_file, signer)
    text = json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")
    return path


def _signer_of(key: Path) -> str:
    """The name of a key in the signers file of any policy."""
    found = app_policies.policies()
    if not found:
        raise AuthenticationRefused(
            f"no policy in {app_policies.FOLDER}/ names a signers file that could know {key}"
        )
    content, problem = b"who is it", None
    signature = signatures.sign(content, key, namespace=signatures.APPROVAL_NAMESPACE)
    for policy in found:
        checked = signatures.check_signature(
            content,
            signature,
            app_policies.signers_file(policy),
            namespace=signatures.APPROVAL_NAMESPACE,
        )
        if checked.signer is not None:
            return checked.signer
        problem = checked.problem
    raise AuthenticationRefused(f"the key {key} cannot approve: {problem}")


def read_approval(path: Path) -> Approval | None:
    """The approval at a path, or None when there is none.

    Raises: InvalidDocument when it cannot be read: an unreadable approval is not a missing one.
    """
    return _parsed(path)[0] if path.exists() else None


def given_approvals(plan_file: str, found: Sequence[Policy]) -> tuple[GivenApproval, ...]:
    """Every approval beside a plan, its signature checked by the signers files of the policies.

    Raises: InvalidDocument when one cannot be read.
    """
    return tuple(given_approval(each, found) for each in approval_files(plan_file))


def approval_files(plan_file: str) -> list[Path]:
    """The approvals beside a plan."""
    path = Path(plan_file)
    stem = glob.escape(path.stem)
    files = [approval_path(plan_file), *sorted(path.parent.glob(f"{stem}.approval.*.json"))]
    return [each for each in files if each.exists()]


def given_approval(path: Path, found: Sequence[Policy]) -> GivenApproval:
    """One approval, its signature checked. Raises: InvalidDocument when it cannot be read."""
    approval, signature = _parsed(path)
    checked = signatures.Checked(signer=None, problem="it has no signature")
    for policy in found if signature is not None else ():
        assert signature is not None
        checked = signatures.check_signature(
            codec.canonical_json(codec.to_plain(approval)),
            signature,
            app_policies.signers_file(policy),
            namespace=signatures.APPROVAL_NAMESPACE,
        )
        if checked.signer is not None:
            break
    return GivenApproval(
        approval=approval, signer=checked.signer, problem=checked.problem, source=path.name
    )


def _parsed(path: Path) -> tuple[Approval, str | None]:
    try:
        plain = codec.parse_json(path.read_bytes())
    except OSError as error:
        raise InvalidDocument(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvalidDocument(f"{path} is not an approval: {error}") from error
    signature = None
    if isinstance(plain, dict) and "approval" in plain:
        plain, signature = plain["approval"], plain.get("signature")
        if not isinstance(signature, str):
            raise InvalidDocument(f"{path} is not an approval: its signature is not text")
    try:
        return codec.from_plain(Approval, plain), signature
    except ValueError as error:
        raise InvalidDocument(f"{path} is not an approval: {error}") from error


def decide(plan: Plan, plan_file: str, inventory: Inventory) -> Decision:
    """Which approval counts by the policies in force, and what is missing."""
    found = app_policies.policies()
    rules = app_policies.rules_for(plan, inventory, found)
    needs_author = any(each.rule.is_not_author for each in rules)
    evidence = Evidence(
        given=given_approvals(plan_file, found),
        authors=authors_of(plan) if needs_author else (),
        forbidden=app_policies.forbidden_consents(found),
    )
    return decide_approval(plan, rules, evidence, datetime.now(UTC))


def authors_of(plan: Plan) -> tuple[str, ...] | Unknown:
    """Who signed the last commits of the specifications, by any of the signers files."""
    found = app_policies.policies()
    commit = plan.body.commit
    if commit is None:
        return Unknown("the plan was made from files that were not committed")
    paths = [each.path for each in plan.body.inputs if each.kind == "Specification"]
    authors: dict[str, None] = {}
    for policy in found:
        signers = app_policies.signers_file(policy)
        of_policy = signatures.commit_signers(Path(), commit, paths, signers=signers)
        if isinstance(of_policy, Unknown):
            return of_policy
        authors |= dict.fromkeys(of_policy)
    return tuple(authors)


def require_approved(
    plan: Plan, plan_file: str, inventory: Inventory, *, key: Path | None
) -> Approved:
    """What `apply` may rest on.

    Raises: PlanStale when a document that the plan was made from has changed; Unapproved with
    everything that is missing. Nothing was changed then.
    """
    require_unchanged(plan)
    decision = decide(plan, plan_file, inventory)
    if decision.missing:
        raise Unapproved(
            f"plan {plan.id} is not approved; nothing was changed",
            diagnostics=tuple(_missing(plan, text) for text in decision.missing),
        )
    signer = app_policies.require_role(Role.RUN, f"apply {plan.sha256}", key=key)
    evidence = kept_approval.evidence(plan, approval_files(plan_file), authors_of(plan))
    return Approved(approval=decision.approval, signer=signer, evidence=evidence)


def _missing(plan: Plan, text: str) -> Diagnostic:
    return Diagnostic(
        id="unapproved",
        summary="an approval is missing",
        detail=f"{text}. To approve: goexchange approve PLAN --key FILE",
        address=plan.id,
    )


NO_DOCUMENTS = frozenset({"BackupSet", "History", "Pilot", "Pilots", "Run"})
"""Inputs that are no documents of this machine: the plan's own steps compare what sets and runs
hold, and estimates stay what they were when the history grows.
"""


def require_unchanged(plan: Plan) -> None:
    """Refuse a plan whose specifications or policies are no longer what it was made from.

    Raises: PlanStale with each file, its digest then and now.
    """
    documents = [each for each in plan.body.inputs if each.kind not in NO_DOCUMENTS]
    then = {each.path: each.sha256 for each in documents}
    now = {each.path: each.sha256 for each in app_policies.policy_inputs()}
    for path in then:
        if path not in now and Path(path).is_file():
            now[path] = codec.sha256(Path(path).read_bytes())
    changed = [path for path in sorted({*then, *now}) if then.get(path) != now.get(path)]
    if changed:
        raise PlanStale(
            f"plan {plan.id} is stale: plan again; nothing was changed",
            diagnostics=tuple(_changed(path, then.get(path), now.get(path)) for path in changed),
        )


def _changed(path: str, then: str | None, now: str | None) -> Diagnostic:
    return Diagnostic(
        id="document-changed",
        summary="a document is not what the plan was made from",
        detail=f"{path} was {then[:12] if then else 'not there'} when the plan was made, and is"
        f" {now[:12] if now else 'not there'} now.",
        address=path,
    )
