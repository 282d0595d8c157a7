"""Fencing numbers and the hosts: a store that is younger than a host's number raises its own.

Only a number rises. A run of another store that has not ended on the host is somebody alive until
it is proved dead: it is not fenced off.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from goexchange.driver.calls import claim_call, root_of, scope_servers
from goexchange.driver.conversation import Conversation, LeaseDenied, LeaseGone, Talk
from goexchange.driver.events import Lost, Observed, Refused
from goexchange.driver.keeping import OTHER_JOURNAL, keep
from goexchange.model.actual import ActualHost, ActualServer
from goexchange.model.unknown import Unknown

CLAIM_LIMIT_S = 60
RAISES_MAX = 3
FENCED = "fenced"
SILENT_FOR = timedelta(minutes=10)


def raise_numbers(talk: Conversation) -> Talk[None]:
    """Take the leases again with higher numbers where a host has seen as high a one already.

    Raises: LeaseDenied when a run of another store is open there, or the store cannot raise.
    """
    wanted = _wanted(talk, talk.numbers)
    if not wanted:
        return
    yield from talk.acquire(at_least=wanted)
    low = [server for server, number in sorted(wanted.items()) if talk.numbers[server] < number]
    if low:
        raise LeaseDenied(
            f"{low[0]} has seen the fencing number {wanted[low[0]] - 1}, and the store gave out"
            f" {talk.numbers[low[0]]}"
        )


def claim_hosts(talk: Conversation) -> Talk[None]:
    """Raise the fencing number on every host of the run; who is silent now is claimed later.

    Raises: LeaseGone when a host goes on refusing; LeaseDenied as `raise_numbers`.
    """
    for server in scope_servers(talk.plan):
        if root_of(talk.plan, server) is not None:  # else no step touches the host itself
            yield from _claim(talk, server)
    talk.is_claimed = True


def claim_late(talk: Conversation, server: str) -> Talk[None]:
    """Claim a host that was silent before anything else is sent to it (I4).

    Raises: as `claim_hosts`. A host that stays silent is waited for; what is sent to it then is
    lost as well, and decided as such.
    """
    give_up = talk.now + SILENT_FOR
    while server in talk.unclaimed and talk.now < give_up:
        yield from _claim(talk, server)
        if server in talk.unclaimed:
            yield from talk.wait(talk.now + talk.poll_interval)


def _compare(talk: Conversation, server: str) -> Talk[None]:
    """Before a resumed run sends anything: the host knows the journal of this store, no other."""
    why = yield from keep(talk, server, is_patient=False)
    if why == OTHER_JOURNAL:
        raise LeaseDenied(f"{server}: {why}; goexchange resume --from-host {server}")


def _claim(talk: Conversation, server: str) -> Talk[None]:
    """Claim one host. A refusal means that somebody came in between, or that it was not seen
    before: look again and raise.
    """
    why = "not asked"
    root = root_of(talk.plan, server) or ""
    for _ in range(RAISES_MAX):
        call = claim_call(root, talk.numbers[server], talk.identity.holder, talk.now)
        reply = yield from talk.send_patiently(server, call, CLAIM_LIMIT_S, "claim")
        if isinstance(reply, Lost):
            talk.unclaimed.add(server)
            return
        if not isinstance(reply, Refused):
            talk.unclaimed.discard(server)
            if talk.state.resumes:
                yield from _compare(talk, server)
            return
        why = reply.message
        if reply.code != FENCED:
            break
        seen = yield from talk.observe(server, ())
        if not isinstance(seen, Observed) or not _wanted(talk, {server: talk.numbers[server]}):
            break
        yield from raise_numbers(talk)
        yield from talk.append(*talk.lease_drafts("acquired"))
    raise LeaseGone(f"{server} refused our fencing number: {why}")


def _wanted(talk: Conversation, numbers: Mapping[str, int]) -> dict[str, int]:
    """By server the number that it takes, where ours is not high enough."""
    wanted: dict[str, int] = {}
    for server, number in numbers.items():
        host = _host_of(talk.actual.get(server))
        if host is None or isinstance(host.fencing_number, Unknown):
            continue  # the claim will tell
        if host.fencing_number < number:
            continue
        _require_nobody(talk, server, host)
        wanted[server] = host.fencing_number + 1
    return wanted


def _require_nobody(talk: Conversation, server: str, host: ActualHost) -> None:
    """Raise LeaseDenied when a run of another store may be at work on the host."""
    if isinstance(host.open_recoveries, Unknown):
        raise LeaseDenied(
            f"{server} was claimed from another store, and whether its run has ended is not known:"
            f" {host.open_recoveries.reason}"
        )
    ended = {talk.identity.run, *talk.identity.proved_dead}
    others = sorted({one.run for one in host.open_recoveries} - ended)
    if others:
        raise LeaseDenied(
            f"{server} is held by run {others[0]} of another store (fencing number"
            f" {host.fencing_number}), which has not ended there"
        )


def _host_of(server: ActualServer | None) -> ActualHost | None:
    return server.host if server is not None and isinstance(server.host, ActualHost) else None
