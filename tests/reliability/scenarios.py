"""What a night is about, from its seed: a site, specifications as an operator would write them, a
date.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache

from attrs import evolve, field, frozen

from goexchange.documents import parse_documents
from goexchange.inventory.loading import load_inventory
from goexchange.model.actual import Generation
from goexchange.model.configuration import Inventory
from goexchange.model.desired import DesiredState
from goexchange.model.plan import Plan
from goexchange.simulation.damage import damage, record_damage
from goexchange.simulation.night import Night, make_night
from goexchange.spec import load_specification
from goexchange.spec.scripts import OLD
from goexchange.world.chance import number
from goexchange.world.site import (
    BACKUP_SERVER,
    SERVER_2003,
    AccountDescription,
    DatabaseDescription,
    GroupDescription,
    MtaDescription,
    ServerDescription,
    ShareDescription,
    SiteDescription,
    TimeConstants,
    default_site,
)
from goexchange.world.world import World
from tests.reliability import members
from tests.reliability.servers import SMALL_PAGES, generation_of, server_of

SATURDAY = datetime(2026, 11, 28, 21, 30, tzinfo=UTC)
CLOCK_BACK = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)  # Europe/Berlin, 03:00 becomes 02:00
CLOCK_FORWARD = datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
CHANGES = (CLOCK_BACK, CLOCK_FORWARD)
LATE = datetime(2026, 11, 29, 4, 40, tzinfo=UTC)  # the window closes at 05:00
GROUP_2010 = (Generation.EXCHANGE_2010, Generation.EXCHANGE_2010)
LIVING = (Generation.EXCHANGE_2019, Generation.EXCHANGE_2016)  # the second server differs


@frozen(kw_only=True)
class Scenario:
    """What is there, and what is wanted of it.

    Shape: `needs` names what each database is given to need: `rebuild`, `verify`, `backup`,
    `mount`, `nothing`, or `outside` (not selected) under Preventative Maintenance, or one of
    `SCRIPTS`, which is asked of it by that script.
    """

    seed: int
    servers: int
    needs: tuple[tuple[str, ...], ...]
    pages: int
    has_share: bool
    has_processes: bool
    has_passes: bool
    failures_max: int
    at: datetime
    times: TimeConstants = field(factory=TimeConstants)
    generations: tuple[Generation, ...] = LIVING
    has_agent: bool = False
    has_shadow: bool = False
    has_ntbackup: bool = False  # of Exchange 2003
    has_rebuilt_set: bool = False
    has_group: bool = False
    has_backup_before: bool = False
    conflicts: str = "refuse"
    has_mta: bool = False
    has_public_folders: bool = False
    has_account: bool = False  # of the share: who writes there
    down: members.Down = members.Down()
    has_backup_server: bool = False  # where the backup agent runs

    def text(self) -> str:
        """One line for people."""
        of = "; ".join(
            f"EX{index + 1:02d}: {', '.join(each)}" for index, each in enumerate(self.needs)
        )
        extras = [
            name
            for name, is_there in (
                ("sets on a share", self.has_share),
                ("written as an account of its own", self.has_share and self.has_account),
                ("custom processes", self.has_processes),
                ("passes", self.has_passes),
                ("a backup agent", self.has_agent),
                ("on a backup server", self.has_agent and self.has_backup_server),
                ("a backup by diskshadow", self.has_shadow),
                ("a backup by ntbackup", self.has_ntbackup),
                ("a set of the rebuilt file", self.has_rebuilt_set),
                ("one availability group", self.has_group),
                ("a backup before", self.has_backup_before),
                (f"Exchange {self.generations[0].value}", self.generations != LIVING),
                ("a transfer agent of Exchange 2003", self.has_mta),
                ("public folders", self.has_public_folders),
                (f"other backups: {self.conflicts}", self.conflicts != "refuse"),
                (f"taken down: {self.down.text()}", bool(self.down.commands)),
            )
            if is_there
        ]
        kind = ", ".join(extras) or "plain"
        return f"{of} ({self.pages} pages; {kind}; {self.at:%Y-%m-%d %H:%M:%S} UTC)"


SCRIPTS = {
    "diagnose": "online-error-diagnostic",
    "correct": "online-error-correction",
    "store-correct": "store-error-correction",
    "inspect": "offline-diagnostic-report",
    "measure": "offline-space-diagnostic",
    "defragment": "offline-defrag",
    "copy": "exchange-backup",
}
# Asked of a database with a copy on every server: it is looked at on a passive one, or rebuilt by
# consent on its active one, and the others seeded anew.
REPLICATED = {"look": "offline-diagnostic-report", "reseed": "offline-defrag"}
WITH_COPIES = (*REPLICATED, *members.MOVED)
LAGGED = ("reseed", members.LAGGED)
REPAIR = "repair"  # asked for by a person, of a database with damage that is on record
DAMAGED_PAGES = (9, 21)
ACCOUNT = "LAB\\gx-backup"
HOST_ROOT = "C:\\ProgramData\\goexchange"
_OTHERS = {  # what may be drawn in the place of a need of Preventative Maintenance
    "rebuild": ("rebuild", "rebuild", "defragment"),
    "verify": ("verify", "diagnose", "correct", "store-correct", "inspect", "measure"),
    "backup": ("backup", "copy"),
}
# What the store of Exchange 2007 does not do, and what is not executed there.
_ON_2007 = {
    "diagnose": "inspect", "correct": "store-correct", REPAIR: "rebuild", "verify": "inspect",
}  # fmt: skip
# Its store looks for no errors while it is mounted; only a declared agent makes online backups.
_ON_2003 = {
    "diagnose": "inspect", "correct": "store-correct", REPAIR: "rebuild",
}  # fmt: skip
_OLDER = {Generation.EXCHANGE_2007: _ON_2007, Generation.EXCHANGE_2003: _ON_2003}
_PUBLIC = ("defragment", "measure", "inspect")  # of Exchange 2007 and 2010
NEEDS = ("rebuild", "rebuild", "rebuild", "verify", "backup", "mount", "nothing", "outside")


def scenario_of(seed: int) -> Scenario:
    """The scenario of a seed."""

    def draw(name: str, below: int) -> int:
        return number(seed, "scenario", name, below=below)

    servers = (1, 1, 1, 2, 2, 3)[draw("servers", 6)]
    needs = []
    for server in range(servers):
        databases = (1, 1, 1, 2, 2, 3)[draw(f"databases {server}", 6)]
        drawn = (NEEDS[draw(f"need {server} {one}", len(NEEDS))] for one in range(databases))
        needs.append(
            tuple(
                _OTHERS[need][draw(f"script {server} {one}", len(_OTHERS[need]))]
                if need in _OTHERS
                else need
                for one, need in enumerate(drawn)
            )
        )
    has_group = servers > 1 and draw("group", 2) == 0
    if not has_group and draw("repair", 10) == 0:
        needs[0] = (REPAIR, *needs[0][1:])
    if has_group:
        needs[0] = (("reseed", "look", "look")[draw("replicated", 3)], *needs[0][1:])
    if all(each in ("nothing", "outside") for of in needs for each in of):
        needs[0] = ("rebuild", *needs[0][1:])
    generations = LIVING  # of the older ones, only 2010 has copies on other servers that are taken
    if has_group and draw("group of 2010", 6) == 0:
        generations = GROUP_2010
        needs[0] = tuple("look" if each == "reseed" else each for each in needs[0])
    elif not has_group and draw("generation", 6) == 0:
        generations = (Generation.EXCHANGE_2010, Generation.EXCHANGE_2016)
    elif not has_group and (older := draw("older generation", 5)) < 2:
        oldest = (Generation.EXCHANGE_2007, Generation.EXCHANGE_2003)[older]
        generations = (oldest, Generation.EXCHANGE_2016)
        needs = [
            of if server == 1 else tuple(_OLDER[oldest].get(each, each) for each in of)
            for server, of in enumerate(needs)
        ]
    is_old = generations != LIVING
    down = members.Down()
    if has_group and draw("taken down", 2) == 0:
        down, needs = members.drawn(draw, needs), members.with_copies(draw, needs)
        generations = (members.GENERATIONS[draw("members", len(members.GENERATIONS))],)
    elif not is_old and servers == 1 and draw("taken down alone", 6) == 0:
        down = members.drawn(draw, needs)
    moment = draw("at", 12)
    at = LATE if moment == 0 else CHANGES[moment % 2] if moment in (1, 2) else SATURDAY
    if at in CHANGES:
        at = at.replace(hour=0, minute=57, second=draw("before the change", 60))
    return Scenario(
        seed=seed,
        servers=servers,
        needs=tuple(needs),
        pages=(40, 48, 64, 96)[draw("pages", 4)],
        has_share=draw("share", 4) == 0,
        # a job of Windows Server 2003 runs as the computer and as nobody else
        has_account=draw("account", 2) == 0 and Generation.EXCHANGE_2003 not in generations,
        has_processes=draw("processes", 5) == 0,
        has_passes=draw("passes", 5) == 0,
        failures_max=draw("failures", 3),
        at=at,
        has_agent=(method := draw("agent", 4)) == 0 or Generation.EXCHANGE_2003 in generations,
        has_backup_server=draw("backup server", 3) == 0,
        has_shadow=method == 1 and draw("shadow", 2) == 0,
        has_rebuilt_set=draw("rebuilt set", 5) == 0,
        has_group=has_group,
        has_backup_before=draw("backup before", 6) == 0,
        generations=generations,
        has_mta=draw("mta", 8) == 0,
        has_public_folders=is_old and draw("public folders", 3) == 0,
        has_ntbackup=generations[0] is Generation.EXCHANGE_2003
        and servers == 1 and draw("ntbackup", 2) == 0,
        conflicts=("wait", "suspend", "refuse", "refuse", "refuse", "refuse")[draw("conflicts", 6)],
        down=down,
    )


def simple(seed: int = 1) -> Scenario:
    """One server, one database that wants to be rebuilt."""
    return Scenario(
        seed=seed, servers=1, needs=(("rebuild",),), pages=48, has_share=False,
        has_processes=False, has_passes=False, failures_max=0, at=SATURDAY,
    )  # fmt: skip


def smaller(scenario: Scenario) -> Iterator[Scenario]:
    """Scenarios with a little less in them, for shrinking; names of steps stay what they are."""
    for less_down in scenario.down.smaller():
        yield evolve(scenario, down=less_down)
    if scenario.servers > 1:
        is_still_one = scenario.has_group and scenario.servers > 2
        less_of_it = evolve(
            scenario, servers=scenario.servers - 1, needs=scenario.needs[:-1],
            down=scenario.down.without_last(),
        )  # fmt: skip
        if is_still_one or not scenario.has_group:
            yield less_of_it
    for index, of in enumerate(scenario.needs):
        if len(of) > 1:
            less = (*scenario.needs[:index], of[:-1], *scenario.needs[index + 1 :])
            yield evolve(scenario, needs=less)
    for name in (
        "has_share", "has_processes", "has_passes", "has_agent", "has_shadow", "has_backup_before",
        "has_rebuilt_set", "has_account", "has_mta", "has_public_folders", "has_backup_server",
    ):  # fmt: skip
        if getattr(scenario, name):
            yield evolve(scenario, **{name: False})
    if scenario.conflicts != "refuse":
        yield evolve(scenario, conflicts="refuse")
    if scenario.generations != LIVING and not scenario.down.commands:
        yield evolve(scenario, generations=LIVING)
    if scenario.at != SATURDAY:
        yield evolve(scenario, at=SATURDAY)
    if scenario.pages > 48:
        yield evolve(scenario, pages=48)


def crosses_change(scenario: Scenario, seconds: float) -> bool:
    """Whether a night of that length goes over a change of the clocks."""
    return any(
        0 < (change - scenario.at).total_seconds() < seconds for change in CHANGES
    )


def night_of(scenario: Scenario) -> Night:
    """Its night, planned and approved; nothing has gone wrong yet."""
    inventory, specifications = documents_of(scenario)
    return make_night(
        site_of(scenario),
        specifications,
        inventory,
        at=scenario.at,
        seed=scenario.seed,
        repairs=repairs_of(scenario),
        prepare=lambda world: _damage(scenario, world),
    )


def repairs_of(scenario: Scenario) -> tuple[str, ...]:
    """The addresses that a person wants repaired."""
    return tuple(
        f"EX{index + 1:02d}/DB{index + 1}{at + 1}"
        for index, of in enumerate(scenario.needs)
        for at, need in enumerate(of)
        if need == REPAIR
    )


def _damage(scenario: Scenario, world: World) -> None:
    """Pages went bad, and an earlier run has seen it."""
    for address in repairs_of(scenario):
        name = address.partition("/")[2]
        damage(world, name, pages=DAMAGED_PAGES)
        record_damage(world, name, root=HOST_ROOT, errors=len(DAMAGED_PAGES))


def site_of(scenario: Scenario) -> SiteDescription:
    """The site: databases of that many pages on servers like the lab's."""
    base = default_site(scale=0.01)
    servers, databases = [], []
    for index, needs in enumerate(scenario.needs):
        server = scenario.down.standing(index, server_of(base, index, scenario.generations))
        if _agent_of(scenario) == server.name:
            server = evolve(server, mta=MTA_SERVER.mta)
        servers.append(server)
        databases += [_database(scenario, server, index, at) for at in range(len(needs))]
    return evolve(
        base,
        servers=tuple(
            evolve(each, availability_group="DAG1" if scenario.has_group else None)
            for each in servers
        )
        + ((MTA_SERVER,) if _agent_of(scenario) == MTA_SERVER.name else ()),
        databases=tuple(databases),
        groups=(
            GroupDescription(
                name="DAG1",
                servers=tuple(each.name for each in servers),
                witness_server="fs01.lab.example",
            ),
        )
        if scenario.has_group
        else (),
        log_bytes=64 * 1024,
        rates=base.rates.scaled(0.02),
        times=scenario.times,
        shares=(_share(scenario),),
        machines=(BACKUP_SERVER,) if scenario.has_agent and scenario.has_backup_server else (),
        accounts=(
            AccountDescription(
                user=ACCOUNT, password="kept", logs_on_at=tuple(each.name for each in servers)
            ),
        ),
    )


