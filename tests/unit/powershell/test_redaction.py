from __future__ import annotations

import pytest

from goexchange.powershell.redaction import redacted


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("backup.exe -Password S3cret /full", "backup.exe -Password *** /full"),
        ("backup.exe /pwd:S3cret", "backup.exe /pwd:***"),
        ("agent --token=abc.def --job 7", "agent --token=*** --job 7"),
        ('agent --api-key "a b c" next', "agent --api-key *** next"),
        ("PASSWORD='a b' run", "PASSWORD=*** run"),
        ("curl https://me:S3cret@example.com/x", "curl https://me:***@example.com/x"),
        ("password: S3cret\r\nok", "password: ***\r\nok"),
    ],
)
def test_values_named_like_secrets_are_blotted_out(text: str, kept: str) -> None:
    assert redacted(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "wbadmin start backup -backupTarget:E: -include:D:,L: -vssFull -quiet",
        "Operation completed successfully in 3.12 seconds.",
        r"C:\ops\av.cmd suspend",
        "the pass found no errors; 2 passes of 3",
        "D:\\Password Safe\\DB.edb",
    ],
)
def test_everything_else_is_left_alone(text: str) -> None:
    assert redacted(text) == text
