"""The decision about a database or a server whose work was asked for by a verb, without a
specification.
"""

from __future__ import annotations

from attrs import evolve

from goexchange.model.plan import Decision, Need, Reason


def decision_asked_for(
    address: str, *, need: Need, text: str, size_bytes: int | None = None
) -> Decision:
    """Return the decision; `address` is `SERVER/DATABASE`, `text` says what will be done."""
    server, _, name = address.partition("/")
    return Decision(
        address=address,
        server=server,
        database=name,
        need=need,
        reasons=(Reason.ASKED_FOR,),
        explanation=text,
        instead=None,
        size_bytes=size_bytes,
        white_space_bytes=None,
        file_since_utc=None,
        outage_s=None,
        outage_p90_s=None,
        specification="",
        origin=None,
    )


def decision_to_release(address: str, *, need: Need, evidence: str) -> Decision:
    """The same for what a run that is gone has left: `evidence` says how that is known."""
    asked = decision_asked_for(address, need=need, text=evidence)
    return evolve(asked, reasons=(Reason.WAY_BACK,), specification="release")
