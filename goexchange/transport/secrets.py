"""Secrets, resolved at the last moment; their values are never printed or logged.

What a person, a program or a service answered is remembered for the life of the process: a hundred
servers must not ask a hundred times.
"""

from __future__ import annotations

import getpass
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

from goexchange.errors import AuthenticationRefused
from goexchange.model.configuration import SecretKind, SecretReference

COMMAND_TIMEOUT_S = 30


_ASKED_ONCE = (SecretKind.COMMAND, SecretKind.PROMPT, SecretKind.KEYRING, SecretKind.VAULT)
_remembered: dict[SecretReference, str] = {}
_lock = threading.Lock()


def resolve(reference: SecretReference) -> str:
    """The secret's value.

    Raises: AuthenticationRefused naming the reference, never the value.
    """
    if reference.kind not in _ASKED_ONCE:
        return _read(reference)
    with _lock:
        if reference not in _remembered:
            _remembered[reference] = _read(reference)
        return _remembered[reference]


def forget() -> None:
    """Forget what was remembered."""
    _remembered.clear()


def _read(reference: SecretReference) -> str:
    match reference.kind:
        case SecretKind.ENVIRONMENT:
            value = _from_environment(reference)
        case SecretKind.FILE:
            value = _from_file(reference)
        case SecretKind.COMMAND:
            value = _from_command(reference)
        case SecretKind.PROMPT:
            value = _from_prompt(reference)
        case SecretKind.KEYRING:
            value = _from_keyring(reference)
        case SecretKind.VAULT:
            value = _from_vault(reference)
    if not value:
        raise _refused(reference, "it is empty")
    return value


def _refused(reference: SecretReference, why: str) -> AuthenticationRefused:
    where = f" (at {reference.place})" if reference.place else ""
    return AuthenticationRefused(f"the secret {reference}{where} could not be read: {why}")


def _from_environment(reference: SecretReference) -> str:
    value = os.environ.get(reference.locator)
    if not value:
        raise _refused(
            reference,
            f"the environment variable {reference.locator} is not set; set it and try again",
        )
    return value


def _from_file(reference: SecretReference) -> str:
    path = Path(reference.locator)
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise _refused(reference, f"others may read the file; run: chmod 600 {path}")
        return path.read_text("utf-8").rstrip("\r\n")
    except OSError as error:
        raise _refused(reference, f"{error.strerror}: {path}") from error
    except UnicodeDecodeError:  # its text holds a byte of the secret
        raise _refused(reference, f"the file is not UTF-8 text: {path}") from None


def _from_command(reference: SecretReference) -> str:
    try:
        done = subprocess.run(
            reference.command,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        # not chained: the text of a time-out or a decoding error can hold what was printed
        raise _refused(reference, f"the command did not run: {type(error).__name__}") from None
    if done.returncode != 0:
        raise _refused(reference, f"the command ended with {done.returncode}")
    return done.stdout.rstrip("\r\n")


def _from_prompt(reference: SecretReference) -> str:
    if not sys.stdin.isatty():
        raise _refused(
            reference, "there is no terminal to ask on; use another kind of reference in a pipeline"
        )
    return getpass.getpass("Password: ")


def _from_keyring(reference: SecretReference) -> str:
    try:
        import keyring
        import keyring.errors
    except ImportError as error:
        raise _refused(
            reference, "the extra 'keyring' is not installed: pip install goexchange[keyring]"
        ) from error
    service, _, user = reference.locator.partition("/")
    try:
        value: str | None = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise _refused(reference, f"the keyring refused: {type(error).__name__}") from error
    if value is None:
        raise _refused(reference, f"the keyring has no entry for service {service}, user {user}")
    return value


def _from_vault(reference: SecretReference) -> str:
    import requests

    address, token = os.environ.get("VAULT_ADDR"), os.environ.get("VAULT_TOKEN")
    if not address or not token:
        raise _refused(reference, "VAULT_ADDR and VAULT_TOKEN must be set")
    path, _, name = reference.locator.partition("#")
    try:
        answer = requests.get(
            f"{address.rstrip('/')}/v1/{path}", headers={"X-Vault-Token": token}, timeout=30
        )
        answer.raise_for_status()
        fields = answer.json()["data"]
        fields = fields.get("data", fields)  # version 2 of the key-value engine nests once more
        return str(fields[name])
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        # not chained: a decoding error holds the vault's answer
        raise _refused(
            reference, f"the vault did not answer with it: {type(error).__name__}"
        ) from None
