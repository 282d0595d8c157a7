"""Host scripts, answered by their contracts: which module plays which, and that both sides keep to
the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from goexchange.powershell.checking import fits, problems
from goexchange.powershell.contracts import CONTRACTS
from goexchange.world import (
    objects_2003,
    scripts_cmdlets,
    scripts_files,
    scripts_jobs,
    scripts_moves,
    scripts_records,
    scripts_runs,
    scripts_scratch,
    scripts_server,
    scripts_trial,
)
from goexchange.world.files import FileProblem, FileRefused
from goexchange.world.hosts import Host
from goexchange.world.mta import observe_mta
from goexchange.world.observing import observe_host, read_repairs, read_space
from goexchange.world.refusals import NotModelled, ScriptFailed

if TYPE_CHECKING:
    from goexchange.world.world import World

Play = Callable[["World", Host, Mapping[str, Any]], dict[str, Any]]

_PLAYS: Mapping[str, Play] = {
    "observe-host": observe_host,
    "read-repairs": read_repairs,
    "observe-mta": observe_mta,
    "claim-fence": scripts_records.claim_fence,
    "write-recovery": scripts_records.write_recovery,
    "sentinel": scripts_records.sentinel,
    "write-database-record": scripts_records.write_database_record,
    "read-header": scripts_files.read_header_script,
    "swap-state": scripts_files.swap_state,
    "swap-files": scripts_files.swap_files,
    "swap-back": scripts_files.swap_back,
    "move-aside": scripts_moves.move_aside,
    "move-logs": scripts_moves.move_logs,
    "delete-temporary": scripts_files.delete_temporary,
    "read-set": scripts_moves.read_set,
    "seal-set": scripts_files.seal_set,
    "start-job": scripts_jobs.start_job,
    "poll-job": scripts_jobs.poll_job,
    "cancel-job": scripts_jobs.cancel_job,
    "keep-run": scripts_runs.keep_run,
    "read-run": scripts_runs.read_run,
    "read-runs": scripts_runs.read_runs,
    "remove-leftover": scripts_runs.remove_leftover,
    "try-root": scripts_trial.try_root,
    "scratch-folder": scripts_scratch.scratch_folder,
    "read-space": read_space,
    "ask-snapin": scripts_cmdlets.ask_snapin,
    "tell-snapin": scripts_cmdlets.tell_snapin,
    "pilot-snapin": scripts_cmdlets.pilot_snapin,
    "ask-objects": objects_2003.ask_objects,
    "tell-objects": objects_2003.tell_objects,
    "pilot-objects": objects_2003.pilot_objects,
    "cluster-node": scripts_server.cluster_node,
    "server-state": scripts_server.server_state,
    "start-services": scripts_server.start_services,
}
_CODES = {
    FileProblem.NOT_FOUND: "file-not-found",
    FileProblem.IN_USE: "file-in-use",
    FileProblem.EXISTS: "path-exists",
    FileProblem.DISK_FULL: "disk-full",
    FileProblem.OTHER_VOLUME: "other-volume",
}


def run_script(
    world: World, host: Host, script: str, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """The result of a script.

    Raises: ScriptFailed with a code of its contract or `internal`; NotModelled for a script that is
    not packaged.
    """
    if script not in _PLAYS:
        raise NotModelled(f"host script {script}")
    contract = CONTRACTS[script]
    given = dict(arguments)
    if not fits(given, contract.arguments):
        wrong = list(problems(given, contract.arguments))
        raise ScriptFailed("internal", f"arguments: {'; '.join(wrong[:5])}")
    if contract.changes_host:
        scripts_records.check_fence(host, script, arguments)
    try:
        result = _PLAYS[script](world, host, arguments)
    except FileRefused as refusal:
        code = _CODES[refusal.problem]
        raise ScriptFailed(
            code if code in contract.errors else "internal", str(refusal)
        ) from refusal
    if not fits(result, contract.result):
        wrong = list(problems(result, contract.result))
        raise NotModelled(f"{script} answered outside its contract: {'; '.join(wrong[:5])}")
    return result
