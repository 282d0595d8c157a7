"""Flags, environment and a configuration document to a Configuration with origins."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from attrs import frozen

from goexchange.documents import Document
from goexchange.errors import Diagnostic, Place
from goexchange.model.configuration import (
    Configuration,
    MailSecurity,
    MailServer,
    NotifyChannel,
    Origin,
    SecretKind,
    SecretReference,
    Setting,
    UrgentNotices,
)
from goexchange.reading import (
    Findings,
    Section,
    duration_s,
    has_errors,
    root_section,
)
from goexchange.schema import Schema, check_document, load_schema, resolve, suggestion

SETTING_NAMES = (
    "store",
    "leases",
    "output",
    "inventory",
    "specifications",
    "templates",
    "report_formats",
    "heartbeat_every",
    "lease_expires_after",
)
_HEARTBEATS_PER_LEASE = 3


def environment_variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"GOEXCHANGE_{name.upper()}"


def load_configuration(
    document: Document | None,
    *,
    flags: Mapping[str, str],
    environment: Mapping[str, str],
    known: Collection[Place] = (),
) -> tuple[Configuration | None, tuple[Diagnostic, ...]]:
    """Return the settings in force, with everything that is wrong in them.

    Shape: `document` is None when there is no configuration file; `flags` are settings by name,
    and `profile`; lists are words with commas in flags and in the environment. Paths are as
    written: relative to the file, and to the working folder for flags and the environment.
    Unknown: None when an error prevents it.
    """
    if document is None:
        document = Document(file="built-in", root=_EMPTY, lines=())
    else:
        found = check_document(document, kind="Configuration", known=known)
        if has_errors(found):
            return None, found
    findings = Findings([document])
    configuration = _Loader(document, flags, environment, findings).load()
    found = findings.all()
    return (None if has_errors(found) else configuration), found


def _empty_root() -> Any:
    from goexchange.documents import Entry, Scalar
    from goexchange.documents import Mapping as Tree

    place = Place(file="built-in", line=1, column=1)
    key = Scalar(value="kind", text="kind", place=place)
    value = Scalar(value="Configuration", text="Configuration", place=place)
    return Tree(entries=(Entry(key=key, value=value),), place=place)


_EMPTY = _empty_root()


@frozen(kw_only=True)
class _Found:
    """A value before it is read, with where it is from."""

    value: Any
    origin: Origin
    source: str
    place: Place


class _Loader:
    def __init__(
        self,
        document: Document,
        flags: Mapping[str, str],
        environment: Mapping[str, str],
        findings: Findings,
    ) -> None:
        self._root = root_section(document)
        self._flags = flags
        self._environment = environment
        self._findings = findings
        self._schema = load_schema("configuration")
        self._profile: Section | None = None

    def load(self) -> Configuration:
        name = self._profile_name()
        values = {setting: self._find(setting) for setting in SETTING_NAMES}
        for setting, found in values.items():
            self._check(setting, found)
        plain = {setting: found.value for setting, found in values.items()}
        heartbeat = _seconds(plain["heartbeat_every"])
        expires = _seconds(plain["lease_expires_after"])
        if heartbeat and expires and expires < _HEARTBEATS_PER_LEASE * heartbeat:
            self._findings.add(
                "lease",
                detail=f"'lease_expires_after' ({expires} s) has to be at least "
                f"{_HEARTBEATS_PER_LEASE} times 'heartbeat_every' ({heartbeat} s): one late "
                "heartbeat must not lose a run its servers.",
                place=values["lease_expires_after"].place,
            )
        return Configuration(
            profile=name,
            store=plain["store"],
            leases=plain["leases"],
            output_folder=plain["output"],
            inventory=plain["inventory"],
            specifications=plain["specifications"],
            template_folder=plain["templates"],
            report_formats=tuple(plain["report_formats"]),
            heartbeat_every_s=heartbeat,
            lease_expires_after_s=expires,
            notify_channels=self._channels(),
            notify_urgent=self._urgent(),
            settings=tuple(_setting(setting, values[setting]) for setting in sorted(values)),
        )

    def _profile_name(self) -> str | None:
        found = self._given("profile")
        name = found.value if found is not None else self._root.optional_text("profile")
        if name is None:
            return None
        profiles = {key: part for key, _, part in self._root.members("profiles")}
        self._profile = profiles.get(name)
        if self._profile is None:
            place = found.place if found is not None else self._root.place_of("profile")
            detail = f"No profile is called '{name}'. {suggestion(name, tuple(profiles))}"
            self._findings.add("unknown-name", detail=detail, place=place)
        return str(name)

    def _given(self, name: str) -> _Found | None:
        """Return what a flag or the environment says."""
        variable = environment_variable(name)
        flag = "--" + name.replace("_", "-")
        for origin, source, values, key in (
            (Origin.FLAG, flag, self._flags, name),
            (Origin.ENVIRONMENT, variable, self._environment, variable),
        ):
            if key in values:
                value = values[key].split(",") if name == "report_formats" else values[key]
                place = Place(file=source, line=1, column=1)
                return _Found(value=value, origin=origin, source=source, place=place)
        return None

    def _find(self, name: str) -> _Found:
        found = self._given(name)
        if found is not None:
            return found
        for origin, part in ((Origin.PROFILE, self._profile), (Origin.FILE, self._root)):
            if part is not None and part.has(name):
                place = part.place_of(name)
                return _Found(
                    value=_plain(part, name), origin=origin, source=str(place), place=place
                )
        default = self._schema["properties"][name]["default"]
        return _Found(
            value=default, origin=Origin.BUILT_IN, source="built-in", place=self._root.place
        )

    def _check(self, name: str, found: _Found) -> None:
        """Check what the schema of the document has not seen: flags and the environment."""
        if found.origin not in (Origin.FLAG, Origin.ENVIRONMENT):
            return
        part: Schema = self._schema["properties"][name]
        words = found.value if isinstance(found.value, list) else [found.value]
        for word in words:
            problem = self._problem(word, part)
            if problem is not None:
                self._findings.add(
                    "wrong-form",
                    detail=f"'{word}' from {found.source} cannot be used. {problem}",
                    place=found.place,
                )

    def _problem(self, word: str, part: Schema) -> str | None:
        if "items" in part:
            choices = part["items"]["enum"]
            return None if word in choices else suggestion(word, choices)
        form = resolve(part["allOf"][0], self._schema) if "allOf" in part else part
        if re.search(form["pattern"], word) is None:
            return str(form["description"])
        return None

    def _channels(self) -> tuple[NotifyChannel, ...]:
        channels = []
        for name, place, part in self._root.section("notify").members("channels"):
            if part.has("url") == part.has("smtp"):
                detail = (
                    f"The channel '{name}' needs either an address (url) or a mail server (smtp)."
                )
                self._findings.add("notification", detail=detail, place=place)
                continue
            mail = self._mail_server(part.section("smtp")) if part.has("smtp") else None
            url = self._secret(part, "url")
            channels.append(NotifyChannel(name=name, url=url, mail=mail, place=place))
        return tuple(channels)

    def _mail_server(self, part: Section) -> MailServer:
        security = part.choice("security", MailSecurity)
        password = self._secret(part, "password")
        if password is not None and security is MailSecurity.NONE:
            detail = "A password is not sent over a connection that anybody can read: use starttls."
            self._findings.add("not-encrypted", detail=detail, place=part.place_of("security"))
        if (password is None) != (not part.has("username")):
            detail = "username and password go together; without both the server is not asked."
            self._findings.add("credentials", detail=detail, place=part.place)
        return MailServer(
            host=part.text("host"),
            port=part.integer("port"),
            security=security,
            sender=part.text("from"),
            username=part.optional_text("username"),
            password=password,
            ca_file=part.optional_text("ca_file"),
        )

    def _secret(self, part: Section, name: str) -> SecretReference | None:
        """A reference that can be read while nobody is there to be asked."""
        try:
            found = part.secret(name)
        except ValueError as error:
            detail = f"The reference cannot be used: {error}."
            self._findings.add("secret-reference", detail=detail, place=part.place_of(name))
            return None
        if found is not None and found.kind is SecretKind.PROMPT:
            detail = "Messages are sent while nobody is there to answer: use another reference."
            self._findings.add("secret-reference", detail=detail, place=part.place_of(name))
        return found

    def _urgent(self) -> UrgentNotices:
        part = self._root.section("notify").section("urgent")
        return UrgentNotices(to=part.texts("to"), channels=part.texts("channels"))


def _plain(part: Section, name: str) -> Any:
    return list(part.texts(name)) if name == "report_formats" else part.text(name)


def _seconds(text: str) -> int:
    """Return the seconds of a checked duration; 0 for one that was reported as unreadable."""
    try:
        return duration_s(text)
    except ValueError:
        return 0


def _setting(name: str, found: _Found) -> Setting:
    value = ",".join(found.value) if isinstance(found.value, list) else found.value
    text = "" if value is None else str(value)
    return Setting(name=name, value=text, origin=found.origin, source=found.source)