def _share(scenario: Scenario) -> ShareDescription:
    """One that every host may write to, or an account alone."""
    writers = (ACCOUNT,) if scenario.has_account else None
    return ShareDescription(path="\\\\backup01\\exchange$\\", writers=writers)


def _database(
    scenario: Scenario, server: ServerDescription, index: int, at: int
) -> DatabaseDescription:
    need = scenario.needs[index][at]
    name = f"DB{index + 1}{at + 1}"
    others = tuple(
        f"EX{one + 1:02d}" for one in range(scenario.servers) if one != index
    )
    # The store of Exchange 2007 tells free space in whole megabytes, and its pages are small.
    pages = scenario.pages * SMALL_PAGES.get(server.generation, 1)
    has_room = need in ("rebuild", "defragment", "reseed", "measure", "outside", *members.MOVED)
    return DatabaseDescription(
        name=name,
        copies=(server.name, *(others if need in WITH_COPIES else ())),
        replay_lags_s=((others[-1], 86400),) if need in LAGGED and len(others) > 1 else (),
        edb_path=f"D:\\{name}\\{name}.edb",
        log_folder=f"L:\\{name}",
        log_prefix=f"E{at:02d}",
        pages=pages,
        free_pages=pages * 5 // 8 if has_room else 2,
        full_backup_hours_ago=200.0 if need == "backup" else 20.0,
        age_days=500 + 10 * at,
        is_mounted=need != "mount",
        closed_logs=2,
        corruptions=_corruptions(scenario, server, need),
        is_public_folder=scenario.has_public_folders and need in _PUBLIC
        and server.generation in _WITH_PUBLIC_FOLDERS,
    )


