"""The performer of a simulated night: what `app` does over transport and store, done on a world."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import define, field

from goexchange.backup.manifest import parse_manifest
from goexchange.driver import effects, events
from goexchange.facts import groups
from goexchange.facts.machines import decode_machine, machine_arguments
from goexchange.facts.mta import (
    OldAnswers,
    decode_old_server,
    is_asked_without_cmdlets,
    mta_arguments,
    old_host_arguments,
)
from goexchange.facts.observation import (
    Asked,
    decode_server,
    events_asked,
    exchange_statements,
    host_arguments,
)
from goexchange.journal.chain import seal
from goexchange.model.actual import ActualServer, Generation
from goexchange.model.plan import ExchangeCall
from goexchange.model.run import Record
from goexchange.model.unknown import Unknown
from goexchange.powershell.bootstrap import registered_digests
from goexchange.powershell.seam import asking, is_carried
from goexchange.powershell.space_events import SPACE_OF_HOURS
from goexchange.world.clock import ManualClock
from goexchange.world.refusals import HostDown, ScriptFailed
from goexchange.world.truth import true_file
from goexchange.world.world import World

USER = "gxadmin"
CALL_TAKES_S = 0.5
EVENTS_BEFORE = timedelta(days=1)


@define(kw_only=True)
class Performer:
    """World, clock, journal and lease book of one night; all of it outlives a controller.

    Shape: `is_losing` may say that the answer of a call gets lost (`after`) or the call itself
    (`before`); `skew` is how far the controller's clock is off; `passwords` are those that the
    controller has of accounts, where they are not the ones that the site knows.
    """

    world: World
    clock: ManualClock
    root: str
    user: str = USER
    records: list[Record] = field(factory=list)
    lease_number: int = 0
    is_losing: Callable[[effects.Send], str | None] = lambda send: None
    skew: timedelta = timedelta(0)
    passwords: Mapping[str, str] = field(factory=dict)

    def now(self) -> datetime:
        """The time of the night."""
        return self.clock.now()

    def perform(self, effect: effects.Effect) -> events.Event:
        """Do what the effect says and return what came of it."""
        if isinstance(effect, effects.Append):
            return self._append(effect)
        if isinstance(effect, effects.WaitUntil):
            self.clock.move_to(effect.moment)
            self.world.advance()
            return events.Woke()
        if isinstance(effect, (effects.AcquireLeases, effects.RenewLeases)):
            return self._lease(effect)
        if isinstance(effect, effects.ReleaseLeases):
            return events.Released()
        self.clock.move(seconds=CALL_TAKES_S)
        if isinstance(effect, effects.Observe):
            return self._observe(effect)
        if isinstance(effect, effects.VerifySet):
            return self._verify(effect)
        if isinstance(effect, effects.Send):
            return self._send(effect)
        raise ValueError(f"nothing to perform: {effect}")

    def observe(self, server: str, databases: tuple[str, ...]) -> ActualServer:
        """Observe a server over both channels.

        Raises: HostDown while it reboots.
        """
        description = self.world.hosts[server].description
        generation, since = description.generation, self.now() - EVENTS_BEFORE
        if not description.has_exchange:
            asked_host = machine_arguments(self.root, since)
            seen = _as_sent(self.world.script(server, self.user, "observe-host", asked_host))
            return decode_machine(seen, name=server, observed_at=self.now())
        if is_asked_without_cmdlets(generation):
            return self._old_server(server, since)
        exchange: Mapping[str, Any] | Unknown = self._pipeline(
            server, exchange_statements(server, databases, generation=generation)
        )
        more = groups.group_statements(exchange, server, databases)
        if more:
            exchange = groups.together(exchange, self._pipeline(server, more))
        arguments = host_arguments(
            exchange, root=self.root, events_since=since
        )
        host = _as_sent(self.world.script(server, self.user, "observe-host", arguments))
        by_events: dict[str, Any] | None = None
        more_asked = events_asked(exchange)
        if more_asked is not None:
            by_events = _as_sent(self.world.script(server, self.user, *more_asked))
        asked = Asked(server=server, known=databases)
        return decode_server(
            exchange, host, asked=asked, observed_at=self.now(), events=by_events
        )

    def _old_server(self, server: str, since: datetime) -> ActualServer:
        stores = self._pipeline(
            server, exchange_statements(server, generation=Generation.EXCHANGE_2003)
        )
        wanted = old_host_arguments(stores, root=self.root, events_since=since)
        asked: tuple[tuple[str, Mapping[str, Any]], ...] = (
            ("observe-host", wanted),
            ("observe-mta", mta_arguments(since)),
            ("read-space", {"hours": SPACE_OF_HOURS}),
        )
        host, mta, said = (
            _as_sent(self.world.script(server, self.user, *each)) for each in asked
        )
        answers = OldAnswers(stores=stores, host=host, mta=mta, events=said)
        return decode_old_server(answers, name=server, observed_at=self.now())

    def _append(self, effect: effects.Append) -> events.Event:
        last = self.records[-1] if self.records else None
        sealed = seal(effect.drafts, after=last, at=self.now())
        self.records += sealed
        return events.Appended(records=sealed)

    def _lease(self, effect: effects.AcquireLeases | effects.RenewLeases) -> events.Event:
        if isinstance(effect, effects.AcquireLeases):
            self.lease_number = max([self.lease_number + 1, *effect.at_least.values()])
        return events.LeasesHeld(
            numbers=dict.fromkeys(effect.servers, self.lease_number),
            expires_at=self.now() + timedelta(seconds=effect.lease_s),
        )

    def _observe(self, effect: effects.Observe) -> events.Event:
        try:
            return events.Observed(server=self.observe(effect.server, effect.databases))
        except HostDown as down:
            return events.Lost(message=str(down) or "the host is down")

    def _verify(self, effect: effects.VerifySet) -> events.Event:
        server = effect.step.split("/")[0]
        folder = str(effect.arguments["folder"])
        host = self.world.hosts[server]
        found = [
            true_file(host, path)
            for path in host.files.below(folder)
            if path.lower().endswith(".edb")
        ]
        is_good = bool(found) and all(one is not None and one.is_good for one in found)
        names = host.files.names_in(folder)
        manifests = [path for path in names if path.endswith("backup-set.json")]
        if len(manifests) != 1:
            return events.Refused(code="no-set", message=f"{folder} is not a set")
        sealed = parse_manifest(host.files.read(manifests[0]))
        return events.Verified(result={"ok": is_good, "set_sha256": sealed.sha256})

    def _send(self, send: effects.Send) -> events.Event:
        fate = self.is_losing(send)
        if fate == "before":
            return events.Lost(message="the connection broke before the request arrived")
        try:
            result = self._call(send)
        except ScriptFailed as failed:
            return events.Refused(code=failed.code, message=failed.message)
        except HostDown as down:
            return events.Lost(message=str(down) or "the host is down")
        if fate == "after":
            return events.Lost(message="the connection broke before the answer arrived")
        return events.Answered(result=result)

    def _call(self, send: effects.Send) -> Mapping[str, Any]:
        if isinstance(send.call, ExchangeCall):
            return self._exchange(send.server, send.call)
        if send.call.digest not in registered_digests():
            raise ScriptFailed("internal", f"{send.call.script} is not a registered text")
        arguments = json.loads(json.dumps(dict(send.call.arguments)))
        return _as_sent(
            self.world.script(
                send.server,
                self.user,
                send.call.script,
                arguments,
                secret=self._secret(arguments.get("account")),
            )
        )

    def _secret(self, account: Mapping[str, Any] | None) -> str | None:
        """The password that somebody keeps for us, of an account that has one."""
        if account is None:
            return None
        kept = {each.user: each.password for each in self.world.site.accounts}
        return self.passwords.get(account["user"], kept.get(account["user"]))

    def _pipeline(self, server: str, statements: tuple[ExchangeCall, ...]) -> dict[str, Any]:
        """All that the statements of one pipeline give, together."""
        generation = self.world.hosts[server].description.generation
        if is_carried(generation):
            asked = asking(generation, statements)
            return _as_sent(
                self.world.script(server, self.user, asked.script, dict(asked.arguments))
            )
        answers = [self._exchange(server, statement) for statement in statements]
        return {
            name: [one for answer in answers for one in answer[name]]
            for name in ("objects", "errors", "warnings")
        }

    def _exchange(self, server: str, call: ExchangeCall) -> dict[str, Any]:
        return self.world.to_plain(
            self.world.cmdlet(server, self.user, call.cmdlet, dict(call.parameters))
        )


def _as_sent(result: Mapping[str, Any]) -> dict[str, Any]:
    """The result as it comes off the wire."""
    plain: dict[str, Any] = json.loads(json.dumps(result))
    return plain
