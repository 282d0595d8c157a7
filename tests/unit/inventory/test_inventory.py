"""Inventory documents become one inventory: names resolved, connections complete."""

from __future__ import annotations

import pytest

from goexchange.documents import Document, parse_documents
from goexchange.errors import Diagnostic
from goexchange.inventory import load_inventory
from goexchange.model.configuration import (
    ExchangeAuthentication,
    Generation,
    Inventory,
    OtherWorkKind,
    Rates,
    Scheme,
    SecretKind,
    ServerEntry,
    TimeOfDay,
    Timeouts,
    Weekday,
    WindowsTransport,
)
from tests.unit.documents.examples import SPECS, documents_of

HEAD = "apiVersion: goexchange/v1\nkind: Inventory\n"


def load(*texts: str) -> tuple[Inventory | None, tuple[Diagnostic, ...]]:
    documents: list[Document] = []
    for number, text in enumerate(texts):
        parsed = parse_documents(HEAD + text, file=f"{number}.yaml")
        assert parsed.diagnostics == ()
        documents += parsed.documents
    return load_inventory(documents)


def inventory(*texts: str) -> Inventory:
    found, diagnostics = load(*texts)
    assert diagnostics == ()
    assert found is not None
    return found


def server(*texts: str, name: str = "A") -> ServerEntry:
    return next(each for each in inventory(*texts).servers if each.name == name)


def test_the_example_is_a_real_site() -> None:
    site, diagnostics = load_inventory(documents_of(SPECS / "inventory" / "berlin.yaml"))
    assert diagnostics == ()
    assert site is not None
    assert [each.name for each in site.servers] == ["EX01", "EX02", "EX03", "EX04"]
    assert [each.availability_group for each in site.servers] == [None, "DAG1", "DAG1", None]
    assert [each.generation for each in site.servers] == [
        Generation.EXCHANGE_2019,
        Generation.SUBSCRIPTION_EDITION,
        Generation.SUBSCRIPTION_EDITION,
        Generation.EXCHANGE_2016,
    ]
    ticket, password = site.servers[0].connection, site.servers[3].connection
    assert ticket.exchange.authentication is ExchangeAuthentication.KERBEROS
    assert (ticket.exchange.scheme, ticket.exchange.port) == (Scheme.HTTP, 80)
    assert (ticket.windows.scheme, ticket.windows.port) == (Scheme.HTTP, 5985)
    assert (ticket.username, ticket.password) == (None, None)
    assert ticket.ca_file == "/etc/goexchange/ca.pem"
    assert (password.exchange.scheme, password.exchange.port) == (Scheme.HTTPS, 443)
    assert password.windows.transport is WindowsTransport.NTLM
    assert password.password is not None
    assert password.password.kind is SecretKind.KEYRING
    window = site.windows[0]
    assert (window.name, window.zone, window.days) == (
        "berlin-night",
        "Europe/Berlin",
        (Weekday.SATURDAY,),
    )
    assert (window.opens, window.closes) == (
        TimeOfDay(hour=22, minute=0),
        TimeOfDay(hour=6, minute=0),
    )
    assert site.groups[0].servers == ("EX01", "EX02", "EX03")
    assert (site.shares[0].path, site.shares[0].mounted_at) == (
        "\\\\backup01\\exchange$",
        "/mnt/backup01",
    )
    assert site.verifier == "BACKUP01"


def test_defaults_of_an_empty_site() -> None:
    site = inventory("")
    assert site.mount_confirm_after_s == 60
    assert site.low_space_threshold_bytes == 180 << 30
    assert site.host_root == "C:\\ProgramData\\goexchange"
    assert site.rates == Rates(
        copy_bytes_per_s=100 << 20,
        rebuild_bytes_per_s=6 << 20,
        verify_bytes_per_s=200 << 20,
        repair_bytes_per_s=200 << 20,
        backup_bytes_per_s=100 << 20,
    )
    assert (site.servers, site.shares, site.verifier) == ((), (), None)


