"""What the approval of a run was decided on, kept with the run, and decided on again by `resume`.

A run folder is files: an approval in it is believed no more than one beside a plan. Policies and
signatures are looked at as they were when the run began, so that neither a later change of a policy
nor an expiry keeps a database from coming back; and what does not hold leaves the way back alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from goexchange import codec
from goexchange.app import policies as app_policies
from goexchange.errors import GoexchangeError
from goexchange.guard.evaluate import may_be_refused
from goexchange.guard.policy import Decision, Evidence, decide_approval
from goexchange.model.approval import Approval
from goexchange.model.configuration import Inventory
from goexchange.model.plan import Plan
from goexchange.model.run import Record, RecordKind
from goexchange.model.unknown import Unknown
from goexchange.store.runs import RunFolder

_POLICY = "Policy"


def evidence(plan: Plan, given: Sequence[Path], authors: tuple[str, ...] | Unknown) -> bytes | None:
    """What is kept with a run: the policies with their signers files, the approvals as they were
    given, and the authors that git named. None where no policy is in force.
    """
    paths = _policies(plan)
    if not paths:
        return None
    plain = {
        "policies": {path: Path(path).read_text("utf-8") for path in paths},
        "approvals": {path.name: path.read_text("utf-8") for path in given},
        "authors": None if isinstance(authors, Unknown) else list(authors),
    }
    return codec.canonical_json(plain)


def why_not(
    folder: RunFolder,
    plan: Plan,
    *,
    approval: Approval | None,
    inventory: Inventory,
    records: Sequence[Record],
) -> str | None:
    """Why the approval that is kept with a run does not hold; None when it does, or when every
    step leads back into service anyway.
    """
    if not any(may_be_refused(step) for lane in plan.body.lanes for step in lane.steps):
        return None
    begun = next((each for each in records if each.kind is RecordKind.RUN_STARTED), None)
    plain = None if approval is None else codec.to_plain(approval)
    if begun is not None and begun.data.get("approval") != plain:
        return "the approval kept with the run is not the one that its journal has"
    if not _policies(plan) or begun is None:
        return None
    try:
        kept = codec.parse_json(folder.evidence_path.read_bytes())
        decision = _decided(kept, plan, inventory, began=begun.at_utc)
    except FileNotFoundError:
        return "the signatures that the policy asked for are not kept with the run"
    except (GoexchangeError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        return f"what the approval was decided on cannot be read: {error}"
    if decision is None:
        return "the policies kept with the run are not those that the plan was made under"
    if decision.missing:
        return "; ".join(decision.missing)
    return None if decision.approval == approval else "the signatures are of another approval"


def _decided(kept: Any, plan: Plan, inventory: Inventory, *, began: datetime) -> Decision | None:
    """The decision on what is kept; None where its policies are not those of the plan."""
    from goexchange.app.approving import given_approval

    texts = {path: str(text).encode("utf-8") for path, text in kept["policies"].items()}
    if {path: codec.sha256(text) for path, text in texts.items()} != _policies(plan):
        return None
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for path, text in texts.items():
            _written(root / path, root, text)
        for path, text in kept["approvals"].items():
            _written(root / path, root, str(text).encode("utf-8"))
        found = app_policies.policies(root)
        authors = kept["authors"]
        evidence = Evidence(
            given=tuple(given_approval(root / path, found) for path in kept["approvals"]),
            authors=Unknown("git could not tell") if authors is None else tuple(authors),
            forbidden=app_policies.forbidden_consents(found),
        )
        rules = app_policies.rules_for(plan, inventory, found)
        return decide_approval(plan, rules, evidence, began)


def _policies(plan: Plan) -> dict[str, str]:
    """The files that the plan was made under, with their digests."""
    return {each.path: each.sha256 for each in plan.body.inputs if each.kind == _POLICY}


def _written(path: Path, root: Path, content: bytes) -> None:
    if not path.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"{path} leads out of its folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
