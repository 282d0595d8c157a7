"""Policies: read, compared with their signers file, and what specifications may not exceed."""

from __future__ import annotations

import pytest

from goexchange.documents import Document, parse_documents
from goexchange.model.desired import Consent, Script
from goexchange.model.policy import Policy, RehearsalLimits, Role
from goexchange.settings.policy import check_signers, load_policy
from goexchange.spec import Loaded
from goexchange.spec.limits import check_limits
from tests.unit.spec.specification import desired, document, with_lines

HEAD = "apiVersion: goexchange/v1\nkind: Policy\nmetadata: {name: production}\n"
SIGNERS = "# people\nanna@contoso.example,a ssh-ed25519 AAAA\nbert@contoso.example ssh-rsa BBBB\n"


def policy_document(text: str) -> Document:
    parsed = parse_documents(HEAD + text, file="policies/p.yaml")
    assert not parsed.diagnostics
    return parsed.documents[0]


def policy(text: str) -> Policy:
    found, diagnostics = load_policy(policy_document(text))
    assert found is not None and diagnostics == ()
    return found


def test_defaults_ask_for_nothing() -> None:
    found = policy("")
    assert (found.rules, found.roles, found.signers) == ((), (), "allowed_signers")
    assert found.limits.scripts is None and not found.limits.needs_window


def test_everything_that_can_be_written_is_read() -> None:
    found = policy(
        "approvals: [{servers: ['site:b'], signatures: 2, by: [a@x], not_author: true,"
        " expires_within: 1d, unsigned: true}]\n"
        "roles: {run: [a@x], suspend: [], administer: [b@x]}\n"
        "limits: {scripts: [offline-defrag], servers_at_once: 2,"
        " failures: 0, keep_last: 4, run_time_max: 6h, window: true,"
        " forbid: [repair-may-lose-data],"
        " rehearsal: {outage_p90_max: 2h, left_down_max: 0, unprotected_max: 1,"
        " window_missed_max: 2, person_needed_max: 3}}\n"
    )
    (rule,) = found.rules
    assert (rule.selectors, rule.signatures, rule.by) == (("site:b",), 2, ("a@x",))
    assert (rule.is_not_author, rule.expires_within_s, rule.allows_unsigned) == (True, 86400, True)
    assert found.roles == (
        (Role.RUN, ("a@x",)),
        (Role.SUSPEND, ()),
        (Role.ADMINISTER, ("b@x",)),
    )
    limits = found.limits
    assert limits.scripts == (Script.OFFLINE_DEFRAG,)
    assert (limits.servers_at_once, limits.failures) == (2, 0)
    assert (limits.keep_last, limits.run_time_max_s, limits.needs_window) == (4, 21600, True)
    assert limits.forbid == (Consent.REPAIR_MAY_LOSE_DATA,)
    assert limits.rehearsal == RehearsalLimits(
        outage_p90_s=7200, left_down=0, unprotected=1, window_missed=2, person_needed=3
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("approvals: [{by: [ana@contoso.example]}]\n", "Did you mean 'anna@contoso.example'?"),
        ("roles: {run: [x@y]}\n", "no key of 'x@y'"),
        ("approvals: [{signatures: 4}]\n", "4 signatures are needed and 3 people can sign"),
        ("approvals: [{signatures: 2, by: [a]}]\n", "could ever be approved"),
    ],
)
def test_signers_that_could_never_sign_are_reported(text: str, words: str) -> None:
    found = check_signers(policy(text), SIGNERS, policy_document(text))
    assert words in " ".join(each.detail for each in found)
    assert check_signers(policy("approvals: [{}]\n"), SIGNERS, policy_document("")) == ()


def test_a_signers_file_that_is_not_there_is_reported_where_it_is_needed() -> None:
    text = "approvals: [{}]\n"
    (found,) = check_signers(policy(text), None, policy_document(text))
    assert "cannot be read" in found.detail
    unsigned = "approvals: [{unsigned: true}]\n"
    assert check_signers(policy(unsigned), None, policy_document(unsigned)) == ()


@pytest.mark.parametrize(
    ("limits", "added", "words"),
    [
        ("scripts: [exchange-backup]", "", "preventative-maintenance is not allowed"),
        ("servers_at_once: 1", "strategy: {servers_at_once: 2}\n", "'servers_at_once' is 2"),
        ("failures: 0", "strategy: {failures_max: 1}\n", "'failures_max' is 1"),
        ("keep_last: 4", "", "'keep.last' is 3; 4 is the fewest"),
        ("window: true", "", "A window is required"),
        ("run_time_max: 1h", "", "'run_time_max' is required"),
        ("run_time_max: 1h", "schedule: {run_time_max: 2h}\n", "is 120 minutes; 60 minutes"),
    ],
)
def test_a_specification_over_a_limit_is_reported(limits: str, added: str, words: str) -> None:
    text = with_lines(added)
    loaded = (Loaded(desired=desired(text), document=document(text)),)
    (found,) = check_limits(loaded, (policy(f"limits: {{{limits}}}\n"),))
    assert found.id == "over-limit" and found.place is not None
    assert words in found.detail and "policies/p.yaml" in found.detail
    assert check_limits(loaded, (policy(""),)) == ()


def test_a_specification_within_the_limits_is_not() -> None:
    text = with_lines(
        "schedule: {window: night, run_time_max: 1h}\nstrategy: {servers_at_once: 2}\n"
    )
    loaded = (Loaded(desired=desired(text), document=document(text)),)
    limits = (
        "limits: {servers_at_once: 2, failures: 0, keep_last: 3, run_time_max: 1h, window: true}\n"
    )
    assert check_limits(loaded, (policy(limits),)) == ()