def test_a_servers_own_settings_are_over_its_profile_and_the_profile_over_built_in() -> None:
    profile = (
        "connection_profiles:\n  p:\n    username: u\n    password: env:P\n"
        "    timeouts: {connect: 3s}\n    windows: {transport: basic, path: /w}\n"
        "    exchange: {authentication: basic, port: 8443}\n"
    )
    own = (
        "servers:\n  A: {profile: p, address: a.x, windows: {port: 15986}, username: v}\n  B: {}\n"
    )
    entry = server(profile + own)
    connection = entry.connection
    assert (entry.address, connection.name, connection.username) == ("a.x", "p", "v")
    assert (connection.windows.transport, connection.windows.scheme) == (
        WindowsTransport.BASIC,
        Scheme.HTTPS,
    )
    assert (connection.windows.port, connection.windows.path) == (15986, "/w")
    assert (connection.exchange.port, connection.exchange.path) == (8443, "/PowerShell")
    assert connection.timeouts == Timeouts(connect_s=3, read_s=30, operation_s=20)
    other = server(profile + own, name="B")
    assert (other.address, other.connection.name) == ("B", "default")
    assert other.connection.windows.transport is WindowsTransport.KERBEROS


def test_the_profile_called_default_is_everybodys() -> None:
    text = "connection_profiles: {default: {ca_file: /ca}}\nservers: {A: {}}\nmachines: {M: {}}\n"
    assert server(text).connection.ca_file == "/ca"
    assert inventory(text).machines[0].connection.ca_file == "/ca"


def test_a_machine_is_a_host_without_exchange() -> None:
    found = inventory("servers: {A: {}}\nmachines: {M: {address: m.example}}\n")
    assert [(each.name, each.has_exchange) for each in found.hosts] == [("A", True), ("M", False)]
    assert found.hosts[1].address == "m.example"
    assert found.is_machine("M") and not found.is_machine("A")


def test_several_files_are_one_inventory() -> None:
    site = inventory(
        "servers: {A: {site: s}}\nhost_root: 'D:\\gx'\n",
        "sites: {s: {}}\ngroups: {g: {servers: ['site:s', 'group:h']}, h: {servers: [B]}}\n"
        "servers: {B: {}}\n",
    )
    assert [each.name for each in site.servers] == ["A", "B"]
    assert site.groups[0].servers == ("A", "B")
    assert site.host_root == "D:\\gx"
    assert str(site.servers[1].place) == "1.yaml:5:11"


def test_the_digest_is_that_of_all_files() -> None:
    one = inventory("servers: {A: {}}\n", "")
    assert inventory("# x\nservers:\n  A: {}\n", "").document_digest == one.document_digest
    assert (
        inventory("servers: {A: {}}\n", "verifier: null\n").document_digest != one.document_digest
    )


def test_the_order_of_files_makes_no_difference() -> None:
    documents = [
        parse_documents(HEAD + f"servers: {{{name}: {{}}}}\n", file=name).documents[0]
        for name in ("a", "b", "c")
    ]
    assert load_inventory(documents) == load_inventory(documents[::-1])


