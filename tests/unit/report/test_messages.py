"""Messages and templates: ours, the operators' own, and what is wrong in theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from goexchange.errors import InvalidDocument
from goexchange.model.desired import NotificationEvent
from goexchange.model.notice import Event
from goexchange.model.plan import Plan
from goexchange.report.html import VARIABLES as REPORT_VARIABLES
from goexchange.report.html import render_html
from goexchange.report.message_variables import VARIABLES, sample_variables
from goexchange.report.messages import check_message, paragraphs, render_message
from goexchange.report.model import build_report
from goexchange.report.templates import check_variables
from tests.unit.report.test_html import agree, outline

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def event(name: str = "storage-offline", audience: str = "operators", **changes: object) -> Event:
    words = sample_variables({"hotline": "+49 30 1234"}) | {"event": name, "audience": audience}
    return Event(
        id="run.1-abc.x.0",
        event=name,
        audience=audience,
        recipients=("ops@contoso.example",),
        channels=("mail",),
        template=None,
        variables=words | changes,
        at_utc=NOON,
        due_at_utc=NOON,
    )


def test_every_event_has_a_message_for_both_audiences() -> None:
    texts = []
    for name in NotificationEvent:
        for audience in ("users", "operators"):
            message = render_message(event(name.value, audience), {}, recipients=())
            assert message.subject and message.text.strip() and "{{" not in message.text
            outline(message.html)
            texts.append(
                f"== {name.value} to {audience}\nSubject: {message.subject}\n\n{message.text}"
            )
    agree("messages.txt", "\n".join(texts))


def test_users_are_not_told_what_only_operators_need() -> None:
    for name in NotificationEvent:
        message = render_message(event(name.value, "users"), {}, recipients=())
        assert "Mount-Database" not in message.text or name.value in ("waiting-for-answer",)
        assert "20261128T210000-5c6f of plan" not in message.text


HOSTILE = "</p><script>alert(1)</script>\r\nBcc: all@contoso.example\x1b[31m\u202e{{ 7 * 7 }}"


def test_values_of_hosts_are_text_and_no_header() -> None:
    message = render_message(event(database=HOSTILE, server=HOSTILE), {}, recipients=())
    for text in (message.subject, message.text, message.html):
        assert not {"\x1b", "\u202e", "\r"} & set(text)
    assert "\n" not in message.subject and len(message.subject) <= 200
    assert "<script" not in message.html and "{{ 7 * 7 }}" in message.text
    assert "<script" not in render_message(event(why=HOSTILE), {}, recipients=()).html


def test_paragraphs_and_code() -> None:
    found = paragraphs("One\ntwo\n\n    Mount-Database\n    x\n\n")
    assert [(one.lines, one.is_code) for one in found] == [
        (("One", "two"), False),
        (("Mount-Database", "x"), True),
    ]


def test_one_block_of_ours_can_be_overridden() -> None:
    own = {
        "messages/storage-offline.txt.j2": '{% extends "packaged/messages/storage-offline.txt.j2"'
        " %}{% block subject %}Out: {{ database }}{% endblock %}"
    }
    check_message("storage-offline", None, own, {})
    message = render_message(event(), own, recipients=())
    assert message.subject == "Out: DB05" and "is about to be dismounted" in message.text


def test_a_template_of_the_specification_may_use_its_own_words() -> None:
    own = {"outage.txt": "Subject: Call {{ variables.hotline }}\n\n{{ database }} is down.\n"}
    check_message("storage-offline", "outage.txt", own, {"hotline": "1"})
    from attrs import evolve

    message = render_message(evolve(event(), template="outage.txt"), own, recipients=())
    assert (message.subject, message.text) == ("Call +49 30 1234", "DB05 is down.\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Subject: x\n\n{{ databse }}\n", r"own.txt:3 uses the variable 'databse'"),
        (
            "Subject: x\n{% if audience == 'nobody' %}\n{{ hidden }}\n{% endif %}",
            r"own.txt:3 uses the variable 'hidden'",
        ),
        ("Subject: x\n\n{{ variables.hotlin }}\n", r"own.txt:3: .*hotlin"),
        ("Subject: x\n\n{% if %}\n", r"own.txt:3 cannot be read"),
        ("Subject: x\n{{ database | unheard }}", r"own.txt:2 cannot be read: .*unheard"),
        ("no subject\n", r"own.txt:1 has to begin with 'Subject"),
        ("Subject: {{ ''.__class__.__mro__ }}\n", r"own.txt:1"),
        ("Subject: {{ 1 / 0 }}\n", r"own.txt:1: division by zero"),
        ('{% include "nowhere.txt" %}', r"nowhere.txt"),
    ],
)
def test_a_wrong_template_is_named_with_line_and_variable(text: str, said: str) -> None:
    with pytest.raises(InvalidDocument, match=said):
        check_message("storage-offline", "own.txt", {"own.txt": text}, {"hotline": "1"})


def test_a_template_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(InvalidDocument, match=r"no template 'x.txt'.*there are: y.txt"):
        check_message("storage-offline", "x.txt", {"y.txt": ""}, {})


def test_a_block_of_the_report_can_be_overridden(
    plan: Plan, nights: dict[str, Callable[[Plan], tuple[object, ...]]]
) -> None:
    name = "report.html.j2"
    own = {
        name: '{% extends "packaged/report.html.j2" %}{% block run %}<p>Contoso: '
        "{{ report.run.run }}</p>{% endblock %}"
    }
    check_variables(name, own, REPORT_VARIABLES, is_html=True)
    html = render_html(build_report(plan, nights["clean"](plan)), own)  # type: ignore[arg-type]
    assert "<p>Contoso: 20261128T210000Z-7f3c9a1e</p>" in html and "<h2>Steps</h2>" in html
    wrong = {name: own[name].replace("report.run.run", "reprot.run")}
    with pytest.raises(InvalidDocument, match=rf"{name}:1 uses the variable 'reprot'"):
        check_variables(name, wrong, REPORT_VARIABLES, is_html=True)
    missing = {name: own[name].replace("report.run.run", "report.run.rum")}
    with pytest.raises(InvalidDocument, match=rf"{name}:1: .*rum"):
        render_html(build_report(plan, ()), missing)


def test_every_packaged_message_uses_documented_variables_only() -> None:
    from goexchange.resources import template_text

    for name in NotificationEvent:
        file = f"messages/{name.value}.txt.j2"
        check_variables(file, {file: template_text(file)}, frozenset(VARIABLES), is_html=False)
