"""A policy document to a Policy, and the names of its signers checked against their file."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from goexchange.documents import Document
from goexchange.errors import Diagnostic, Place
from goexchange.model.desired import Consent, Script
from goexchange.model.policy import ApprovalRule, Limits, Policy, RehearsalLimits, Role
from goexchange.reading import Findings, Section, has_errors, root_section
from goexchange.schema import check_document, suggestion


def load_policy(
    document: Document, *, known: Collection[Place] = ()
) -> tuple[Policy | None, tuple[Diagnostic, ...]]:
    """Return what a policy says, with everything that is wrong in it by itself.

    Unknown: None when an error prevents it. `known` are places that other diagnostics speak of.
    """
    found = check_document(document, kind="Policy", known=known)
    if has_errors(found):
        return None, found
    root = root_section(document)
    roles = root.section("roles")
    policy = Policy(
        name=root.section("metadata").text("name"),
        file=document.file,
        signers=root.text("signers"),
        signers_place=root.place_of("signers"),
        rules=tuple(_rule(part) for part in root.sections("approvals")),
        roles=tuple(
            (role, names)
            for role in Role
            if (names := roles.optional_texts(role.value)) is not None
        ),
        limits=_limits(root.section("limits")),
        place=root.place,
    )
    return policy, found


def _rule(part: Section) -> ApprovalRule:
    return ApprovalRule(
        selectors=part.texts("servers"),
        signatures=part.integer("signatures"),
        by=part.optional_texts("by"),
        is_not_author=part.boolean("not_author"),
        expires_within_s=part.optional_duration_s("expires_within"),
        allows_unsigned=part.boolean("unsigned"),
        place=part.place,
    )


def _limits(part: Section) -> Limits:
    def optional(name: str) -> int | None:
        return part.integer(name) if part.has(name) else None

    return Limits(
        scripts=part.choices("scripts", Script) if part.has("scripts") else None,
        servers_at_once=optional("servers_at_once"),
        failures=optional("failures"),
        keep_last=optional("keep_last"),
        run_time_max_s=part.optional_duration_s("run_time_max"),
        needs_window=part.boolean("window"),
        forbid=part.choices("forbid", Consent),
        rehearsal=_rehearsal(part.section("rehearsal")),
    )


def _rehearsal(part: Section) -> RehearsalLimits:
    def optional(name: str) -> int | None:
        return part.integer(name) if part.has(name) else None

    return RehearsalLimits(
        outage_p90_s=part.optional_duration_s("outage_p90_max"),
        left_down=optional("left_down_max"),
        unprotected=optional("unprotected_max"),
        window_missed=optional("window_missed_max"),
        person_needed=optional("person_needed_max"),
    )


def needs_signers(policy: Policy) -> bool:
    """Tell whether anything in a policy depends on signatures."""
    return bool(policy.roles) or any(not each.allows_unsigned for each in policy.rules)


def check_signers(policy: Policy, text: str | None, document: Document) -> tuple[Diagnostic, ...]:
    """Return what is wrong between a policy and its allowed signers file.

    Shape: `text` is None when the file cannot be read.
    """
    findings = Findings([document])
    if not needs_signers(policy):
        return ()
    if text is None:
        detail = (
            f"The allowed signers file '{policy.signers}' cannot be read, so no signature would"
            " count. It is a line per key: anna@contoso.example ssh-ed25519 AAAA..."
        )
        findings.add("signers", detail=detail, place=policy.signers_place)
        return findings.all()
    known = tuple(_principals(text))
    for name, place in _named(policy):
        if name not in known:
            detail = f"The signers file '{policy.signers}' has no key of '{name}'. "
            detail += suggestion(name, known) if known else "It has none at all."
            findings.add("unknown-name", detail=detail, place=place)
    for rule in policy.rules:
        able = len(rule.by) if rule.by is not None else len(set(known))
        if able < rule.signatures and not rule.allows_unsigned:
            detail = (
                f"{rule.signatures} signatures are needed and {able} people can sign: no plan"
                " could ever be approved."
            )
            findings.add("signers", detail=detail, place=rule.place)
    return findings.all()


def _named(policy: Policy) -> Iterator[tuple[str, Place]]:
    for rule in policy.rules:
        yield from ((name, rule.place) for name in rule.by or ())
    for _, names in policy.roles:
        yield from ((name, policy.place) for name in names)


def _principals(text: str) -> Iterator[str]:
    """The names in an allowed signers file. Source: ssh-keygen(1), ALLOWED SIGNERS."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield from line.split()[0].strip('"').split(",")
