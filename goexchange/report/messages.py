"""A message of an event: subject, text and HTML from one template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from goexchange.codec import time_text
from goexchange.errors import InvalidDocument
from goexchange.model.desired import NotificationEvent
from goexchange.model.notice import Attachment, Event, Message
from goexchange.report.message_variables import VARIABLES, sample_variables
from goexchange.report.templates import Own, check_variables, rendered

FORMAT = "goexchange/message/v1"
HTML_TEMPLATE = "message.html.j2"
_SUBJECT = "Subject:"
_TONES = {
    NotificationEvent.MAINTENANCE_FAILED.value: "bad",
    NotificationEvent.STORAGE_LEFT_OFFLINE.value: "bad",
    NotificationEvent.DATABASE_UNPROTECTED.value: "bad",
    NotificationEvent.WAITING_FOR_ANSWER.value: "bad",
    NotificationEvent.STORAGE_ONLINE.value: "good",
    NotificationEvent.EXCHANGE_NOW_AVAILABLE.value: "good",
}
_SUBJECT_MAX = 200
_HTML_VARIABLES = frozenset({"subject", "paragraphs", "tone"})


@frozen(kw_only=True)
class Paragraph:
    """Lines that belong together; code is shown as it is."""

    lines: tuple[str, ...]
    is_code: bool


def template_of(event: str, template: str | None) -> str:
    """The template of an event: the operators' own, or ours."""
    return template or f"messages/{event}.txt.j2"


def render_message(
    event: Event,
    own: Own,
    *,
    recipients: tuple[str, ...],
    is_late: bool = False,
    attachments: tuple[Attachment, ...] = (),
) -> Message:
    """The message of an event.

    Raises: InvalidDocument naming template, line and variable.
    """
    variables = {**event.variables, "is_late": is_late}
    subject, text, html = _parts(event.event, event.template, own, variables)
    return Message(
        id=event.id,
        subject=subject,
        text=text,
        html=html,
        recipients=recipients,
        attachments=attachments,
        document={
            "format": FORMAT,
            "id": event.id,
            "event": event.event,
            "audience": event.audience,
            "at": time_text(event.at_utc),
            "subject": subject,
            "text": text,
            "is_urgent": event.is_urgent,
            "details": {**variables},
        },
    )


def check_message(event: str, template: str | None, own: Own, words: Mapping[str, str]) -> None:
    """Try the templates of an event, in every branch that can be tried, before they are needed.

    Raises: InvalidDocument naming template, line and variable.
    """
    name = template_of(event, template)
    if template is not None and template not in own:
        raise InvalidDocument(
            f"there is no template '{template}' in the templates folder of the configuration;"
            f" there are: {', '.join(sorted(own)) or 'none'}"
        )
    if name in own:
        check_variables(name, own, frozenset(VARIABLES), is_html=False)
    if HTML_TEMPLATE in own:
        known = frozenset(VARIABLES) | _HTML_VARIABLES
        check_variables(HTML_TEMPLATE, own, known, is_html=True)
    for audience in ("users", "operators"):
        for is_late in (False, True):
            sample = sample_variables(words)
            sample |= {"event": event, "audience": audience, "is_late": is_late}
            _parts(event, template, own, sample)


def _parts(
    event: str, template: str | None, own: Own, variables: Mapping[str, Any]
) -> tuple[str, str, str]:
    name = template_of(event, template)
    whole = rendered(name, own, variables, is_html=False)
    first, _, rest = whole.partition("\n")
    if not first.startswith(_SUBJECT) or not first.removeprefix(_SUBJECT).strip():
        raise InvalidDocument(f"the template {name}:1 has to begin with '{_SUBJECT} ...'")
    subject = " ".join(first.removeprefix(_SUBJECT).split())[:_SUBJECT_MAX]
    text = _tidy(rest)
    parts = {"subject": subject, "paragraphs": paragraphs(text), "tone": _TONES.get(event, "plain")}
    html = rendered(HTML_TEMPLATE, own, {**variables, **parts}, is_html=True)
    return subject, text, html


def paragraphs(text: str) -> tuple[Paragraph, ...]:
    """The text in paragraphs; lines that are indented by four spaces are code."""
    found = []
    for block in text.strip("\n").split("\n\n"):
        lines = [line for line in block.split("\n") if line.strip()]
        if lines:
            is_code = all(line.startswith("    ") for line in lines)
            kept = tuple(line[4:] if is_code else line.strip() for line in lines)
            found.append(Paragraph(lines=kept, is_code=is_code))
    return tuple(found)


def _tidy(text: str) -> str:
    """No spaces at the ends of lines, no two empty lines in a row."""
    kept: list[str] = []
    for line in (each.rstrip() for each in text.split("\n")):
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip("\n") + "\n"
