"""How a lab is set up: its folder, ports, limits and what it allows."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen


@frozen(kw_only=True)
class LabPorts:
    """The ports, the same on the address of every host; 0 takes a free one."""

    windows_http: int = 0
    windows_https: int = 0
    exchange_http: int = 0
    exchange_https: int = 0
    control: int = 0


@frozen(kw_only=True)
class LabLimits:
    """The quotas of WinRM and of the Exchange throttling policy, with their defaults.

    Source: win32 documentation, "Quotas" of Windows Remote Management; New-ThrottlingPolicy.
    """

    shells_per_user_max: int = 30
    processes_per_shell_max: int = 25
    exchange_shells_per_user_max: int = 18
    envelope_bytes_max: int = 500 * 1024
    command_line_max: int = 8191
    operation_timeout_s_max: float = 60.0
    windows_idle_s: float = 7200.0
    exchange_idle_s: float = 900.0


@frozen(kw_only=True)
class LabSettings:
    """Everything the lab needs to know beside the site; it writes to no folder but its own.

    `allows_basic_over_http` is for tools that cannot do better; no real host should.
    """

    folder: Path
    ports: LabPorts = field(factory=LabPorts)
    limits: LabLimits = field(factory=LabLimits)
    allows_basic_over_http: bool = False
    uses_kerberos: bool = True
    delay_ms: float = 0.0
    realm: str = "LAB.TEST"
