"""The plans of a pilot: what is asked for, what it will do, and each stage as it is planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from ntpath import dirname, join
from typing import Any

from attrs import evolve, frozen

from goexchange import codec
from goexchange.app.loading import Specification
from goexchange.app.observing import observe_servers
from goexchange.app.planning import who
from goexchange.app.policies import policy_inputs
from goexchange.app.running import Site
from goexchange.errors import NotNow, UsageError
from goexchange.guard.evaluate import at_plan
from goexchange.model.actual import ActualServer, ActualState
from goexchange.model.pilot import (
    INPUT_KIND,
    Versions,
)
from goexchange.model.plan import Need, Plan, PlanBody, PlanInput
from goexchange.model.unknown import Unknown
from goexchange.plan.consents import versions_of
from goexchange.plan.context import Pilots
from goexchange.plan.pilot import (
    Scratch,
    chosen_volume,
    creation_draft,
    hypothetical,
    scratch_at,
    specification_for,
)
from goexchange.plan.pilot_groups import group_of, has_groups
from goexchange.plan.planner import Pace, make_draft
from goexchange.plan.restoring import Setting
from goexchange.plan.sealing import seal
from goexchange.spec.selection import select_servers
from goexchange.store.clock import SystemClock


@frozen(kw_only=True)
class PilotRequest:
    """What was asked for.

    Shape: `like` is the specification whose backups and passes are tried; `options` are those of
    the command line, for the controllers; `consents` are given by name to what a stage's plan
    needs; `keeps` leaves the scratch database where it is.
    """

    server: str
    like: Specification
    site: Site
    options: Mapping[str, Any]
    volume: str | None = None
    consents: tuple[str, ...] = ()
    keeps: bool = False


@frozen(kw_only=True)
class Preview:
    """What a pilot will do: the plan that makes the database, and what its night will be, foreseen
    on a server that has it. Nothing was changed.
    """

    request: PilotRequest
    scratch: Scratch
    creation: Plan
    foreseen: PlanBody
    versions: Versions

    @property
    def needs(self) -> tuple[str, ...]:
        """Consents that its plans will need and that were not given."""
        wanted = {each.consent.value for each in self.foreseen.consents}
        return tuple(sorted(wanted - set(self.request.consents)))

    @property
    def refusal(self) -> str | None:
        """Why the night of the scratch database would not be planned, if it would not."""
        decisions = self.foreseen.decisions
        found = next((each for each in decisions if each.need is not Need.REBUILD), None)
        if not decisions:
            return "the specification does not reach the scratch database"
        return None if found is None else f"{found.explanation}; {found.instead or ''}".rstrip("; ")


def specification_of(server: str, found: Sequence[Specification], site: Site) -> Specification:
    """The one specification that means the server, with a set before and an online backup after.

    Raises: UsageError naming those that there are.
    """
    known = site.inventory
    mine = [each for each in found if server in select_servers(each.desired.targets, known)]
    fit = [
        each
        for each in mine
        if each.desired.backup_before.offline is not None
        and each.desired.backup_after.online is not None
    ]
    if len(fit) == 1:
        return fit[0]
    names = ", ".join(each.desired.name for each in fit or mine) or "none"
    raise UsageError(
        f"SPEC: a pilot tries the backups and passes of one specification that means {server} and"
        f" declares a set before and an online backup after; there are: {names}. Name its file"
    )


def preview(request: PilotRequest) -> Preview:
    """Look at the server and say what a pilot would do.

    Raises: NotNow when the server cannot be told; Unreachable, AuthenticationRefused.
    """
    server, state = observed(request.site, request.server)
    low = request.site.inventory.low_space_threshold_bytes
    online = request.like.desired.backup_after.online
    target = None if online is None or online.target is None else online.target.path
    now = state.observed_at_utc
    volume = chosen_volume(
        server,
        wanted=request.volume,
        targets=() if target is None else (target,),
        low_space_bytes=low,
    )
    scratch = scratch_at(now, volume.mount_point)
    creation = sealed(
        creation_draft(scratch, setting_of(request, state, now), inputs_of(request, scratch)), state
    )
    after = evolve(state, servers=(hypothetical(scratch, server),))
    foreseen = night_of(request, scratch, after)
    assert not isinstance(server.host, Unknown)
    return Preview(
        request=request,
        scratch=scratch,
        creation=creation,
        foreseen=foreseen,
        versions=versions_of(server.host),
    )


def scratch_named(name: str, request: PilotRequest) -> Scratch:
    """The scratch database of an earlier pilot, by its name, where it is.

    Raises: UsageError when neither Exchange nor the pilot's folder in the store knows where.
    """
    server, _ = observed(request.site, request.server)
    known = () if isinstance(server.databases, Unknown) else server.databases
    for each in known:
        if each.name.casefold() == name.casefold():
            return Scratch(name=each.name, folder=dirname(dirname(each.edb_path)))
    group = group_of(server, name) if has_groups(server) else None
    if group is not None and not isinstance(group.log_folder, Unknown):
        return Scratch(name=group.name, folder=dirname(group.log_folder))
    if request.volume is None:
        raise UsageError(
            f"--remove: {request.server} has no database {name}; to remove its folder name the"
            " volume that holds it with --volume"
        )
    return Scratch(name=name, folder=join(request.volume.rstrip("\\") + "\\", name))


def observed(site: Site, server: str) -> tuple[ActualServer, ActualState]:
    """The server and the state that it alone makes.

    Raises: NotNow when its host is not known; Unreachable, AuthenticationRefused.
    """
    state = observe_servers(site.inventory, [server])
    if not state.servers:
        raise NotNow(f"{server} was not observed")
    found = state.servers[0]
    if isinstance(found.host, Unknown):
        raise NotNow(f"the host of {server} is not known: {found.host.reason}")
    return found, state


def versions_seen(server: ActualServer) -> Versions:
    """What a pilot of that server would prove."""
    assert not isinstance(server.host, Unknown)
    return versions_of(server.host)


def pace_of(site: Site) -> Pace:
    """How often its runs look, as the configuration says."""
    settings = site.settings
    return Pace(lease_s=settings.lease_expires_after_s, heartbeat_s=settings.heartbeat_every_s)


def setting_of(request: PilotRequest, state: ActualState, now: datetime) -> Setting:
    """What plans without a specification rest on."""
    return Setting(
        inventory=request.site.inventory,
        actual=state,
        server=request.server,
        now=now,
        pace=pace_of(request.site),
    )


def inputs_of(request: PilotRequest, scratch: Scratch) -> tuple[PlanInput, ...]:
    """What every plan of a pilot was made from; it is marked as a pilot's."""
    like = request.like
    return (
        PlanInput(kind="Specification", path=like.file, sha256=like.sha256),
        PlanInput(kind=INPUT_KIND, path=scratch.name, sha256=codec.sha256(scratch.name.encode())),
        *policy_inputs(),
    )


def night_of(
    request: PilotRequest,
    scratch: Scratch,
    state: ActualState,
    *,
    forces_way_back: bool = False,
) -> PlanBody:
    """The night of the scratch database under the operator's specification."""
    wanted = specification_for(scratch, request.like.desired, request.server)
    return make_draft(
        [wanted],
        request.site.inventory,
        state,
        now=state.observed_at_utc,
        inputs=inputs_of(request, scratch),
        scope=(f"{request.server}/{scratch.name}",),
        pace=pace_of(request.site),
        pilots=Pilots(is_own=True, forces_way_back=forces_way_back),
    )


def sealed(body: PlanBody, state: ActualState) -> Plan:
    """The plan of a body, with the verdicts of its guards."""
    guarded = evolve(body, guards=at_plan(body, state, body.evaluated_at_utc))
    return seal(guarded, created_at=SystemClock().now(), created_by=who())
