"""Who a connection belongs to: Basic, NTLM, Negotiate and Kerberos as a real listener does."""

from __future__ import annotations

import base64
import binascii
import os
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, frozen

from goexchange.lab.site import SiteThread
from goexchange.world.values import SiteUser

if TYPE_CHECKING:
    from spnego import ContextProxy

_NTLM_SIGNATURE = b"NTLMSSP\0"


class Scheme(Enum):
    """What a listener offers; the value is the word in WWW-Authenticate."""

    NEGOTIATE = "Negotiate"
    KERBEROS = "Kerberos"
    BASIC = "Basic"


@frozen(kw_only=True)
class AuthenticationPolicy:
    """What one listener of one host accepts.

    `keytab` holds the keys of the host's service principals, None without a KDC;
    `channel_binding` is the application data for clients that bind to the TLS channel.
    """

    schemes: tuple[Scheme, ...]
    accepts_ntlm: bool
    keytab: Path | None
    channel_binding: bytes | None

    def challenge(self) -> str:
        """The WWW-Authenticate header of a refusal."""
        return ", ".join(
            'Basic realm="WSMAN"' if scheme is Scheme.BASIC else scheme.value
            for scheme in self.schemes
        )


class Accounts:
    """The site's accounts, found by any form of name that clients send."""

    def __init__(self, site: SiteThread, users: tuple[SiteUser, ...]) -> None:
        self._site = site
        self._by_form = {form: user for user in users for form in _forms(user)}
        self.users = users

    def find(self, name: str) -> SiteUser | None:
        """The account of `name`, `DOMAIN\\name`, `name@domain` or `name@REALM`."""
        found = self._by_form.get(name.lower())
        if found is None and "@" in name:
            account, _, suffix = name.partition("@")
            found = self._by_form.get(f"{suffix.partition('.')[0]}\\{account}".lower())
        return found

    async def accepts(self, name: str, password: str) -> SiteUser | None:
        """The account, when it exists and this is its password."""
        user = self.find(name)
        if user is None:
            return None
        return user if await self._site.call(
            self._site.site.check_password, user.name, password) else None


def write_ntlm_users(path: Path, users: tuple[SiteUser, ...]) -> None:
    """Write the credential store of the NTLM acceptor, which reads it through NTLM_USER_FILE."""
    lines = [f"{domain}:{user.name}:{user.password}"
             for user in users for domain in (user.domain, "")]
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@define(kw_only=True)
class Authenticator:
    """The authentication of one connection; NTLM and Kerberos authenticate the connection itself.

    Shape: `context` holds the sealing keys once a Negotiate or Kerberos exchange is complete;
    `reply` is the token that belongs into the answer to the request just checked.
    """

    policy: AuthenticationPolicy
    accounts: Accounts
    user: SiteUser | None = None
    context: ContextProxy | None = None
    reply: str | None = None
    _basic_accepted: str | None = None

    async def check(self, authorization: str) -> bool:
        """Look at the Authorization header of a request; True when the caller is known."""
        self.reply = None
        if not authorization:
            return self.user is not None and self.context is not None
        scheme, _, token = authorization.partition(" ")
        offered = {each.value.lower() for each in self.policy.schemes}
        if scheme.lower() == "ntlm" and self.policy.accepts_ntlm:
            offered.add("ntlm")
        if scheme.lower() not in offered:
            return False
        if scheme.lower() == "basic":
            return await self._check_basic(token)
        return self._step(scheme, token)

    async def _check_basic(self, token: str) -> bool:
        if token != self._basic_accepted:
            self.user = None
            try:
                name, separator, password = base64.b64decode(token, validate=True).decode(
                    "utf-8").partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return False
            if separator:
                self.user = await self.accounts.accepts(name, password)
            self._basic_accepted = token if self.user else None
        return self.user is not None

    def _step(self, scheme: str, token: str) -> bool:
        try:
            offered = base64.b64decode(token, validate=True)
        except binascii.Error:
            return False
        if _NTLM_SIGNATURE in offered and not self.policy.accepts_ntlm:
            return False
        if self.context is None or self.context.complete:
            self.user = None
            answer = self._first_step(scheme, offered)
        else:
            answer = _stepped(self.context, offered)
        if answer is None:
            self.context = None
            return False
        self.reply = f"{scheme} {base64.b64encode(answer).decode()}" if answer else None
        if self.context is not None and self.context.complete:
            self.user = self.accounts.find(str(self.context.client_principal))
        return self.user is not None

    def _first_step(self, scheme: str, offered: bytes) -> bytes | None:
        """Open a context for what the client offers."""
        import spnego
        from spnego.channel_bindings import GssChannelBindings

        if self.policy.keytab is not None:
            # GSSAPI reads it when the context is made; there is no other way to name a keytab
            os.environ["KRB5_KTNAME"] = f"FILE:{self.policy.keytab}"
        binding = self.policy.channel_binding
        is_ntlm = offered.startswith(_NTLM_SIGNATURE)
        self.context = spnego.server(
            protocol="ntlm" if is_ntlm else scheme.lower(),
            channel_bindings=GssChannelBindings(application_data=binding) if binding else None,
            options=spnego.NegotiateOptions.use_ntlm if is_ntlm else spnego.NegotiateOptions.none,
        )
        return _stepped(self.context, offered)


def _stepped(context: ContextProxy, token: bytes) -> bytes | None:
    """One step of an exchange: the token for the client (perhaps empty), None when refused."""
    try:
        return context.step(token) or b""
    except Exception:  # noqa: BLE001 a token that the libraries stumble over is a refused one
        return None


def _forms(user: SiteUser) -> tuple[str, ...]:
    name, domain = user.name.lower(), user.domain.lower()
    return name, f"{domain}\\{name}", f"{name}@{domain}"
