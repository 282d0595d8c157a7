"""One listener of one host: authentication, sealing and the way to its endpoint."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus

from attrs import frozen

from goexchange.lab import faults, sealing
from goexchange.lab.authentication import Accounts, AuthenticationPolicy, Authenticator
from goexchange.lab.http_server import HttpAnswer, HttpRequest, reset, serve_connection
from goexchange.lab.soap import fault_envelope
from goexchange.lab.traffic import Traffic
from goexchange.lab.wsman import Endpoint
from goexchange.world.values import SiteUser

_PLAIN_TYPE = "application/soap+xml;charset=UTF-8"
_PROTOCOL = re.compile(r'protocol="([^"]+)"')


@frozen(kw_only=True)
class Listener:
    """Serves the connections to one port of one host."""

    endpoint: Endpoint
    policy: AuthenticationPolicy
    accounts: Accounts
    traffic: Traffic
    is_tls: bool
    envelope_bytes_max: int

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""
        host = self.endpoint.host.name
        self.traffic.count(host, "connections")
        if self.traffic.takes(host, None) is not None:
            reset(writer)
            return
        authenticator = Authenticator(policy=self.policy, accounts=self.accounts)

        async def respond(request: HttpRequest) -> HttpAnswer:
            return await self._respond(request, authenticator)

        await serve_connection(reader, writer, respond)

    async def _respond(self, request: HttpRequest, caller: Authenticator) -> HttpAnswer:
        host = self.endpoint.host.name
        self.traffic.count(host, "http")
        if self.traffic.delay_s:
            await asyncio.sleep(self.traffic.delay_s)
        path = request.path.partition("?")[0].rstrip("/")
        if path.lower() != self.endpoint.path.lower():
            return HttpAnswer(status=HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            return HttpAnswer(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})
        is_known = await caller.check(request.headers.get("authorization", ""))
        if not is_known or caller.user is None:
            if caller.reply is None and "authorization" in request.headers:
                self.traffic.count(host, "refused_logons")
            return HttpAnswer(
                status=HTTPStatus.UNAUTHORIZED,
                headers={"WWW-Authenticate": caller.reply or self.policy.challenge()})
        headers = {} if caller.reply is None else {"WWW-Authenticate": caller.reply}
        if not request.body:
            return HttpAnswer(status=HTTPStatus.OK, headers=headers)
        answer = await self._envelope_answer(request, caller, caller.user)
        return HttpAnswer(status=answer.status, headers={**headers, **answer.headers},
                          body=answer.body)

    async def _envelope_answer(
        self, request: HttpRequest, caller: Authenticator, user: SiteUser
    ) -> HttpAnswer:
        content_type = request.headers.get("content-type", "")
        context = caller.context
        if not sealing.is_sealed(content_type):
            if not self.is_tls and context is not None:
                # AllowUnencrypted=false: the real service gives no reason either
                return HttpAnswer(status=HTTPStatus.INTERNAL_SERVER_ERROR)
            is_success, answer = await self._answered(request.body, user)
            return HttpAnswer(status=_status(is_success), body=answer,
                              headers={"Content-Type": _PLAIN_TYPE})
        protocol = _PROTOCOL.search(content_type)
        if context is None or protocol is None:
            return HttpAnswer(status=HTTPStatus.BAD_REQUEST)
        try:
            envelope = sealing.unseal(context, request.body)
        except sealing.UnsealingFailed:
            return HttpAnswer(status=HTTPStatus.BAD_REQUEST)
        is_success, answer = await self._answered(envelope, user)
        sealed_type, sealed = sealing.seal(context, answer, protocol=protocol[1])
        return HttpAnswer(status=_status(is_success), body=sealed,
                          headers={"Content-Type": sealed_type})

    async def _answered(self, envelope: bytes, user: SiteUser) -> tuple[bool, bytes]:
        if len(envelope) > self.envelope_bytes_max:
            fault = faults.envelope_too_large(self.envelope_bytes_max)
            return False, fault_envelope("", fault, machine=self.endpoint.host.name)
        return await self.endpoint.answer(envelope, user)


def _status(is_success: bool) -> HTTPStatus:
    return HTTPStatus.OK if is_success else HTTPStatus.INTERNAL_SERVER_ERROR