def _corruptions(
    scenario: Scenario, server: ServerDescription, need: str
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """What each pass finds; on Exchange 2007 those before a rebuild and those after it."""
    if need in _FINDS:
        return (("FolderView", (3, 1)), ("SearchFolder", (1,)))
    is_old = server.generation is Generation.EXCHANGE_2007
    if need == "rebuild" and is_old and scenario.has_passes:
        return (("FolderView", (2, 0, 1)),)
    return ()


def documents_of(scenario: Scenario) -> tuple[Inventory, tuple[DesiredState, ...]]:
    """What the operator wrote, read as it is read from files."""
    return _inventory(_inventory_text(scenario)), tuple(
        specification(text) for text in specification_texts(scenario)
    )


def scripts_of(scenario: Scenario, plan: Plan) -> frozenset[tuple[str, str]]:
    """Script and generation of everything that the plan has work for."""
    taken = {lane.id for lane in plan.body.lanes}
    return frozenset(
        (_script_of(each.specification), _version_on(scenario, each.server).value)
        for each in plan.body.decisions
        if each.address in taken and each.specification is not None
    )


def _script_of(specification: str) -> str:
    if specification.startswith(members.NAME):
        return "server-maintenance"
    if specification == "agents":
        return "mta-error-correction"
    return {**SCRIPTS, **REPLICATED}.get(specification, "preventative-maintenance")


def _version_on(scenario: Scenario, server: str) -> Generation:
    if server == MTA_SERVER.name:
        return MTA_SERVER.generation
    return generation_of(scenario.generations, int(server[2:]) - 1)


def _inventory_text(scenario: Scenario) -> str:
    servers = "".join(
        f'  EX{index + 1:02d}: {{address: ex{index + 1:02d}.lab.example, site: berlin,'
        f' generation: "{generation_of(scenario.generations, index).value}"}}\n'
        for index in range(scenario.servers)
    )
    if _agent_of(scenario) == MTA_SERVER.name:
        servers += '  EX07: {address: ex07.lab.example, site: berlin, generation: "2003"}\n'
    account = f", account: '{ACCOUNT}', credential: 'env:SETS'" * scenario.has_account
    shares = (
        f"shares:\n  - {{path: '\\\\backup01\\exchange$', mounted_at: /mnt/sets{account}}}\n"
        if scenario.has_share
        else ""
    )
    members = ", ".join(f"EX{index + 1:02d}" for index in range(scenario.servers))
    group = f"availability_groups: {{DAG1: {{servers: [{members}]}}}}\n" * scenario.has_group
    return (
        "apiVersion: goexchange/v1\nkind: Inventory\nmetadata: {name: generated}\n"
        "sites: {berlin: {zone: Europe/Berlin}}\n"
        f"servers:\n{servers}{group}{_MACHINES * scenario.has_backup_server}"
        "windows:\n"
        '  night: {zone: Europe/Berlin, days: [SAT], from: "22:00", to: "06:00"}\n'
        "connection_profiles: {default: {}}\nlow_space_threshold: 1GiB\n"
        f"host_root: 'C:\\ProgramData\\goexchange'\n{shares}"
    )


_WANTS = {
    "rebuild": "white_space_max: 20%",
    "verify": "verified_within: 30d",
    "backup": "online_full_backup_within: 7d",
    "mount": "mounted: true",
    "nothing": "white_space_max: 90%",
    "diagnose": "verified_within: 30d",
    "correct": "verified_within: 30d",
    "store-correct": "verified_within: 30d, online_full_backup_within: 7d",
    "inspect": "verified_within: 30d, measured_within: 90d",
    "measure": "measured_within: 90d",
    "look": "verified_within: 30d",
    "reseed": "white_space_max: 20%",
    "defragment": "white_space_max: 20%",
    "copy": "offline_backup_within: 30d, online_full_backup_within: 7d",
    REPAIR: "mounted: true",
}
_FINDS = ("correct", "store-correct")
_WITH_PUBLIC_FOLDERS = (Generation.EXCHANGE_2007, Generation.EXCHANGE_2010)
def specification_texts(scenario: Scenario) -> tuple[str, ...]:
    """One specification for each kind of need."""
    texts = []
    for need, wants in _WANTS.items():
        names = [
            f"DB{index + 1}{at + 1}"
            for index, of in enumerate(scenario.needs)
            for at, each in enumerate(of)
            if each == need
        ]
        if names:
            texts.append(_specification_text(scenario, need, wants, names))
    texts += members.specification_texts(scenario.down, has_processes=scenario.has_processes)
    agent = _agent_of(scenario)
    return tuple(texts) if agent is None else (*texts, _AGENTS.replace("EX07", agent))


def _agent_of(scenario: Scenario) -> str | None:
    """The server whose transfer agent is mended: one with databases where that is of 2003 too."""
    if not scenario.has_mta:
        return None
    return "EX01" if scenario.generations[0] is Generation.EXCHANGE_2003 else MTA_SERVER.name


MTA_SERVER = evolve(
    SERVER_2003, mta=MtaDescription(broken_queues=("XAPI",), damaged_objects=(300596,))
)
_AGENTS = (
    "apiVersion: goexchange/v1\nkind: Specification\nmetadata: {name: agents}\n"
    "targets: {servers: [EX07]}\ndesired: {verified_within: 30d}\n"
    "script: {name: mta-error-correction}\n"
    "backup: {before: {offline: {target: {path: 'E:\\evidence'}}}}\n"
    "schedule: {window: night}\n"
    "strategy: {failures_max: 1, servers_at_once: 2}\n"
)
_WBADMIN = "{method: windows-server-backup, target: {path: 'F:'}}"
_SHADOW = "{method: diskshadow, target: {path: 'F:\\online'}}"
_NTBACKUP = "{method: ntbackup, target: {path: 'F:\\online'}, timeout: 2h}"
_PROGRAM = "'C:\\agent\\backup.cmd'"
_AGENT = (
    "{method: agent, timeout: 2h, agent:"
    f" {{start: [{_PROGRAM}, start], state: [{_PROGRAM}, state],"
    f" copies: [{_PROGRAM}, copies], poll_every: 30s,"
    " states: {Idle: failed, Running: running, Success: succeeded, Failed: failed}}}"
)
_MACHINES = f"machines: {{{BACKUP_SERVER.name}: {{}}}}\n"
_AGENT_ELSEWHERE = _AGENT.replace("start]", "start, '%server%']").replace(
    "poll_every", f"runs_on: {BACKUP_SERVER.name}, poll_every"
)
_CONFLICTS = {
    "refuse": "running: refuse",
    "wait": "running: wait, scheduled: wait, wait_max: 20m",
    "suspend": "running: suspend, scheduled: suspend, wait_max: 20m,"
    f" suspend: [{_PROGRAM}, hold], resume: [{_PROGRAM}, release]",
}


def _specification_text(scenario: Scenario, need: str, wants: str, names: list[str]) -> str:
    servers = sorted({f"EX0{name[2]}" for name in names})
    target = "\\\\backup01\\exchange$" if scenario.has_share else "E:\\sets"
    is_older = any(each in _OLDER for each in scenario.generations)  # another pass of isinteg
    passes = 3 if need in _FINDS or (is_older and scenario.has_passes) else 0
    passes = passes or (1 if scenario.has_passes else 0)
    script = {**SCRIPTS, **REPLICATED}.get(need, "preventative-maintenance")
    # one that a server of each of its versions has
    is_living = not any(each in OLD for each in scenario.generations)
    service = "MSExchangeFastSearch" if is_living else "MSExchangeMailboxAssistants"
    processes = (
        "custom_processes:\n"
        "  before: [{name: av off, run: ['C:\\ops\\av.cmd', suspend],"
        " treat_failure_as_error: true},\n"
        "    {name: quiet, run: ['C:\\ops\\monitoring.cmd', quiet], per: run},\n"
        "    {name: export, run: ['C:\\ops\\launch.cmd'], follow: export.exe, per: database}]\n"
        "  after: [{name: av on, run: ['C:\\ops\\av.cmd', resume], undoes: av off},\n"
        "    {name: loud, run: ['C:\\ops\\monitoring.cmd', loud], undoes: quiet, per: run}]\n"
        f"services: {{stop_while_down: [{service}]}}\n"
        if scenario.has_processes
        else ""
    )
    agent = _AGENT_ELSEWHERE if scenario.has_backup_server else _AGENT
    online = agent if scenario.has_agent else _SHADOW if scenario.has_shadow else _WBADMIN
    online = _NTBACKUP if scenario.has_ntbackup else online
    # isinteg changes the new file of Exchange 2007 after its set would be made
    has_rebuilt_set = scenario.has_rebuilt_set and not (is_older and scenario.has_passes)
    rebuilt = f"offline: {{target: {{path: '{target}'}}}}, " if has_rebuilt_set else ""
    before = f"online: {online}, " if scenario.has_backup_before else ""
    by_consent = ", replicated: by-consent" if need == "reseed" else ""
    return (
        "apiVersion: goexchange/v1\nkind: Specification\n"
        f"metadata: {{name: {need}}}\n"
        f"targets: {{servers: [{', '.join(servers)}],"
        f" databases: {{include: [{', '.join(names)}]}}}}\n"
        f"desired: {{{wants}}}\n"
        f"script:\n  name: {script}\n  verify: offline\n"
        f"  rebuild: {{not_again_within: 180d, gain_min: 64KiB{by_consent}}}\n"
        f"  error_correction: {{primary_passes_max: {passes},"
        f" defragmented_passes_max: {passes}}}\n"
        f"backup:\n  before: {{{before}offline: {{target: {{path: '{target}'}}}}}}\n"
        f"  after: {{{rebuilt}online: {online}}}\n"
        f"  conflicts: {{{_CONFLICTS[scenario.conflicts]}}}\n"
        "schedule: {window: night}\n"
        f"strategy: {{failures_max: {scenario.failures_max}, servers_at_once: 2}}\n"
        f"{processes}"
    )


@lru_cache(maxsize=512)
def specification(text: str) -> DesiredState:
    """A specification, read as it is read from a file."""
    parsed = parse_documents(text, file="generated.yaml")
    found, diagnostics = load_specification(parsed.documents[0])
    assert found is not None, diagnostics
    return found


@lru_cache(maxsize=64)
def _inventory(text: str) -> Inventory:
    found, diagnostics = load_inventory(parse_documents(text, file="inventory.yaml").documents)
    assert found is not None, diagnostics
    return found
