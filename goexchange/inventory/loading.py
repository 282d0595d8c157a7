"""Inventory documents to an Inventory: several files are one inventory, every name resolved."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from attrs import frozen

from goexchange.documents import Document, digest
from goexchange.errors import Diagnostic, Place
from goexchange.inventory.connections import read_connection
from goexchange.inventory.selection import Members, RawGroup, resolve_groups, resolve_selectors
from goexchange.inventory.shares import share_of
from goexchange.model.configuration import (
    AvailabilityGroup,
    ConnectionProfile,
    Generation,
    Inventory,
    MachineEntry,
    OtherWork,
    OtherWorkKind,
    Rates,
    SentinelNotice,
    ServerEntry,
    ServerGroup,
    Share,
    Site,
    Weekday,
    Window,
)
from goexchange.reading import (
    Findings,
    Section,
    has_errors,
    rate_bytes_per_s,
    root_section,
    time_of_day,
)
from goexchange.schema import check_document, suggestion

_ONCE = (
    "verifier",
    "mount_confirm_after",
    "low_space_threshold",
    "certificates_end_within",
    "host_root",
    "rates",
    "sentinel",
)

Entry = TypeVar("Entry")


def load_inventory(
    documents: Sequence[Document], *, known: Collection[Place] = ()
) -> tuple[Inventory | None, tuple[Diagnostic, ...]]:
    """Return the inventory that documents make together, with everything that is wrong in them.

    Unknown: None when an error prevents it; with warnings there is an inventory. `known` are
    places that other diagnostics speak of already.
    """
    documents = sorted(documents, key=lambda document: document.file)
    found = tuple(
        diagnostic
        for document in documents
        for diagnostic in check_document(document, kind="Inventory", known=known)
    )
    if has_errors(found) or not documents:
        return None, found
    findings = Findings(documents)
    inventory = _Loader(documents, findings).load()
    found += findings.all()
    return (None if has_errors(found) else inventory), found


@frozen(kw_only=True)
class _Names:
    """What selectors of servers can name, groups included."""

    members: Members
    groups: tuple[ServerGroup, ...]


class _Loader:
    """Reads the documents, whose schemas agree, as one."""

    def __init__(self, documents: Sequence[Document], findings: Findings) -> None:
        self._documents = documents
        self._roots = tuple(root_section(document) for document in documents)
        self._findings = findings
        self._profiles: dict[str, Section] = {}

    def load(self) -> Inventory:
        self._profiles = {name: part for name, _, part in self._members("connection_profiles")}
        for name, part in self._profiles.items():
            read_connection(name, (part,), self._findings)
        sites = self._read("sites", self._site)
        groups = self._read("availability_groups", self._availability_group)
        group_of = self._group_of(groups)
        servers = self._read("servers", lambda n, p, s: self._server(n, p, s, group_of=group_of))
        machines = self._read("machines", self._machine)
        self._check_names(sites, servers, groups)
        once = {name: self._once(name) for name in _ONCE}
        members = Members(
            servers=tuple(server.name for server in servers),
            sites={s.name: tuple(e.name for e in servers if e.site == s.name) for s in sites},
            availability_groups={group.name: group.servers for group in groups},
        )
        named = self._groups(members)
        return Inventory(
            document_digest=digest(*self._documents),
            sites=sites,
            servers=servers,
            machines=machines,
            availability_groups=groups,
            groups=named,
            windows=self._read("windows", self._window),
            shares=tuple(self._share(s) for root in self._roots for s in root.sections("shares")),
            verifier=self._verifier(once["verifier"], machines),
            mount_confirm_after_s=once["mount_confirm_after"].duration_s("mount_confirm_after"),
            low_space_threshold_bytes=once["low_space_threshold"].size_bytes("low_space_threshold"),
            certificates_end_within_s=once["certificates_end_within"].duration_s(
                "certificates_end_within"
            ),
            host_root=once["host_root"].text("host_root"),
            rates=self._rates(once["rates"].section("rates")),
            sentinel=self._sentinel(once["sentinel"]),
            other_work=self._other_work(_Names(members=members, groups=named)),
        )

    def _read(self, name: str, read: Callable[[str, Place, Section], Entry]) -> tuple[Entry, ...]:
        return tuple(read(key, place, part) for key, place, part in self._members(name))

    def _members(self, name: str) -> list[tuple[str, Place, Section]]:
        """Return the members of a part of all documents; a repeated name is reported."""
        first: dict[str, Place] = {}
        members = []
        for root in self._roots:
            for key, place, part in root.members(name):
                form = key.casefold()
                if form in first:
                    detail = f"'{key}' stands at {first[form]} already; case makes no difference."
                    self._findings.add("repeated", detail=detail, place=place)
                    continue
                first[form] = place
                members.append((key, place, part))
        return members

    def _once(self, name: str) -> Section:
        """Return the document in which a setting of the whole site is written, or the first."""
        written = [root for root in self._roots if root.has(name)]
        for root in written[1:]:
            where = written[0].place_of(name)
            detail = f"'{name}' holds for the whole site and stands at {where} already."
            self._findings.add("repeated", detail=detail, place=root.place_of(name))
        return written[0] if written else self._roots[0]

    def _site(self, name: str, place: Place, part: Section) -> Site:
        zone = part.optional_text("zone")
        if zone is not None:
            self._check_zone(zone, part.place_of("zone"))
        return Site(
            name=name, zone=zone, description=part.optional_text("description"), place=place
        )

    def _server(
        self, name: str, place: Place, part: Section, *, group_of: dict[str, str]
    ) -> ServerEntry:
        return ServerEntry(
            name=name,
            address=part.optional_text("address") or name,
            site=part.optional_text("site"),
            availability_group=group_of.get(name),
            generation=part.choice("generation", Generation) if part.has("generation") else None,
            connection=self._connection(part),
            place=place,
        )

    def _machine(self, name: str, place: Place, part: Section) -> MachineEntry:
        if part.has("exchange"):
            detail = "A machine has no Exchange endpoint; what has one belongs to `servers`."
            self._findings.add("no-exchange", detail=detail, place=part.place_of("exchange"))
        return MachineEntry(
            name=name,
            address=part.optional_text("address") or name,
            connection=self._connection(part),
            place=place,
        )

    def _connection(self, part: Section) -> ConnectionProfile:
        name = part.optional_text("profile")
        if name is not None and name not in self._profiles:
            self._unknown(
                "connection profile", name, tuple(self._profiles), part.place_of("profile")
            )
        profile = self._profiles.get(name or "default")
        layers = (part,) if profile is None else (part, profile)
        # what is wrong in the profile itself was reported once, at the profile
        findings = self._findings if _has_own_settings(part) else Findings(())
        return read_connection(name or "default", layers, findings)

    def _availability_group(self, name: str, place: Place, part: Section) -> AvailabilityGroup:
        return AvailabilityGroup(name=name, servers=part.texts("servers"), place=place)

    def _window(self, name: str, place: Place, part: Section) -> Window:
        self._check_zone(part.text("zone"), part.place_of("zone"))
        return Window(
            name=name,
            zone=part.text("zone"),
            days=tuple(day for day in Weekday if day in part.choices("days", Weekday)),
            opens=time_of_day(part.text("from")),
            closes=time_of_day(part.text("to")),
            place=place,
            weeks=tuple(sorted(part.integers("weeks"))),
        )

    def _other_work(self, site: _Names) -> tuple[OtherWork, ...]:
        groups = {
            group.name: RawGroup(
                name=group.name,
                selectors=group.servers,
                selector_places=(group.place,) * len(group.servers),
                place=group.place,
            )
            for group in site.groups
        }
        return tuple(
            OtherWork(
                kind=part.choice("kind", OtherWorkKind),
                servers=resolve_selectors(
                    RawGroup(
                        name=name,
                        selectors=part.texts("servers"),
                        selector_places=part.places("servers"),
                        place=place,
                    ),
                    groups,
                    site.members,
                    findings=self._findings,
                ),
                when=self._window(name, place, part),
            )
            for name, place, part in self._members("other_work")
        )

    def _share(self, part: Section) -> Share:
        return share_of(part, self._findings)

    def _rates(self, part: Section) -> Rates:
        return Rates(
            copy_bytes_per_s=rate_bytes_per_s(part.text("copy")),
            rebuild_bytes_per_s=rate_bytes_per_s(part.text("rebuild")),
            verify_bytes_per_s=rate_bytes_per_s(part.text("verify")),
            repair_bytes_per_s=rate_bytes_per_s(part.text("repair")),
            backup_bytes_per_s=rate_bytes_per_s(part.text("backup")),
        )

    def _sentinel(self, root: Section) -> SentinelNotice:
        part = root.section("sentinel")
        notice = SentinelNotice(
            mail_server=part.optional_text("mail_server"),
            mail_from=part.optional_text("mail_from"),
            mail_to=part.texts("mail_to"),
            webhook=part.optional_text("webhook"),
        )
        parts = (notice.mail_server, notice.mail_from, notice.mail_to)
        if any(parts) and not all(parts):
            detail = "'mail_server', 'mail_from' and 'mail_to' belong together: one is missing."
            self._findings.add("sentinel", detail=detail, place=root.place_of("sentinel"))
        return notice

    def _verifier(self, root: Section, machines: tuple[MachineEntry, ...]) -> str | None:
        name = root.optional_text("verifier")
        names = tuple(machine.name for machine in machines)
        if name is not None and name not in names:
            self._unknown("machine", name, names, root.place_of("verifier"))
        return name

    def _group_of(self, groups: tuple[AvailabilityGroup, ...]) -> dict[str, str]:
        group_of: dict[str, str] = {}
        for group in groups:
            for server in group.servers:
                if server in group_of:
                    detail = (
                        f"'{server}' is in '{group_of[server]}' already; a server has one group."
                    )
                    self._findings.add("repeated", detail=detail, place=group.place)
                group_of.setdefault(server, group.name)
        return group_of

    def _groups(self, members: Members) -> tuple[ServerGroup, ...]:
        raw = {
            name: RawGroup(
                name=name,
                selectors=part.texts("servers"),
                selector_places=part.places("servers"),
                place=place,
            )
            for name, place, part in self._members("groups")
        }
        resolved = resolve_groups(raw, members, self._findings)
        return tuple(
            ServerGroup(name=name, servers=resolved[name], place=group.place)
            for name, group in raw.items()
        )

    def _check_names(
        self,
        sites: tuple[Site, ...],
        servers: tuple[ServerEntry, ...],
        groups: tuple[AvailabilityGroup, ...],
    ) -> None:
        site_names = tuple(site.name for site in sites)
        names = tuple(server.name for server in servers)
        known = {server.name.casefold() for server in servers}
        for root in self._roots:
            for name, place, _ in root.members("machines"):
                if name.casefold() in known:
                    detail = f"'{name}' is one of the `servers` already; a host has one entry."
                    self._findings.add("repeated", detail=detail, place=place)
            for _, _, part in root.members("servers"):
                site = part.optional_text("site")
                if site is not None and site not in site_names:
                    self._unknown("site", site, site_names, part.place_of("site"))
            for _, _, part in root.members("availability_groups"):
                for name, place in zip(part.texts("servers"), part.places("servers"), strict=True):
                    if name not in names:
                        self._unknown("server", name, names, place)

    def _check_zone(self, zone: str, place: Place) -> None:
        from zoneinfo import ZoneInfo, available_timezones

        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
            self._unknown("zone", zone, tuple(available_timezones()), place)

    def _unknown(self, word: str, name: str, names: tuple[str, ...], place: Place) -> None:
        detail = f"No {word} is called '{name}'. {suggestion(name, names)}"
        self._findings.add("unknown-name", detail=detail, place=place)


def _has_own_settings(part: Section) -> bool:
    own = ("exchange", "windows", "username", "password", "ca_file", "timeouts")
    return any(part.has(name) for name in own)
