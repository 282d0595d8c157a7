"""SSH signatures by `ssh-keygen -Y`, and who signed a commit.

A program of the system is asked and not a library: it reads the allowed signers file with all its
rules (validity, name spaces, certificates), and it uses the agent's keys.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from goexchange.errors import AuthenticationRefused
from goexchange.model.unknown import Unknown

APPROVAL_NAMESPACE = "goexchange-approval"
ACT_NAMESPACE = "goexchange-act"
_LIMIT_S = 60


@frozen(kw_only=True)
class Checked:
    """A signature that was looked at: whose it is, or why it does not count."""

    signer: str | None
    problem: str | None


def sign(content: bytes, key: Path, *, namespace: str) -> str:
    """Return the armoured signature of a content; a key with a passphrase is asked for by
    ssh-keygen itself, or taken from the agent.

    Raises: AuthenticationRefused when the key cannot be used.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "statement"
        path.write_bytes(content)
        command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", namespace, str(path)]
        done = _run(command)
        if done is None or done.returncode != 0:
            why = "ssh-keygen is not installed" if done is None else _said(done)
            raise AuthenticationRefused(f"the key {key} cannot sign: {why}")
        return path.with_name("statement.sig").read_text("ascii")


def check_signature(content: bytes, signature: str, signers: Path, *, namespace: str) -> Checked:
    """Tell whose signature it is by the allowed signers file. Fails closed: what cannot be checked
    does not count.
    """
    if not signers.is_file():
        return Checked(signer=None, problem=f"there is no signers file {signers}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "signature"
        path.write_text(signature, "utf-8")
        about = ["-s", str(path), "-f", str(signers)]
        done = _run(["ssh-keygen", "-Y", "find-principals", *about])
        if done is None:
            return Checked(signer=None, problem="ssh-keygen is not installed")
        names = done.stdout.decode("utf-8", "replace").split()
        if done.returncode != 0 or not names:
            return Checked(signer=None, problem=f"its key is not in {signers}")
        for name in names[0].split(","):
            command = ["ssh-keygen", "-Y", "verify", *about, "-I", name, "-n", namespace]
            done = _run(command, content)
            if done is not None and done.returncode == 0:
                return Checked(signer=name, problem=None)
    return Checked(signer=None, problem="its signature is not of this statement")


def commit_signers(
    folder: Path, commit: str, paths: Sequence[str], *, signers: Path
) -> tuple[str, ...] | Unknown:
    """Return who signed the last commit of each path, as of a commit.

    Unknown: when git cannot tell, or a signature is missing or not good.
    """
    found: dict[str, None] = {}
    options = ["-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={signers.resolve()}"]
    for path in paths:
        log = ["log", "-1", "--format=%h%x00%G?%x00%GS", commit, "--", path]
        done = _run(["git", *options, *log], folder=folder)
        if done is None or done.returncode != 0:
            return Unknown(f"git cannot tell the commit of {path}")
        parts = done.stdout.decode("utf-8", "replace").strip().split("\0")
        if len(parts) != 3:
            return Unknown(f"{path} is in no commit")
        name, state, signer = parts
        if state not in ("G", "U") or not signer:
            return Unknown(f"the commit {name} of {path} has no good signature")
        if state == "U":
            return Unknown(f"the signer of the commit {name} of {path} is not in {signers}")
        found[signer] = None
    return tuple(found)


def _run(
    command: Sequence[str], content: bytes = b"", *, folder: Path | None = None
) -> subprocess.CompletedProcess[bytes] | None:
    """Run a program in the C locale; None when it is not installed."""
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(
            list(command),
            input=content,
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
            cwd=folder,
            env=environment,
        )
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(list(command), 1, b"", b"it did not answer")


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"it ended with {done.returncode}"
