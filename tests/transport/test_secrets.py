"""Secrets by reference: each kind is resolved, none is ever shown."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from goexchange.errors import AuthenticationRefused, Place
from goexchange.model.configuration import SecretKind, SecretReference
from goexchange.transport import secrets

CANARY = "canary-51c0-never-shown"


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    secrets.forget()
    yield
    secrets.forget()


def reference(kind: SecretKind, locator: str = "", *command: str) -> SecretReference:
    place = Place(file="inventory.yaml", line=7, column=15)
    return SecretReference(kind=kind, locator=locator, command=command, place=place)


def refused(asked: SecretReference) -> str:
    """The whole of a refusal, what it is chained to included."""
    with pytest.raises(AuthenticationRefused) as error:
        secrets.resolve(asked)
    cause = error.value.__cause__
    whole = f"{error.value} {error.value!r} {cause!r} {vars(error.value)}"
    assert CANARY not in whole
    assert "inventory.yaml:7:15" in whole
    return str(error.value)


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = reference(SecretKind.ENVIRONMENT, "GX_SECRET")
    assert "GX_SECRET is not set" in refused(asked)
    monkeypatch.setenv("GX_SECRET", CANARY)
    assert secrets.resolve(asked) == CANARY
    assert CANARY not in f"{asked} {asked!r}"


def test_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    asked = reference(SecretKind.FILE, str(path))
    assert "No such file" in refused(asked)
    path.write_text(f"{CANARY}\n")
    path.chmod(0o640)
    assert f"chmod 600 {path}" in refused(asked)
    path.chmod(0o600)
    assert secrets.resolve(asked) == CANARY
    path.write_bytes(CANARY.encode() + b"\xff")
    assert "not UTF-8" in refused(asked)
    path.write_bytes(b"\n")
    assert "it is empty" in refused(asked)


def test_command_is_asked_once(tmp_path: Path) -> None:
    count = tmp_path / "count"
    program = f"open({str(count)!r}, 'a').write('x'); print({CANARY!r})"
    asked = reference(SecretKind.COMMAND, "", sys.executable, "-c", program)
    assert [secrets.resolve(asked) for _ in range(3)] == [CANARY] * 3
    assert count.read_text() == "x"


def test_command_that_fails() -> None:
    program = f"import sys; print({CANARY!r}, file=sys.stderr); print({CANARY!r}); sys.exit(3)"
    asked = reference(SecretKind.COMMAND, "", sys.executable, "-c", program)
    assert "ended with 3" in refused(asked)
    assert "did not run" in refused(reference(SecretKind.COMMAND, "", "/no/such/program"))


def test_command_that_prints_no_text() -> None:
    program = f"import sys; sys.stdout.buffer.write({CANARY.encode()!r} + bytes([255]))"
    asked = reference(SecretKind.COMMAND, "", sys.executable, "-c", program)
    assert "did not run: UnicodeDecodeError" in refused(asked)


def test_prompt_needs_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = reference(SecretKind.PROMPT)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert "no terminal" in refused(asked)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    answers = [CANARY]
    monkeypatch.setattr("getpass.getpass", lambda _: answers.pop())
    assert [secrets.resolve(asked), secrets.resolve(asked)] == [CANARY, CANARY]


def test_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = reference(SecretKind.KEYRING, "exchange/LAB\\admin")
    for name in ("keyring", "keyring.errors"):
        monkeypatch.setitem(sys.modules, name, None)
    assert "goexchange[keyring]" in refused(asked)
    entries = {("exchange", "LAB\\admin"): CANARY}
    keyring, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})  # type: ignore[attr-defined]
    keyring.errors = errors  # type: ignore[attr-defined]
    keyring.get_password = lambda *key: entries.get(key)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    assert secrets.resolve(asked) == CANARY
    assert "no entry" in refused(reference(SecretKind.KEYRING, "exchange/other"))


def test_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = reference(SecretKind.VAULT, "secret/data/exchange#password")
    monkeypatch.delenv("VAULT_ADDR", raising=False)
    assert "VAULT_ADDR and VAULT_TOKEN" in refused(asked)
    monkeypatch.setenv("no_proxy", "*")
    server = HTTPServer(("127.0.0.1", 0), _Vault)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        monkeypatch.setenv("VAULT_ADDR", f"http://127.0.0.1:{server.server_port}/")
        monkeypatch.setenv("VAULT_TOKEN", "wrong")
        assert "HTTPError" in refused(asked)
        monkeypatch.setenv("VAULT_TOKEN", "right")
        assert "KeyError" in refused(reference(SecretKind.VAULT, "secret/data/exchange#other"))
        assert "JSONDecodeError" in refused(reference(SecretKind.VAULT, "broken#password"))
        assert secrets.resolve(asked) == CANARY
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Vault(BaseHTTPRequestHandler):
    """The key-value engine, version 2."""

    def do_GET(self) -> None:
        is_known = self.headers["X-Vault-Token"] == "right"
        body = json.dumps({"data": {"data": {"password": CANARY}, "metadata": {}}})
        self.send_response(200 if is_known else 403)
        self.end_headers()
        self.wfile.write((CANARY if "broken" in self.path else body).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""
