"""The cmdlets of databases with public folders, in the place of those of mailbox databases."""

from __future__ import annotations

from collections.abc import Mapping

from goexchange.model.plan import ExchangeCall, Lane

OWN_CMDLETS: Mapping[str, str] = {
    "Get-MailboxDatabase": "Get-PublicFolderDatabase",
    "Set-MailboxDatabase": "Set-PublicFolderDatabase",
}
"""What is sent for a mailbox database, and instead of it; mounting knows both kinds."""


def is_of_public_folders(lane: Lane) -> bool:
    """Whether a lane is of such a database, by what it sends."""
    own = OWN_CMDLETS.values()
    calls = (step.call for step in lane.steps)
    return any(isinstance(call, ExchangeCall) and call.cmdlet in own for call in calls)


def in_own_words(text: str) -> str:
    """A text for a person, or a command, with the cmdlets that find such a database."""
    for name, own in OWN_CMDLETS.items():
        text = text.replace(f"{name} ", f"{own} ")
    return text.replace("mailbox database", "public folder database")
