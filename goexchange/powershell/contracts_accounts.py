"""What contracts say of the account that a host job runs as, and of the trial of what it may do.

The password of an account is no part of any of them: it goes beside the arguments (`bootstrap.py`).
"""

from __future__ import annotations

from goexchange.powershell.contract import FLAG, TEXT, maybe, optional, record, several

# left out: SYSTEM; `is_managed`: a group managed service account, whose password Windows knows
JOB_ACCOUNT = record(user=TEXT, is_managed=FLAG)

# `files`: what the account has to be able to read, though somebody else may have it open
TRIAL_REQUEST = optional("files", folders=several(TEXT), files=several(TEXT))
TRIAL_RESULT = record(
    folders=several(record(path=TEXT, can_write=FLAG, message=maybe(TEXT))),
    files=several(record(path=TEXT, can_read=FLAG, message=maybe(TEXT))),
)
