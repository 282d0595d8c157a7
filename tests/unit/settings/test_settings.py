"""Settings: flag over environment over profile over file over built-in, each with its origin."""

from __future__ import annotations

import pytest

from goexchange.documents import Document, parse_documents
from goexchange.model.configuration import Configuration, Origin, SecretKind
from goexchange.settings import SETTING_NAMES, environment_variable, load_configuration

FILE = """\
apiVersion: goexchange/v1
kind: Configuration
store: file-store
output: file-output
report_formats: [md]
profiles:
  production: {store: profile-store, report_formats: [text, csv]}
notify: {channels: {pager: {url: env:PAGER_URL}}}
"""


def document(text: str = FILE) -> Document:
    parsed = parse_documents(text, file="goexchange.yaml")
    assert parsed.diagnostics == ()
    return parsed.documents[0]


def load(
    flags: dict[str, str], environment: dict[str, str], text: str | None = FILE
) -> Configuration:
    source = None if text is None else document(text)
    found, diagnostics = load_configuration(source, flags=flags, environment=environment)
    assert diagnostics == ()
    assert found is not None
    return found


def origin(configuration: Configuration, name: str) -> tuple[str, Origin, str]:
    setting = next(each for each in configuration.settings if each.name == name)
    return (setting.value, setting.origin, setting.source)


def test_the_strongest_source_wins_and_is_named() -> None:
    flags = {"store": "flag-store"}
    environment = {"GOEXCHANGE_STORE": "env-store", "GOEXCHANGE_PROFILE": "production"}
    assert load(flags, environment).store == "flag-store"
    assert origin(load(flags, environment), "store") == ("flag-store", Origin.FLAG, "--store")
    assert origin(load({}, environment), "store") == (
        "env-store",
        Origin.ENVIRONMENT,
        "GOEXCHANGE_STORE",
    )
    assert origin(load({"profile": "production"}, {}), "store") == (
        "profile-store",
        Origin.PROFILE,
        "goexchange.yaml:7:23",
    )
    assert origin(load({}, {}), "store") == ("file-store", Origin.FILE, "goexchange.yaml:3:8")
    assert origin(load({}, {}), "inventory") == ("inventory", Origin.BUILT_IN, "built-in")


def test_built_in_settings_need_no_file() -> None:
    found = load({}, {}, None)
    assert (found.store, found.output_folder, found.inventory) == (
        ".goexchange",
        "out",
        "inventory",
    )
    assert (found.specifications, found.template_folder, found.profile) == ("specs", None, None)
    assert (found.heartbeat_every_s, found.lease_expires_after_s) == (30, 300)
    assert found.report_formats == ("html", "json")
    assert {each.origin for each in found.settings} == {Origin.BUILT_IN}
    assert [each.name for each in found.settings] == sorted(SETTING_NAMES)


def test_lists_are_words_with_commas_in_flags() -> None:
    assert load({"report_formats": "html,junit"}, {}).report_formats == ("html", "junit")
    assert load({"profile": "production"}, {}).report_formats == ("text", "csv")
    assert load({}, {}).report_formats == ("md",)


def test_a_profile_can_be_chosen_in_the_file() -> None:
    found = load({}, {}, FILE + "profile: production\n")
    assert (found.profile, found.store) == ("production", "profile-store")


def test_channels_are_references() -> None:
    channel = load({}, {}).notify_channels[0]
    assert (channel.name, channel.url.kind, channel.url.locator) == (
        "pager",
        SecretKind.ENVIRONMENT,
        "PAGER_URL",
    )


TABLE: list[tuple[dict[str, str], dict[str, str], str, str, str]] = [
    ({"profile": "prod"}, {}, FILE, "--profile:1:1", "Did you mean 'production'?"),
    ({}, {"GOEXCHANGE_PROFILE": "x"}, FILE, "GOEXCHANGE_PROFILE:1:1", "No profile is called 'x'"),
    ({}, {}, FILE + "profile: x\n", "goexchange.yaml:9:10", "Possible: production"),
    ({"heartbeat_every": "soon"}, {}, FILE, "--heartbeat-every:1:1", "A duration is"),
    ({}, {"GOEXCHANGE_STORE": ""}, FILE, "GOEXCHANGE_STORE:1:1", "not empty"),
    ({"report_formats": "html,pdf"}, {}, FILE, "--report-formats:1:1", "Possible: csv"),
    ({"lease_expires_after": "60s"}, {}, FILE, "--lease-expires-after:1:1", "at least 3 times"),
    ({}, {}, FILE + "lease_expires_after: 1m\n", "goexchange.yaml:9:22", "at least 3 times"),
    ({}, {}, FILE + "stoer: x\n", "goexchange.yaml:9:1", "'stoer' is not a key"),
    (
        {},
        {},
        FILE.replace("env:PAGER_URL", "https://user:hunter2@pager"),
        "goexchange.yaml:8:34",
        "A secret is never written here",
    ),
    ({}, {}, FILE.replace("env:PAGER_URL", "'exec:[x]'"), "goexchange.yaml:8:34", "exec:["),
]


@pytest.mark.parametrize(("flags", "environment", "text", "place", "words"), TABLE)
def test_a_mistake_is_reported_at_its_source(
    flags: dict[str, str], environment: dict[str, str], text: str, place: str, words: str
) -> None:
    found, diagnostics = load_configuration(document(text), flags=flags, environment=environment)
    assert found is None
    assert [str(each.place) for each in diagnostics] == [place]
    assert words in diagnostics[0].detail
    assert "hunter2" not in repr(diagnostics)


def test_every_setting_has_its_variable() -> None:
    for name in SETTING_NAMES:
        given = {"report_formats": "csv", "heartbeat_every": "7s", "leases": "folder:x"}
        value = given.get(name, "30m")
        found = load({}, {environment_variable(name): value})
        assert origin(found, name) == (value, Origin.ENVIRONMENT, "GOEXCHANGE_" + name.upper())
