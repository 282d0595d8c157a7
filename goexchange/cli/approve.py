"""The verb `approve`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from goexchange import codec
from goexchange.cli.console import Console
from goexchange.errors import UsageError


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

    Writes one file; touches no host.
    """
    from goexchange.app import approving
    from goexchange.app.planning import read_plan

    console = obj[0]
    plan = read_plan(plan_file)
    approval = approving.approve(
        plan, consents=consents, life=_life(given["life"]), comment=given["comment"]
    )
    path = approving.approval_path(plan_file)
    approving.save_approval(approval, path)
    console.data(
        f"Plan {plan.id} approved by {approval.approved_by}"
        f" until {approval.expires_at_utc:%Y-%m-%d %H:%M} UTC"
    )
    for each in approval.consents:
        console.data(f"  consent  {each.consent.value:<26} {each.address}")
    missing = [
        need
        for need in plan.body.consents
        if all(
            (given_one.consent, given_one.address) != (need.consent, need.address)
            for given_one in approval.consents
        )
    ]
    for need in missing:
        console.data(f"  MISSING  {need.consent.value:<26} {need.address}: {need.finding}")
    console.data(f"Saved {path}")
    console.document(codec.to_plain(approval))


def _life(text: str | None) -> timedelta | None:
    from goexchange.reading import duration_s

    try:
        return None if text is None else timedelta(seconds=duration_s(text))
    except ValueError as error:
        raise UsageError(f"--valid-for: {error}; write it like 12h or 2d") from error
