"""The verb `lab`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from goexchange.cli.console import Console
from goexchange.errors import ExitCode

DEFAULT_FOLDER = "goexchange-lab"


@click.group("lab")
def lab() -> None:
    """The simulated site: Exchange servers that real clients can talk to, with real ESE files.

    Everything lies in one folder and listens on loopback addresses only.
    """


@lab.command("up")
@click.argument("folder", default=DEFAULT_FOLDER, type=click.Path(file_okay=False))
@click.option("--pace", default=1.0, show_default=True, help="Hosts work this many times faster.")
@click.option("--scale", default=1.0, show_default=True, help="Size of the databases.")
@click.option("--seed", default=1, show_default=True, help="Which content the databases have.")
@click.option("--delay-ms", default=0.0, show_default=True, help="Added to every HTTP request.")
@click.option(
    "--kerberos", is_flag=True, help="Also start a private KDC (needs Debian's krb5-kdc)."
)
@click.option(
    "--old",
    is_flag=True,
    help="Also servers with PowerShell 2.0: Exchange 2010 (EX05; EX08 and EX09 in a group), 2007"
    " (EX06), 2003 (EX07).",
)
@click.option(
    "--cluster",
    is_flag=True,
    help="Clustered servers alone: MAIL1 (Exchange 2007, of NODE1 and NODE2), MAIL2 (2003).",
)
@click.option("--exchange-idle", default=900.0, show_default=True, help="Idle limit, seconds.")
@click.pass_obj
def up(obj: tuple[Console, dict[str, Any]], /, folder: str, **given: Any) -> None:
    """Start the site in FOLDER and serve it until Ctrl-C (or `goexchange lab down FOLDER`).

    The folder gets a configuration, an inventory and a specification, ready for validate, observe,
    plan and apply.
    """
    from goexchange.app import lab as app

    console = obj[0]
    options = app.LabOptions(
        folder=Path(folder),
        pace=given["pace"],
        scale=given["scale"],
        seed=given["seed"],
        delay_ms=given["delay_ms"],
        uses_kerberos=given["kerberos"],
        exchange_idle_s=given["exchange_idle"],
        has_old_server=given["old"],
        is_clustered=given["cluster"],
    )

    def ready(address: Any) -> None:
        console.data(up_text(folder, address))
        console.document({"folder": folder, "ca_file": str(address.ca_file)})

    app.up(options, on_ready=ready)
    console.words("The lab has stopped; its files stay until a lab starts there again.")


def up_text(folder: str, address: Any) -> str:
    """What `lab up` prints when the site can be reached: hosts, ports, and what to type next."""
    ports = address.ports
    lines = ["The lab is up. Hosts:"]
    for host in address.hosts:
        kind = "Exchange" if host.has_exchange else "Windows"
        lines.append(f"  {host.name:<10} {host.fqdn:<24} {host.address:<12} {kind}")
    if any(host.has_exchange for host in address.hosts):  # older servers have no endpoint of it
        channel = f"https port {ports.exchange_https}, path /PowerShell (Basic over TLS)"
        lines.append(f"Exchange channel  {channel}")
    lines += [
        f"Windows channel   http port {ports.windows_http} (NTLM), https {ports.windows_https}",
        f"Certificates      {address.ca_file}",
    ]
    if address.kerberos_config is not None:
        lines.append(f"Kerberos          KRB5_CONFIG={address.kerberos_config}")
    lines += [
        "",
        "In another terminal:",
        f"  cd {folder}",
        "  goexchange validate",
        "  goexchange observe",
        "  goexchange plan --out plan.json",
        "  goexchange show plan.json",
        "  goexchange approve plan.json --consent all",
        "  goexchange apply plan.json",
        "  goexchange report",
    ]
    return "\n".join(lines)


@lab.command("down")
@click.argument("folder", default=DEFAULT_FOLDER, type=click.Path(file_okay=False))
@click.pass_obj
def down(obj: tuple[Console, dict[str, Any]], folder: str) -> None:
    """Stop the site of FOLDER; its files stay until a lab starts there again."""
    from goexchange.app import lab as app

    console = obj[0]
    stopped = app.down(Path(folder))
    console.data(f"The lab in {folder} has stopped." if stopped else f"No lab runs in {folder}.")
    console.document({"folder": folder, "stopped": stopped})


@lab.command("move")
@click.argument("server")
@click.argument("folder", default=DEFAULT_FOLDER, type=click.Path(file_okay=False))
@click.pass_obj
def move(obj: tuple[Console, dict[str, Any]], server: str, folder: str) -> None:
    """Let the next node take a clustered SERVER over, as a failover would."""
    from goexchange.app import lab as app

    console = obj[0]
    node = app.move(Path(folder), server)
    console.data(f"{server} moves to {node}: it answers again when that node has it online.")
    console.document({"server": server, "node": node})


@lab.command("demo")
@click.option("--folder", type=click.Path(file_okay=False), help="Work in this folder and keep it.")
@click.pass_obj
def demo(obj: tuple[Console, dict[str, Any]], folder: str | None) -> int:
    """The whole main job on a fresh site: validate, observe, plan, approve, apply, report, plan
    again.

    Every verb and the lab itself run as processes of their own, exactly as typed by hand.
    """
    from goexchange.app import demo as app

    console = obj[0]
    outcome = app.run(
        None if folder is None else Path(folder), say=console.data, width=console.width
    )
    console.document(outcome)
    return int(ExitCode.OK if outcome["ok"] else ExitCode.INTERNAL)