TABLE = [
    (
        "servers: {A: {site: bonn}}\nsites: {born: {}}\n",
        "unknown-name",
        "3:21",
        "Did you mean 'born'?",
    ),
    (
        "servers: {A: {profile: q}}\nconnection_profiles: {p: {}}\n",
        "unknown-name",
        "3:24",
        "Possible: p",
    ),
    ("servers: {A: {}, a: {}}\n", "repeated", "3:18", "0.yaml:3:11"),
    (
        "availability_groups: {D: {servers: [X]}}\n",
        "unknown-name",
        "3:37",
        "No server is called 'X'",
    ),
    (
        "servers: {A: {}}\navailability_groups: {D: {servers: [A]}, E: {servers: [A]}}\n",
        "repeated",
        "4:42",
        "in 'D' already",
    ),
    ("groups: {g: {servers: ['group:g']}}\n", "group-cycle", "3:24", "g -> g"),
    (
        "groups: {g: {servers: ['group:h']}, h: {servers: ['group:g']}}\n",
        "group-cycle",
        "3:51",
        "g -> h -> g",
    ),
    ("groups: {g: {servers: ['dag:D']}}\n", "unknown-name", "3:24", "No availability group"),
    ("servers: {A: {}}\nmachines: {a: {}}\n", "repeated", "4:12", "one of the `servers`"),
    (
        "machines: {M: {exchange: {authentication: kerberos}}}\n",
        "no-exchange",
        "3:26",
        "no Exchange endpoint",
    ),
    ("verifier: V\nmachines: {W: {}}\n", "unknown-name", "3:11", "No machine is called 'V'"),
    (
        "windows: {w: {zone: Europe/Berln, from: '22:00', to: '06:00'}}\n",
        "unknown-name",
        "3:21",
        "Did you mean 'Europe/Berlin'?",
    ),
    ("sites: {s: {zone: Mars/Olympus}}\n", "unknown-name", "3:19", "No zone is called"),
    (
        (
            "connection_profiles: {p: {windows: {transport: basic, scheme: http}, "
            "username: u, password: 'env:P'}}\n"
        ),
        "not-encrypted",
        "3:63",
        "scheme: https",
    ),
    (
        (
            "connection_profiles: {p: {exchange: {authentication: basic, scheme: http}, "
            "username: u, password: 'env:P'}}\n"
        ),
        "not-encrypted",
        "3:69",
        "scheme: https",
    ),
    (
        "connection_profiles: {p: {windows: {transport: ntlm}}}\n",
        "credentials",
        "3:26",
        "'username'",
    ),
    ("connection_profiles: {p: {password: prompt}}\n", "credentials", "3:37", "'username' too"),
    (
        "connection_profiles: {p: {windows: {transport: certificate}}}\n",
        "credentials",
        "3:26",
        "certificate_file",
    ),
    ("servers: {A: {timeouts: {operation: 30s}}}\n", "timeouts", "3:25", "longer than 'operation'"),
    ("servers: {A: {username: u, password: 'exec:[x]'}}\n", "secret-reference", "3:38", "exec:"),
    ("servers: {A: {password: Passw0rd}}\n", "wrong-form", "3:25", "keyring:service/user"),
    ("servers: {A: {adress: x}}\n", "unknown-key", "3:15", "Did you mean 'address'?"),
    ("servers: {'2019': x}\n", "wrong-type", "3:19", "keys with values is expected"),
    (
        "shares: [{path: '\\\\b\\s', credential: 'env:P'}]\n",
        "share",
        "3:10",
        "needs its 'account'",
    ),
    ("shares: [{path: '\\\\b\\s', account: 'C\\a'}]\n", "share", "3:10", "'credential'"),
    (
        "shares: [{path: '\\\\b\\s', account: 'C\\a$', credential: 'env:P'}]\n",
        "share",
        "3:10",
        "take 'credential' out",
    ),
    ("shares: [{path: 'E:\\s', account: 'C\\a$'}]\n", "share", "3:10", "is no share"),
    ("shares: [{path: '\\\\b\\s', account: gx}]\n", "wrong-form", "3:35", "DOMAIN"),
    ("rates: {copy: 0MiB/s}\n", "wrong-form", "3:15", "more than nothing"),
    ("servers: {A: {generation: 2019}}\n", "wrong-type", "3:27", "Write it in quotes: '2019'"),
]


@pytest.mark.parametrize(("text", "id", "place", "words"), TABLE)
def test_a_mistake_is_reported_at_its_place(text: str, id: str, place: str, words: str) -> None:
    found, diagnostics = load(text)
    assert found is None
    assert [(each.id, str(each.place)) for each in diagnostics] == [(id, f"0.yaml:{place}")]
    assert words in diagnostics[0].detail
    assert "Passw0rd" not in repr(diagnostics)


