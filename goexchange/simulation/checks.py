"""Invariants on the world's true state, looked at after every event; those on the journal are the
driver's own.

I1 at the end: nothing is silently down; and what is taken down has its safety nets. I2 a swap only
with a good set of that very file. I3 the original and the set stay until the new file is backed
up. I4 whoever acts holds the host. I5 nothing takes effect twice. I6 every effect has an intent
before it. I8 nothing outside the plan is touched. I10 no outage starts that cannot end in the
window. I11 none while another's backup or move was seen. I9, I12 copies are suspended of one
member at a time, and are back at the end, or it is said. I17 no older file in place after the
first mount of a new one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from attrs import define, field

from goexchange.codec import parse_time
from goexchange.driver.calls import job_id
from goexchange.driver.copies import NOT_AS_IT_WAS, NOT_REDUNDANT
from goexchange.driver.invariants import Violation, Watch
from goexchange.driver.lane_of_server import is_of_server
from goexchange.ese.structures import Signature
from goexchange.model.actual import Generation
from goexchange.model.mta import MTA_NAME
from goexchange.model.plan import Action, ExchangeCall, Lane, Plan, Step
from goexchange.model.run import LaneState, Record, RecordKind, RunResult
from goexchange.simulation.checks_of_copies import (
    STALE_LOOK,
    activations_left,
    of_redundancy,
    suspended_by,
)
from goexchange.simulation.checks_of_mta import mta_left, nets_of_mta
from goexchange.simulation.checks_of_server import (
    OF_SERVERS,
    Sight,
    moved_databases,
    of_giving_back,
    of_going_down,
    of_taking,
    servers_left,
)
from goexchange.world.databases import MailboxDatabase
from goexchange.world.scripts_records import open_recoveries
from goexchange.world.truth import TrueDatabase, true_database
from goexchange.world.world import Effect, World

ONCE = frozenset(
    {
        "dismount",
        "mount",
        "swap",
        "swap-back",
        "move-aside",
        "move-logs",
        "job-started",
        "repair-request",
        "copy-suspended",
        "copy-resumed",
    }
)
_OF_GROUPS = ("copy-suspended", "seed-begun", "dismount")
FENCE_RACE = timedelta(seconds=1)  # a child of a job starts that much after its request
_OVER_WINDOWS = frozenset(
    {"job-started", "swap", "swap-back", "move-aside", "move-logs", "set-sealed"}
)
_MOVES_FILES = frozenset(
    {"mount", "mount-at-startup", "swap", "swap-back", "move-aside", "full-backup"}
)
_EXPLAINED_BY = {
    "dismount": (Action.DISMOUNT, Action.DISMOUNT_SCRATCH),
    "mount": (
        Action.MOUNT,
        Action.MOUNT_ORIGINAL,
        Action.MOUNT_RECOVERY,
        Action.MOUNT_SCRATCH,
    ),
    "swap": (Action.SWAP,),
    "swap-back": (Action.SWAP_BACK,),
    "move-aside": (
        Action.SET_ASIDE,
        Action.TAKE_ASIDE,
        Action.RETURN_FILE,
        Action.PUT_AWAY,
        Action.RETURN_PRESENT,
    ),
    "move-logs": (Action.MOVE_LOGS_ASIDE, Action.TAKE_LOGS_ASIDE, Action.RETURN_LOGS),
    "database-made": (Action.NEW_RECOVERY_DATABASE, Action.NEW_SCRATCH_DATABASE),
    "database-removed": (Action.REMOVE_SCRATCH_DATABASE,),
    "storage-group-made": (Action.NEW_SCRATCH_GROUP,),
    "storage-group-removed": (Action.REMOVE_SCRATCH_GROUP,),
    "scratch-folder-removed": (Action.REMOVE_SCRATCH_FOLDER,),
    "set-sealed": (Action.SEAL_SET, Action.SEAL_REBUILT, Action.SEAL_EVIDENCE),
    "mount-at-startup-set": (Action.SET_MOUNT_AT_STARTUP, Action.RESTORE_MOUNT_AT_STARTUP),
    "repair-request": (Action.REPAIR_REQUEST,),
    "copy-suspended": (Action.SUSPEND_COPY,),
    "copy-resumed": (Action.RESUME_COPY,),
    "seed-begun": (Action.SEED_COPY,),
    "activation-suspended": (Action.SUSPEND_ACTIVATION,),
    "component-set": (Action.SET_COMPONENT, Action.RESTORE_COMPONENT),
    "policy-set": (Action.BLOCK_ACTIVATION, Action.RESTORE_ACTIVATION),
    "node-paused": (Action.PAUSE_NODE,),
    "node-resumed": (Action.RESUME_NODE,),
    "messages-redirected": (Action.REDIRECT_MESSAGES,),
}


@define(kw_only=True)
class Checks:
    """Follows one night, from its start, over all its controllers.

    Shape: `user` is the account of its calls; `excused` are invariants that a fault has made
    impossible to keep (the original was destroyed by somebody else).
    """

    plan: Plan
    run: str
    user: str
    first: dict[str, Signature] = field(factory=dict)
    was_new_mounted: set[str] = field(factory=set)
    unprotected: dict[str, Signature] = field(factory=dict)
    excused: set[str] = field(factory=set)
    looked: dict[str, datetime] = field(factory=dict)  # by the controller's own clock
    truly_looked: dict[str, datetime] = field(factory=dict)
    begun: dict[str, datetime] = field(factory=dict)  # lanes of servers
    started: dict[str, datetime] = field(factory=dict)  # their services
    seen_effects: int = 0
    seen_records: int = 0
    watch: Watch = field(init=False)
    explained: set[tuple[Action, str]] = field(factory=set)
    jobs: set[str] = field(factory=set)
    counts: Counter[tuple[str, str, str]] = field(factory=Counter)
    passes: set[tuple[str, str, int]] = field(factory=set)
    _places: dict[str, tuple[Lane, Step]] = field(init=False)
    _scope: frozenset[str] = field(init=False)
    _repaired: frozenset[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.watch = Watch(self.plan)
        lanes = self.plan.body.lanes
        self._places = {step.id: (lane, step) for lane in lanes for step in lane.steps}
        self._repaired = frozenset(
            lane.database or ""
            for lane in lanes
            if any(step.action is Action.REPAIR for step in lane.steps)
        )
        mine = frozenset(lane.database for lane in lanes if lane.database is not None)
        self._scope = mine | moved_databases(self.plan)

    def after_event(self, world: World, records: list[Record]) -> tuple[Violation, ...]:
        """What is broken now that was not before."""
        broken = list(self._of_journal(world, records))
        fresh = world.effects[self.seen_effects :]
        self.seen_effects = len(world.effects)
        broken += self._of_effects(world, fresh)
        if not self.first or any(effect.kind in _MOVES_FILES for effect in fresh):
            broken += self._of_files(world, fresh)
        return tuple(one for one in broken if one.invariant not in self.excused)

    def at_end(self, world: World, result: RunResult) -> tuple[Violation, ...]:
        """I1 and I9 (of copies), when the run has ended."""
        named = (LaneState.LEFT_OFFLINE, LaneState.UNDECIDED)
        offline = {one.database for one in result.databases if one.state in named}
        told = offline | {
            one.database
            for one in result.databases
            if NOT_REDUNDANT in one.why or NOT_AS_IT_WAS in one.why
        }
        copies = tuple(
            Violation(invariant="I9", step=name, why=f"its copy on {server} is left suspended")
            for name, server in self.suspended_by_us(world)
            if name not in told
        )
        copies += tuple(activations_left(world, told))
        stopped = tuple(
            Violation(invariant="I1", step=host, why="its MTA is stopped, and nothing says so")
            for host in mta_left(world, self.run)
            if MTA_NAME not in offline
        )
        told_servers = frozenset(
            one.server for one in result.databases if one.state in named or NOT_REDUNDANT in one.why
        )
        servers = tuple(servers_left(world, self.plan, told_servers, user=self.user))
        return (*copies, *stopped, *servers) + tuple(
            Violation(invariant="I1", step=name, why="it is down, and nothing says so")
            for name in self.down_by_us(world)
            if name not in offline
        )

    def down_by_us(self, world: World) -> tuple[str, ...]:
        """Databases that are down because this run took them down, or kept them from coming up
        again, and that no sentinel speaks of.
        """
        spoken = {
            each.database for host in world.hosts.values() for each in host.sentinels.values()
        } | {each.database for each in world.effects if each.kind == "sentinel-spoke"}
        return tuple(
            each.name
            for each in world.databases.values()
            if each.mounted_on is None
            and each.name not in spoken
            and self._is_our_doing(world, each.name)
        )

    def _is_our_doing(self, world: World, name: str) -> bool:
        """Whether the last one who took it out of service was this run: by a dismount, or by a
        setting with which it did not come up again.
        """
        is_down = has_switched_off = False
        for effect in world.effects:
            if effect.kind == "reboot" and effect.host == world.database_named(name).active_server:
                is_down = is_down or has_switched_off
            elif effect.database != name:
                continue
            elif effect.kind == "mount-at-startup-set":
                has_switched_off = effect.detail == "False" and effect.by == self.user
            elif effect.kind in ("dismount", "mount"):
                is_down = effect.kind == "dismount" and effect.by == self.user
        return is_down

    def _of_journal(self, world: World, records: list[Record]) -> Iterator[Violation]:
        for record in records[self.seen_records :]:
            yield from self.watch.violations(record.kind, record.data)
            self.watch.take(record)
            if record.kind is RecordKind.INTENT:
                yield from self._of_intent(world, record)
            elif record.kind is RecordKind.FACTS:
                observed = parse_time(record.data["actual"]["observed_at_utc"])
                self.looked[record.data["server"]] = observed
                self.truly_looked[record.data["server"]] = world.now()
        self.seen_records = len(records)

    def _of_intent(self, world: World, record: Record) -> Iterator[Violation]:
        if record.data["step"] not in self._places:
            return
        lane, step = self._places[record.data["step"]]
        self.explained.add((step.action, step.database or ""))
        self.jobs.add(job_id(self.run, step, record.data["attempt"]))
        if step.action is Action.REPAIR_REQUEST:
            assert isinstance(step.call, ExchangeCall)
            types = step.call.parameters["CorruptionType"]
            detail = types if isinstance(types, str) else ",".join(types)
            self.passes.add((f"{step.database}/{detail}", step.id, record.data["attempt"]))
        if step.action is Action.LAST_LOOK and is_of_server(lane):
            self.begun.setdefault(step.server, world.now())
        if step.action is Action.START_SERVICES:
            self.started[step.server] = world.now()
        if step.action is Action.TAKE_SERVER_DOWN:
            yield from of_going_down(world, step, sight=self._sight(step.server))
        if step.action is Action.DISMOUNT:
            yield from self._of_outage(lane, step, record.at_utc)
            yield from self._of_others(world, step, record.at_utc)

    def _of_outage(self, lane: Lane, step: Step, begins: datetime) -> Iterator[Violation]:
        """I10: from here the outage ends in the window, by its p90."""
        window = self.plan.body.window
        if window is None:
            return
        p90 = max(
            (
                one.outage_p90_s or 0
                for one in self.plan.body.decisions
                if one.address == lane.id and one.database == step.database
            ),
            default=0,
        )
        if begins < window.opens_at_utc or begins + timedelta(seconds=p90) > window.closes_at_utc:
            why = f"taken down at {begins:%H:%M:%S}, needs {p90} s, the window has not so much left"
            yield Violation(invariant="I10", step=step.id, why=why)

    def _of_others(self, world: World, step: Step, at: datetime) -> Iterator[Violation]:
        """I11: whoever looked saw the other's backup, or has not looked for too long."""
        looked = self.looked.get(step.server)
        for run in world.backups:
            if run.host != step.server or run.job is not None or not run.is_running:
                continue
            if looked is None or run.started_at < looked or at - looked > STALE_LOOK:
                why = "taken down while somebody else's backup runs, which a look has or would have"
                yield Violation(invariant="I11", step=step.id, why=f"{why} shown")
        # Exchange 2007 has no requests that could be asked for: the consent says that nobody looks
        is_asked = world.hosts[step.server].description.generation is not Generation.EXCHANGE_2007
        for effect in world.effects if is_asked else ():
            is_move = effect.kind == "move-started" and effect.database == step.database
            if is_move and (looked is None or effect.at < looked or at - looked > STALE_LOOK):
                why = "taken down while mailboxes are moved, which a look has or would have shown"
                yield Violation(invariant="I11", step=step.id, why=why)

    def _of_effects(self, world: World, fresh: Iterable[Effect]) -> Iterator[Violation]:
        for effect in fresh:
            self._forget_mounts(world, effect)
            if effect.kind == "mta-stopped" and effect.detail.startswith(f"{self.run}-"):
                yield from nets_of_mta(world, effect, root=self.plan.body.rules.host_root or "")
            is_our_job = effect.kind == "job-started" and effect.detail.startswith(f"{self.run}-")
            if effect.by != self.user and not is_our_job:
                continue
            name = effect.database or effect.detail
            which = effect.host if effect.kind.startswith("copy-") else effect.detail
            key = (effect.kind, name, which)
            self.counts[key] += 1
            if effect.kind in ONCE and self.counts[key] > self._times(effect):
                yield Violation(invariant="I5", step=name, why=f"{effect.kind} took effect again")
            if not self._is_explained(effect):
                yield Violation(
                    invariant="I6", step=name, why=f"{effect.kind} has no intent before it"
                )
            if effect.database is not None and effect.database not in self._scope:
                yield Violation(invariant="I8", step=name, why=f"{effect.kind} is not of this plan")

            if effect.kind in OF_SERVERS:
                yield from of_taking(self.plan, world, effect, sight=self._sight(effect.host))
                begun = self.begun.get(effect.host)
                yield from of_giving_back(world, effect, user=self.user, begun=begun)
            if effect.kind in _OF_GROUPS:
                yield from of_redundancy(self.plan, world, effect, looked=self.looked)
            if effect.kind in ("copy-suspended", "seed-begun"):
                yield from self._of_group(world, effect)
            if effect.kind in _OVER_WINDOWS:
                yield from self._of_fence(world, effect)
            if effect.kind == "dismount" and not self._is_scratch(effect):
                yield from self._of_nets(world, effect)
            if effect.kind == "swap" and self._is_after_window(effect.at):
                why = f"swapped at {effect.at:%H:%M:%S}, after the end of the window"
                yield Violation(invariant="I10", step=name, why=why)

    def _sight(self, server: str) -> Sight:
        return Sight(run=self.run, user=self.user, seen=self.truly_looked.get(server))

    def _is_scratch(self, effect: Effect) -> bool:
        """Whether it is a pilot's own database that goes for good: it needs no sentinel."""
        return (Action.DISMOUNT_SCRATCH, effect.database or "") in self.explained

    def _of_group(self, world: World, effect: Effect) -> Iterator[Violation]:
        """I9: whoever dies now has left a record of it."""
        host = world.host_of(world.database_named(effect.database or ""))
        root = self.plan.body.rules.host_root or ""
        if not any(each["run"] == self.run for each in open_recoveries(host, root)):
            why = "a copy is suspended without an open recovery record"
            yield Violation(invariant="I9", step=effect.database or "", why=why)
        if not any(each.database == effect.database for each in host.sentinels.values()):
            why = "a copy is suspended without a sentinel"
            yield Violation(invariant="I9", step=effect.database or "", why=why)

    def suspended_by_us(self, world: World) -> tuple[tuple[str, str], ...]:
        """Database and server of every copy that this run suspended and that still is."""
        return suspended_by(self.user, world)

    def _forget_mounts(self, world: World, effect: Effect) -> None:
        """What went down by itself, or by another hand, may be mounted once more."""
        for database in world.databases.values():
            is_down = effect.database == database.name and effect.kind in ("dismount", "crash")
            if is_down or (effect.kind == "reboot" and effect.host == database.active_server):
                for key in [key for key in self.counts if key[:2] == ("mount", database.name)]:
                    del self.counts[key]

    def _is_after_window(self, at: datetime) -> bool:
        window = self.plan.body.window
        return window is not None and at > window.closes_at_utc

    def _of_fence(self, world: World, effect: Effect) -> Iterator[Violation]:
        """I4: whoever acts over the Windows channel holds the host's fencing number."""
        root = self.plan.body.rules.host_root or ""
        kept = world.hosts[effect.host].files.read_json(f"{root}\\fence.json")
        if kept is None or str(kept["holder"]).startswith(f"{self.user}:"):
            return
        if effect.at - parse_time(kept["claimed_at"]) > FENCE_RACE:
            why = f"{effect.kind}, and the host is held by {kept['holder']}"
            yield Violation(invariant="I4", step=effect.detail, why=why)

    def _of_nets(self, world: World, effect: Effect) -> Iterator[Violation]:
        """I1: what is taken down has a sentinel and an open recovery record, whoever dies now."""
        host, root = world.hosts[effect.host], self.plan.body.rules.host_root or ""
        if not any(each.database == effect.database for each in host.sentinels.values()):
            why = "taken down without a sentinel"
            yield Violation(invariant="I1", step=effect.database or "", why=why)
        if not any(each["run"] == self.run for each in open_recoveries(host, root)):
            why = "taken down without an open recovery record"
            yield Violation(invariant="I1", step=effect.database or "", why=why)

    def _times(self, effect: Effect) -> int:
        """How often it may happen: once, and a repair request once for each pass."""
        if effect.kind != "repair-request":
            return 1
        wanted = f"{effect.database}/{effect.detail}"
        return sum(what == wanted for what, _, _ in self.passes)

    def _is_explained(self, effect: Effect) -> bool:
        if effect.kind == "job-started":
            return effect.detail in self.jobs
        if effect.kind not in _EXPLAINED_BY:
            return True
        return any(
            action in _EXPLAINED_BY[effect.kind]
            and (effect.database is None or effect.database == database)
            for action, database in self.explained
        )

    def _of_files(self, world: World, fresh: Iterable[Effect]) -> Iterator[Violation]:
        swapped = {(each.host, each.detail.lower()) for each in fresh if each.kind == "swap"}
        for database in world.databases.values():
            if database.name not in self._scope or not self._is_touched(database, fresh):
                continue
            truth = true_database(world, database)
            if truth.present is None:
                continue
            now = truth.present.signature
            original = self.first.setdefault(database.name, now)
            place = (database.active_server, database.edb_path.lower())
            if place in swapped and now != original:
                self.unprotected[database.name] = original
                if not self._has_net(truth, original):
                    why = "swapped without a good set of the original, or evidence of it"
                    yield Violation(invariant="I2", step=database.name, why=why)
                    continue
            yield from self._of_copies(truth, fresh)
            if truth.is_mounted and now != original and not truth.present.is_sound:
                why = "a damaged file was put into service"
                yield Violation(invariant="I2", step=database.name, why=why)
            if truth.is_mounted and now != original:
                self.was_new_mounted.add(database.name)
            if database.name in self.was_new_mounted and now == original:
                yield Violation(
                    invariant="I17", step=database.name, why="the older file is back in place"
                )

    def _has_net(self, truth: TrueDatabase, signature: Signature) -> bool:
        """A good set of the original; of one that is repaired, the kept original's very damage."""
        if truth.name not in self._repaired:
            return truth.has_set_of(signature)
        kept = [each for each in truth.originals if each.signature == signature]
        return any(truth.has_evidence_of(each) for each in kept)

    def _is_touched(self, database: MailboxDatabase, fresh: Iterable[Effect]) -> bool:
        """Whether one of the effects may have changed the database's files."""
        if database.name not in self.first:
            return True
        return any(
            each.kind in _MOVES_FILES and each.database in (None, database.name) for each in fresh
        )

    def _of_copies(self, truth: TrueDatabase, fresh: Iterable[Effect]) -> Iterator[Violation]:
        """I3: original and set are both there while the new file has no backup."""
        original = self.unprotected.get(truth.name)
        if original is None or truth.present is None or truth.present.signature == original:
            return
        is_kept = any(
            each.signature == original and (each.is_good or truth.name in self._repaired)
            for each in truth.originals
        )
        if not (is_kept and self._has_net(truth, original)):
            missing = "the set" if is_kept else "the original"
            why = f"the new file is not backed up, and {missing} is not there any more"
            yield Violation(invariant="I3", step=truth.name, why=why)
        if any(each.kind == "full-backup" and each.database == truth.name for each in fresh):
            self.unprotected.pop(truth.name)
