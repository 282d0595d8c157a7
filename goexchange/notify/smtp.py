"""Delivery by mail: one message with text, HTML and attachments, to one server, over TLS."""

from __future__ import annotations

import re
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from goexchange.model.configuration import MailSecurity, MailServer
from goexchange.model.notice import Message
from goexchange.notify.failure import DeliveryFailed

TIMEOUT_S = 20.0
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9.-]")


def send_mail(message: Message, server: MailServer, password: str | None, *, at: datetime) -> str:
    """Hand the message over; words for what the server did with it.

    Raises: DeliveryFailed. A server that lost the connection after it took the message gets it
    again: the Message-ID is the same.
    """
    mail = compose(message, server.sender, at=at)
    try:
        with _connect(server) as connection:
            if server.username is not None and password is not None:
                connection.login(server.username, password)
            refused = connection.send_message(mail)
    except smtplib.SMTPAuthenticationError as error:
        # its text can repeat what was sent
        raise DeliveryFailed(f"{server.host} refused the login ({error.smtp_code})") from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        is_final = all(_is_final(code) for code in codes)
        told = ", ".join(sorted(error.recipients))
        raise DeliveryFailed(f"{server.host} takes no mail for {told}", is_final=is_final) from None
    except smtplib.SMTPSenderRefused as error:
        text = f"{server.host} takes no mail from {error.sender} ({error.smtp_code})"
        raise DeliveryFailed(text, is_final=_is_final(error.smtp_code)) from None
    except smtplib.SMTPResponseException as error:
        text = f"{server.host} answered {error.smtp_code}"
        raise DeliveryFailed(text, is_final=_is_final(error.smtp_code)) from None
    except smtplib.SMTPNotSupportedError as error:
        raise DeliveryFailed(f"{server.host}: {error}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryFailed(
            f"{server.host}:{server.port} is not reached: {type(error).__name__}"
        ) from None
    if refused:
        return f"{server.host} took it, but not for {', '.join(sorted(refused))}"
    return f"{server.host} took it for {len(message.recipients)}"


def compose(message: Message, sender: str, *, at: datetime) -> EmailMessage:
    """The mail of a message; the same message has the same Message-ID, however often it is sent."""
    mail = EmailMessage()
    domain = parseaddr(sender)[1].rpartition("@")[2] or "goexchange"
    mail["From"] = sender
    mail["To"] = ", ".join(message.recipients)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{_NOT_IN_IDS.sub('-', message.id)}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    if message.document.get("is_urgent"):
        mail["Importance"] = "high"
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    for each in message.attachments:
        main, _, sub = each.media_type.partition("/")
        mail.add_attachment(each.content, maintype=main, subtype=sub, filename=each.name)
    return mail


def _connect(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=server.ca_file)
    if server.security is MailSecurity.TLS:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
    connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    try:
        if server.security is MailSecurity.STARTTLS:
            connection.starttls(context=context)
    except BaseException:
        connection.close()
        raise
    return connection


def _is_final(code: int) -> bool:
    """5xx means never; 4xx means later."""
    return 500 <= code < 600
