"""Who runs: the run's id, its controller, and the approval it rests on."""

from __future__ import annotations

from attrs import frozen

from goexchange.model.approval import Approval


@frozen(kw_only=True)
class RunIdentity:
    """What a machine knows of itself.

    Shape: `run` is the id of the run and of its folder; `holder` is what leases and hosts are told
    (`controller:process`); `torn_bytes` is what was cut from the end of the journal before this
    resume.
    """

    run: str
    holder: str
    controller: str
    started_by: str
    tool: str
    approval: Approval | None = None
    torn_bytes: int = 0