def test_a_setting_of_the_site_stands_once() -> None:
    found, diagnostics = load("host_root: 'D:\\a'\n", "host_root: 'D:\\b'\n")
    assert found is None
    assert [(each.id, str(each.place)) for each in diagnostics] == [("repeated", "1.yaml:3:12")]
    assert "0.yaml:3:12" in diagnostics[0].detail


def test_the_mistakes_of_all_files_are_reported_together() -> None:
    _, diagnostics = load("servers: {A: {x: 1}}\n", "servers: {B: {y: 1}}\n")
    assert [str(each.place) for each in diagnostics] == ["0.yaml:3:15", "1.yaml:3:15"]


def test_no_document_is_no_inventory() -> None:
    assert load_inventory([]) == (None, ())


def work(servers: str) -> str:
    return (
        f"{{kind: reboot, servers: [{servers}], zone: UTC, days: [TUE], weeks: [2],"
        " from: '03:00', to: '04:00'}"
    )


def test_work_of_others_names_servers_as_groups_do() -> None:
    declared = work("'group:g', 'site:s'")
    site = inventory(
        "servers: {A: {site: s}, B: {}, C: {}}\nsites: {s: {}}\n"
        f"groups: {{g: {{servers: [C]}}}}\nother_work: {{monthly: {declared}}}\n"
    )
    found = site.other_work[0]
    assert (found.when.name, found.servers, found.kind) == (
        "monthly",
        ("A", "C"),
        OtherWorkKind.REBOOT,
    )
    assert (found.when.days, found.when.weeks) == ((Weekday.TUESDAY,), (2,))


def test_work_of_others_on_a_server_that_is_not_there_is_reported() -> None:
    site, diagnostics = load(f"servers: {{A: {{}}}}\nother_work: {{w: {work('B')}}}\n")
    assert site is None
    assert [each.id for each in diagnostics] == ["unknown-name"]
    assert "No server is called 'B'" in diagnostics[0].detail


def test_whom_the_hosts_tell_by_themselves() -> None:
    text = "sentinel: {mail_server: smtp.c, mail_from: gx@c.d, mail_to: [on@c.d], webhook: 'https://a/b'}"
    found = inventory(text + "\n").sentinel
    assert (found.mail_server, found.mail_from, found.mail_to) == ("smtp.c", "gx@c.d", ("on@c.d",))
    assert found.webhook == "https://a/b"
    nobody = inventory("servers: {A: {}}\n").sentinel
    assert (nobody.mail_server, nobody.mail_to, nobody.webhook) == (None, (), None)


@pytest.mark.parametrize(
    "part",
    [
        "mail_server: smtp.c",
        "mail_server: smtp.c, mail_from: gx@c.d",
        "mail_to: [on@c.d]",
        "webhook: 'https://user:secret@a/b'",
        "webhook: 'file:///c:/x'",
    ],
)
def test_half_a_mail_or_a_webhook_with_a_secret_is_a_mistake(part: str) -> None:
    found, diagnostics = load(f"sentinel: {{{part}}}\n")
    assert found is None and len(diagnostics) == 1


def test_a_share_says_who_writes_there_and_where_the_password_is_kept() -> None:
    text = (
        "shares:\n"
        "  - {path: '\\\\b\\s', account: 'C\\a', credential: 'env:P'}\n"
        "  - {path: '\\\\b\\t', account: 'C\\a$', mounted_at: /mnt/t}\n"
    )
    stored, managed = inventory(text).shares
    assert (stored.account, stored.mounted_at) == ("C\\a", None)
    assert stored.credential is not None and stored.credential.kind is SecretKind.ENVIRONMENT
    assert (managed.account, managed.credential) == ("C\\a$", None)
    _, found = load("shares: [{path: '\\\\b\\s', account: 'C\\a', credential: 'exec:[a]'}]\n")
    assert "secret-reference" in [each.id for each in found]
