"""What schemas cannot say of a specification that takes servers down: it does nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from goexchange.errors import Place
from goexchange.model.desired import DesiredState, ProcessScope, Script
from goexchange.reading import Findings

_EXAMPLE = (
    "script: {name: server-maintenance}, custom_processes: {takes_server_down: [{name: updates,"
    " run: ['C:\\ops\\updates.cmd'], restarts: true}]}"
)
EVERY_DATABASE = ("*",)


def check_server_maintenance(desired: DesiredState, findings: Findings) -> None:
    """Report commands that take a server down beside other work, and the script without any."""
    if desired.script.script is not Script.SERVER_MAINTENANCE:
        for process in desired.processes_down[:1]:
            findings.add(
                "takes-server-down",
                detail=f"'{process.name}' takes the server down, which is work of its own: the"
                f" script {desired.script.script.value} works on databases of a server that is in"
                f" service. Give it a specification of its own: {_EXAMPLE}",
                place=process.place,
            )
        return
    if not desired.processes_down:
        findings.add(
            "takes-server-down",
            detail=f"Nothing says what server-maintenance runs. For example: {_EXAMPLE}",
            place=desired.script.place,
        )
    for what, place in _beside(desired):
        findings.add(
            "takes-server-down",
            detail=f"server-maintenance takes servers down, and works on no database: {what}.",
            place=place,
        )


def _beside(desired: DesiredState) -> Iterator[tuple[str, Place]]:
    """What belongs to the work on databases."""
    for actions in (desired.backup_before, desired.backup_after):
        if actions.offline is not None or actions.online is not None:
            yield "take the backup out, or give it a specification of its own", actions.place
    for process in (*desired.processes_before, *desired.processes_after):
        if process.per is ProcessScope.DATABASE:
            yield f"'{process.name}' cannot run per database; write `per: server`", process.place
    if desired.services_stopped and desired.services_place is not None:
        yield "take `services.stop_while_down` out", desired.services_place
    targets = desired.targets
    if targets.exclude or targets.include != EVERY_DATABASE:
        yield "take `targets.databases` out: the server is meant as a whole", targets.place
