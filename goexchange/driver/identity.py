"""Who runs: the run's id, its controller, and the approval it rests on."""

from __future__ import annotations

from attrs import frozen

from goexchange.model.approval import Approval


@frozen(kw_only=True)
class Assumption:
    """What an operator answers of a step in doubt that looking could not decide."""

    step: str
    is_done: bool
    by: str


@frozen(kw_only=True)
class RunIdentity:
    """What a machine knows of itself.

    Shape: `run` is the id of the run and of its folder; `holder` is what leases and hosts are told
    (`controller:process`); `torn_bytes` is what was cut from the end of the journal before this
    resume; `rebuilt_from` the server from whose record the run was read back; `assumed` what an
    operator answers of a step in doubt; `proved_dead` the runs of other stores whose holders are
    proved dead: their open records hold nobody off.
    """

    run: str
    holder: str
    controller: str
    started_by: str
    tool: str
    approval: Approval | None = None
    torn_bytes: int = 0
    rebuilt_from: str | None = None
    assumed: Assumption | None = None
    proved_dead: tuple[str, ...] = ()
