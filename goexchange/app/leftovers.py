"""The verb `leftovers`: what runs have left on a server, why each may go or must stay, and removing
what may go as a run of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ntpath import dirname, normcase
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from goexchange.app import approving, host_record, policies
from goexchange.app.observing import observe_server, together
from goexchange.app.planning import who
from goexchange.driver.remembering import remembered
from goexchange.errors import AnswerLost, GoexchangeError, HostRefused, Unapproved
from goexchange.journal.replay import replay
from goexchange.model.actual import ActualState
from goexchange.model.left import LeftOnHost, ShellLeft
from goexchange.model.plan import Action, Lane, Plan, ScriptCall
from goexchange.model.unknown import Unknown
from goexchange.plan import sealing
from goexchange.plan.context import Pace
from goexchange.plan.leftovers import Host, Leftover, leftovers, unknown_parts
from goexchange.plan.tidying import tidying_body
from goexchange.powershell.shells import other_shells
from goexchange.store.clock import SystemClock

if TYPE_CHECKING:  # importing it would load the HTTP libraries before gevent's patch
    from goexchange.app.running import Ended, Site, Watch
    from goexchange.store.runs import RunFolder
    from goexchange.transport.session import HostSession, RemoteSession

SHELLS_LIMIT_S = 30


@frozen(kw_only=True)
class Found:
    """What lies on a server, what could not be looked at, and the plan that removes what may go.

    Shape: `plan` is None when nothing may go.
    """

    server: str
    items: tuple[Leftover, ...]
    unknown: tuple[str, ...]
    plan: Plan | None


def look_at(server: str, *, site: Site) -> Found:
    """Look at a server; nothing is changed.

    Raises: UsageError (no such server), Unreachable, AuthenticationRefused.
    """
    from goexchange.app.worker import Fleet

    entry = host_record.entry_of(server, site.inventory)
    with Fleet([entry]) as fleet:
        if fleet.failures:
            raise together(list(fleet.failures.values()))
        session = fleet.session(entry.name)
        return look_on(session, entry.name, site=site, shells=_open_shells(session))


def look_on(
    session: HostSession,
    server: str,
    *,
    site: Site,
    shells: tuple[ShellLeft, ...] | Unknown = (),
) -> Found:
    """The same over an open session; `shells` are those of our account beside it."""
    actual = observe_server(session, server, site.inventory)
    databases = () if isinstance(actual.databases, Unknown) else actual.databases
    folders = sorted(
        {folder for each in databases for folder in (dirname(each.edb_path), each.log_folder)}
    )
    left = host_record.look(session, server, site.inventory, folders=folders)
    ended, never = _told_by_runs(session, left, site)
    host = Host(
        left=left,
        actual=actual,
        ended_runs=ended,
        never_mounted=never,
        shells=() if isinstance(shells, Unknown) else shells,
    )
    items = leftovers(host)
    unknown = unknown_parts(left)
    if isinstance(shells, Unknown):
        unknown = (*unknown, f"shells: {shells.reason}")
    if isinstance(actual.databases, Unknown):
        unknown = (*unknown, f"databases: {actual.databases.reason}")
    state = ActualState(observed_at_utc=actual.observed_at_utc, servers=(actual,))
    settings = site.settings
    pace = Pace(lease_s=settings.lease_expires_after_s, heartbeat_s=settings.heartbeat_every_s)
    plan = None
    if any(each.may_go for each in items):
        inputs = policies.policy_inputs()
        body = tidying_body(items, site.inventory, state, pace=pace, inputs=inputs)
        plan = sealing.seal(body, SystemClock().now(), who())
    return Found(server=server, items=items, unknown=unknown, plan=plan)


def remove(
    found: Found,
    *,
    site: Site,
    watch: Callable[[Plan, RunFolder], Watch],
    key: Path | None,
) -> Ended:
    """Remove what may go, by the road of every plan: it is saved first, and where a policy asks for
    an approval, that is what is approved and applied.

    Raises: Unapproved naming what is missing and the file; nothing was changed then.
    """
    from goexchange.app import running

    assert found.plan is not None
    content = sealing.dump(found.plan)
    file = Path(site.settings.output_folder) / f"leftovers-{found.server}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    try:
        approved = approving.require_approved(found.plan, str(file), site.inventory, key=key)
    except Unapproved as error:
        raise Unapproved(
            f"{error}. The plan is {file}: goexchange approve {file}, then goexchange apply {file}",
            diagnostics=error.diagnostics,
        ) from error
    return running.apply(found.plan, content, approved, site=site, watch=watch)


def _open_shells(session: RemoteSession) -> tuple[ShellLeft, ...] | Unknown:
    """Of our account, beside this session's; a host that does not list them has said nothing."""
    try:
        return other_shells(session.shells(time_limit_s=SHELLS_LIMIT_S))
    except (HostRefused, AnswerLost) as error:
        return Unknown(str(error))


def _set_aside(lane: Lane) -> Iterator[str]:
    """Where the lane's way back puts a rebuilt file that does not mount."""
    for step in lane.steps:
        if step.action is Action.SWAP_BACK and isinstance(step.call, ScriptCall):
            yield str(step.call.arguments["set_aside"])


def _told_by_runs(
    session: HostSession, left: LeftOnHost, site: Site
) -> tuple[frozenset[str], frozenset[str]]:
    """Which kept runs have ended, and which files set aside they know never to have been mounted.

    Unknown: a kept run that cannot be read has not ended.
    """
    ended: set[str] = set()
    never: set[str] = set()
    for kept in () if isinstance(left.runs, Unknown) else left.runs:
        if not {host_record.PLAN, host_record.JOURNAL} <= set(kept.sizes):
            continue
        try:
            copy = host_record.copy_of(session, left.server, site.inventory, kept)
            content = host_record.read_kept(session, site.inventory, kept, host_record.PLAN)
            plan = sealing.load(content)
        except GoexchangeError:
            continue
        if copy.has_ended:
            ended.add(kept.run)
        state = replay(copy.reading.records)
        for lane in plan.body.lanes:
            known = remembered(plan, state, lane.database_guid or "")
            if copy.has_ended and known is not None and not known.was_mounted:
                never.update(normcase(path) for path in _set_aside(lane))
    return frozenset(ended) | left.released, frozenset(never)
