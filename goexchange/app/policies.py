"""The policies in force, the signatures that they ask for, and who may act."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from goexchange import codec
from goexchange.documents import Document, parse_documents
from goexchange.errors import Diagnostic, InvalidDocument, Severity, Unapproved
from goexchange.model.configuration import Inventory
from goexchange.model.desired import Consent
from goexchange.model.policy import Policy, Role, RuleInForce
from goexchange.settings.policy import check_signers, load_policy

if TYPE_CHECKING:  # verbs that read documents only do not pay for the types of a plan
    from goexchange.model.plan import Plan, PlanInput

FOLDER = "policies"
KEY_VARIABLE = "GOEXCHANGE_KEY"
_HERE = Path()


def policies(root: Path = _HERE) -> tuple[Policy, ...]:
    """The policies of the working folder, in `policies/`; none without that folder.

    The place is not a setting: nothing from outside the repository chooses another. `root` is
    another folder only where a run reads back what was in force when it began.
    Raises: InvalidDocument when one cannot be used: then nothing is allowed.
    """
    found: list[Policy] = []
    wrong: list[Diagnostic] = []
    for path in policy_files(root):
        parsed = parse_documents(_read(path), file=str(path))
        wrong += parsed.diagnostics
        for document in parsed.documents:
            policy, diagnostics = check_policy(document)
            wrong += diagnostics
            if policy is not None:
                found.append(policy)
    errors = tuple(each for each in wrong if each.severity is Severity.ERROR)
    if errors:
        raise InvalidDocument(
            "a policy cannot be used, so nothing is allowed; nothing was changed",
            diagnostics=errors,
        )
    return tuple(found)


def policy_files(root: Path = _HERE) -> list[Path]:
    """The files of the policies, sorted."""
    folder = root / FOLDER
    return sorted(each for each in folder.rglob("*") if each.suffix in (".yaml", ".yml"))


def check_policy(document: Document) -> tuple[Policy | None, tuple[Diagnostic, ...]]:
    """A policy with what is wrong in it, its signers file included."""
    policy, found = load_policy(document)
    if policy is None:
        return None, found
    try:
        text = signers_file(policy).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        text = None
    return policy, (*found, *check_signers(policy, text, document))


def signers_file(policy: Policy) -> Path:
    """The allowed signers file of a policy."""
    return Path(policy.file).parent / policy.signers


def policy_inputs() -> tuple[PlanInput, ...]:
    """The policies and their signers as inputs of a plan: changing one makes the plan stale."""
    from goexchange.model.plan import PlanInput

    files = [*policy_files(), *{signers_file(each) for each in policies()}]
    return tuple(
        PlanInput(kind="Policy", path=str(path), sha256=codec.sha256(_read(path)))
        for path in sorted(set(files))
        if path.is_file()
    )


def rules_for(plan: Plan, inventory: Inventory, found: tuple[Policy, ...]) -> list[RuleInForce]:
    """The rules that name one of the plan's servers."""
    from goexchange.spec.selection import servers_of

    touched = {step.server for lane in plan.body.lanes for step in lane.steps}
    rules = []
    for policy in found:
        for rule in policy.rules:
            named = {name for each in rule.selectors for name in servers_of(each, inventory)}
            if touched and (not rule.selectors or named & touched):
                rules.append(RuleInForce(rule=rule, policy=policy.name))
    return rules


def forbidden_consents(found: tuple[Policy, ...]) -> tuple[Consent, ...]:
    """What nobody may consent to."""
    return tuple({each: None for policy in found for each in policy.limits.forbid})


def key_of(options: Mapping[str, str | None]) -> Path | None:
    """The key to sign with: `--key`, else GOEXCHANGE_KEY; None when neither is given."""
    given = options.get("key") or os.environ.get(KEY_VARIABLE)
    return Path(given).expanduser() if given else None


def require_role(role: Role, act: str, *, key: Path | None) -> str | None:
    """Refuse an act to who may not do it; return whose signature it has, None when nobody asks.

    The act is signed with the key and the signature checked, so that a name alone does not count.
    Raises: Unapproved.
    """
    from goexchange.store.signatures import ACT_NAMESPACE, check_signature, sign

    signer: str | None = None
    for policy, names in _restricted(role):
        allowed = f"the policy '{policy.name}' lets {', '.join(names) or 'nobody'} {role.value}"
        if key is None:
            raise Unapproved(
                f"{act}: {allowed}; sign it with --key FILE or {KEY_VARIABLE}. Nothing was changed"
            )
        at = codec.time_text(datetime.now(UTC))
        content = codec.canonical_json({"act": act, "role": role.value, "at": at})
        signature = sign(content, key, namespace=ACT_NAMESPACE)
        signers = signers_file(policy)
        checked = check_signature(content, signature, signers, namespace=ACT_NAMESPACE)
        if checked.signer not in names:
            who = checked.signer or f"the key {key} ({checked.problem})"
            raise Unapproved(f"{act}: {allowed}, not {who}. Nothing was changed")
        signer = checked.signer
    return signer


def _restricted(role: Role) -> Iterator[tuple[Policy, tuple[str, ...]]]:
    for policy in policies():
        for found, names in policy.roles:
            if found is role:
                yield policy, names


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidDocument(f"{path} cannot be read: {error.strerror}") from error
