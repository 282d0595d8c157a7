"""The verb `approve`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from goexchange import codec
from goexchange.cli.console import Console
from goexchange.errors import UsageError
from goexchange.model.plan import Plan


@click.command("approve")
@click.argument("plan_file", metavar="PLAN", type=click.Path())
@click.option(
    "--consent",
    "consents",
    multiple=True,
    metavar="NAME",
    help="A consent this plan needs, or 'all'.",
)
@click.option(
    "--valid-for", "life", metavar="DURATION", help="How long the approval holds (default 24h)."
)
@click.option("--comment", default="", metavar="TEXT", help="Why.")
@click.pass_obj
def approve(
    obj: tuple[Console, dict[str, Any]], /, plan_file: str, consents: tuple[str, ...], **given: Any
) -> None:
    """State consent to exactly this PLAN. The approval lies beside it and is void for any other
    digest.

    With --key it is signed (ssh-keygen -Y), in the name that the policy's signers file gives the
    key; every signer has a file of their own. What the policies still ask for is said.
    Announcements of the outage that the plan asks for go into the outbox for their time.
    Writes the approval and the outbox; touches no host.
    """
    from goexchange.app import approving, loading
    from goexchange.app.notifying import announce
    from goexchange.app.planning import read_plan
    from goexchange.app.policies import key_of

    console, options = obj
    plan = read_plan(plan_file)
    approval = approving.approve(
        plan, consents=consents, life=_life(given["life"]), comment=given["comment"]
    )
    announced = announce(plan, loading.configuration(options)) if plan.body.notices else ()
    path = approving.save_approval(approval, plan_file, key=key_of(options))
    saved = approving.read_approval(path)
    assert saved is not None
    console.data(
        f"Plan {plan.id} approved by {saved.approved_by}"
        f" until {saved.expires_at_utc:%Y-%m-%d %H:%M} UTC"
    )
    for each in saved.consents:
        console.data(f"  consent  {each.consent.value:<26} {each.address}")
    held = {(each.consent, each.address) for each in saved.consents}
    for need in plan.body.consents:
        if (need.consent, need.address) not in held:
            console.data(f"  MISSING  {need.consent.value:<26} {need.address}: {need.finding}")
    console.data(f"Saved {path}")
    for event in announced:
        lead = event.variables["lead"]
        console.data(
            f"  announce {event.due_at_utc:%Y-%m-%d %H:%M} UTC to {event.audience},"
            f" {lead} before: goexchange notify flush sends it then"
        )
    for text in _still_missing(plan, plan_file, options):
        console.data(f"  MISSING  {text}")
    console.document(codec.to_plain(saved))


def _still_missing(plan: Plan, plan_file: str, options: dict[str, Any]) -> tuple[str, ...]:
    """What the policies still ask for; nothing is asked where there is none."""
    from goexchange.app import approving, loading, policies

    if not policies.policy_files():
        return ()
    inventory = loading.inventory(loading.configuration(options))
    return approving.decide(plan, plan_file, inventory).missing


def _life(text: str | None) -> timedelta | None:
    from goexchange.reading import duration_s

    try:
        return None if text is None else timedelta(seconds=duration_s(text))
    except ValueError as error:
        raise UsageError(f"--valid-for: {error}; write it like 12h or 2d") from error
