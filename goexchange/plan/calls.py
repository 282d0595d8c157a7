"""The calls that steps make: host scripts with their digests, host jobs, work of the controller,
conditions.

Cmdlets come from `powershell.cmdlets`, which refuses an empty identity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from goexchange.model.plan import (
    Condition,
    ControllerCall,
    ExchangeCall,
    JobCall,
    Operator,
    Probe,
    ScriptCall,
)
from goexchange.powershell.bootstrap import digest


def host_script(script: str, arguments: Mapping[str, Any]) -> ScriptCall:
    """A packaged host script; the driver adds fence and run."""
    return ScriptCall(script=script, digest=digest(script), arguments=arguments)


def host_job(
    kind: str,
    request: Mapping[str, Any],
    *,
    watch: tuple[str, ...] = (),
    expected_bytes: int | None = None,
    account: str | None = None,
) -> JobCall:
    """Detached work on the host; the digest covers the script that starts it and the runner."""
    return JobCall(
        kind=kind,
        digest=digest("start-job"),
        request=request,
        watch=watch,
        expected_bytes=expected_bytes,
        account=account,
    )


def copy_job(
    files: Sequence[Mapping[str, str]],
    *,
    watch: str,
    expected_bytes: int | None,
    rate: int | None = None,
) -> JobCall:
    """A copy that goes on with what is there; `rate` in bytes a second, None for no limit."""
    request: dict[str, Any] = {"files": list(files), "continues": True}
    if rate is not None:
        request["bytes_per_s"] = rate
    return host_job("copy-files", request, watch=(watch,), expected_bytes=expected_bytes)


def eseutil_job(
    eseutil: str,
    arguments: tuple[str, ...],
    *,
    folder: str,
    creates: tuple[str, ...] = (),
    expected_bytes: int | None = None,
) -> JobCall:
    """A run of eseutil in its own folder; what it `creates` must not exist. A rebuilt file is
    watched while it grows; the scratch file of an integrity check tells nothing.
    """
    request = {
        "eseutil": eseutil,
        "arguments": list(arguments),
        "must_not_exist": list(creates),
        "folder": folder,
    }
    watch = creates[:1] if arguments[0] == "/d" else ()
    return host_job("eseutil", request, watch=watch, expected_bytes=expected_bytes)


def controller(work: str, arguments: Mapping[str, Any]) -> ControllerCall:
    """Work of the controller itself."""
    return ControllerCall(work=work, arguments=arguments)


def equals(path: str, value: Any) -> Condition:
    """`path` has that value."""
    return Condition(path=path, operator=Operator.EQUAL, value=value)


def one_of(path: str, *values: Any) -> Condition:
    """`path` has one of the values."""
    return Condition(path=path, operator=Operator.ONE_OF, value=list(values))


def property_probe(call: ExchangeCall, name: str, *, wanted: bool) -> Probe:
    """Whether a property of the one object that the call returns is as wanted."""
    path = f"objects.0.{name}"
    return Probe(call=call, done=equals(path, wanted), not_done=equals(path, not wanted))
