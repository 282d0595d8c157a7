"""A real mail server and a real web server on loopback that keep what they are given."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Server
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from attrs import define, field

USER, PASSWORD = "svc-mail", "Canary-mail-77c1"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1, and a server's context with it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "mail-ca.pem"
    file.write_bytes(pem)
    (folder / "mail-key.pem").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, folder / "mail-key.pem")
    return file, context


@define
class Mailbox:
    """What the mail server took; `refuse` are recipients it takes no mail for."""

    mails: list[EmailMessage] = field(factory=list)
    users: list[str] = field(factory=list)
    refuse: tuple[str, ...] = ()

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: Server, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        """Take or refuse one recipient."""
        if address in self.refuse:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: Server, session: Session, envelope: Envelope
    ) -> str:
        """Take the message."""
        assert session.ssl is not None, "a message came in the clear"
        content = envelope.content
        assert isinstance(content, bytes)
        parsed = message_from_bytes(content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        return "250 taken"

    @property
    def subjects(self) -> list[str]:
        """The subjects in the order of arrival."""
        return [str(one["Subject"]) for one in self.mails]


@contextmanager
def mail_server(port: int, context: ssl.SSLContext, mailbox: Mailbox) -> Iterator[Mailbox]:
    """A mail server that wants STARTTLS and a login."""

    def authenticate(_server: Any, _session: Any, _envelope: Any, _how: Any, data: Any) -> Any:
        assert isinstance(data, LoginPassword)
        mailbox.users.append(data.login.decode())
        return AuthResult(success=data.password.decode() == PASSWORD)

    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticate,
    )
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


@define
class Hook:
    """What the web server was posted; `answers` are given one by one, then 200."""

    answers: list[int] = field(factory=list)
    posts: list[tuple[dict[str, str], Any]] = field(factory=list)
    paths: list[str] = field(factory=list)

    @property
    def events(self) -> list[str]:
        """The events that were taken, in the order of arrival."""
        return [document["event"] for _, document in self.posts]


@contextmanager
def web_server(hook: Hook, port: int = 0, *, answers: Sequence[int] = ()) -> Iterator[int]:
    """A web server; its port."""
    hook.answers = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802
            content = self.rfile.read(int(self.headers["Content-Length"]))
            code = hook.answers.pop(0) if hook.answers else 200
            hook.paths.append(self.path)
            if code == 200:
                hook.posts.append((dict(self.headers), json.loads(content)))
            self.send_response(code)
            if code in (301, 302):
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
