"""The verb `test`: specifications against saved facts, or carried out on a simulated site."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import evolve, frozen

from goexchange.app import loading
from goexchange.app.planning import read_facts
from goexchange.documents import parse_documents
from goexchange.errors import GoexchangeError, InvalidDocument
from goexchange.guard.evaluate import at_plan
from goexchange.model.configuration import Configuration, Inventory
from goexchange.model.plan import Plan, PlanBody, VerdictKind
from goexchange.model.run import RecordKind, RunResult
from goexchange.model.specification_test import Fault, GivenFault, GivenSite, SpecificationTest
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import seal
from goexchange.report.plan_text import PlanLayout, render_plan
from goexchange.report.verify_junit import VerifiedCase, VerifiedSuite, render_verify_junit
from goexchange.settings.specification_test import load_specification_test
from goexchange.simulation.night import Night, NightBroken, make_night
from goexchange.world.site import SiteDescription, default_site
from goexchange.world.truth import Truth, truth_of

SUFFIX = ".test.yaml"
SCALE = 0.05  # of the databases of the simulated site: a night takes a second
_WIDE = 160


@frozen(kw_only=True)
class Tested:
    """How one test went; `failures` is empty for one that passed."""

    name: str
    file: str
    failures: tuple[str, ...]


@frozen(kw_only=True)
class _Outcome:
    """What a run left: before and after as the site truly was."""

    result: RunResult
    events: tuple[str, ...]
    before: Truth
    after: Truth


def run_tests(paths: Sequence[str], settings: Configuration) -> tuple[Tested, ...]:
    """Run every test of the paths, by default those of the specifications' folder.

    Raises: InvalidDocument for a test that cannot be read, and when there is none.
    """
    files = _files(paths or [settings.specifications])
    if not files:
        raise InvalidDocument(f"there is no test (*{SUFFIX}) in {', '.join(paths) or 'the folder'}")
    return tuple(_run(test, settings) for path in files for test in _read(path))


def junit(tested: Sequence[Tested]) -> str:
    """The tests as JUnit XML, a suite per file."""
    files = dict.fromkeys(each.file for each in tested)
    return render_verify_junit(
        [
            VerifiedSuite(
                name=file,
                cases=tuple(
                    VerifiedCase(name=each.name, failures=each.failures)
                    for each in tested
                    if each.file == file
                ),
            )
            for file in files
        ]
    )


def _files(paths: Sequence[str]) -> list[Path]:
    files: list[Path] = []
    for given in paths:
        path = Path(given)
        if not path.exists():
            raise InvalidDocument(f"there is no file or folder {given}; name one that exists")
        files += sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]
    return list(dict.fromkeys(files))


def _read(path: Path) -> Iterator[SpecificationTest]:
    parsed = parse_documents(path.read_bytes(), file=str(path))
    wrong = list(parsed.diagnostics)
    for document in parsed.documents:
        test, found = load_specification_test(document)
        wrong += found
        if test is not None and not wrong:
            yield test
    if wrong:
        raise InvalidDocument(f"{path} is not a test; nothing was run", diagnostics=tuple(wrong))


def _run(test: SpecificationTest, settings: Configuration) -> Tested:
    try:
        failures = tuple(_failures(test, settings))
    except GoexchangeError as error:
        details = [f"{each.place}: {each.detail}" for each in error.diagnostics]
        failures = ("\n".join([str(error), *details]),)
    return Tested(name=test.name, file=test.file, failures=failures)


def _failures(test: SpecificationTest, settings: Configuration) -> Iterator[str]:
    folder = Path(test.file).parent
    if test.inventory is not None:
        settings = evolve(settings, inventory=str(folder / test.inventory))
    inventory = loading.inventory(settings)
    found = loading.specifications([str(folder / test.specification)], settings, inventory)
    if test.site is None:
        assert test.facts is not None
        yield from _of_plan(test, _planned(test, found, inventory, folder / test.facts))
        return
    night = make_night(
        _site(test.site),
        tuple(each.desired for each in found),
        inventory,
        at=test.at,
        seed=test.site.seed,
    )
    yield from _of_plan(test, night.plan)
    try:
        yield from _of_run(test, _carried_out(night, test.site))
    except NightBroken as broken:
        yield f"the run broke an invariant: {broken}"


def _planned(
    test: SpecificationTest,
    found: Sequence[loading.Specification],
    inventory: Inventory,
    facts: Path,
) -> Plan:
    actual = read_facts(str(facts))
    draft = make_draft(tuple(each.desired for each in found), inventory, actual, now=test.at)
    body = evolve(draft, guards=at_plan(draft, actual, test.at))
    return seal(body, created_at=test.at, created_by="test")


def _site(given: GivenSite) -> SiteDescription:
    """The default site, small, with the named databases and their servers alone."""
    site = default_site(scale=SCALE)
    kept = tuple(each for each in site.databases if each.name in given.databases)
    missing = sorted(set(given.databases) - {each.name for each in kept})
    if missing:
        known = ", ".join(each.name for each in site.databases)
        raise InvalidDocument(f"the site has no database {', '.join(missing)}; it has {known}")
    names = {name for each in kept for name in each.copies}
    servers = tuple(each for each in site.servers if each.name in names)
    groups = tuple(each for each in site.groups if set(each.servers) <= names)
    return evolve(site, databases=kept, servers=servers, groups=groups)


def _carried_out(night: Night, given: GivenSite) -> _Outcome:
    world = night.performer.world
    for fault in given.faults:
        _lay(world.faults, fault)
    before = truth_of(world)
    result = night.run_to_end()
    events = tuple(
        " ".join((record.kind.value, str(record.data["step"]).rpartition("/")[2]))
        for record in night.performer.records
        if record.kind in (RecordKind.INTENT, RecordKind.OUTCOME, RecordKind.SKIPPED)
    )
    return _Outcome(result=result, events=events, before=before, after=truth_of(world))


def _lay(faults: object, fault: Fault) -> None:
    from goexchange.world.faults import Faults

    assert isinstance(faults, Faults)
    if fault.kind is GivenFault.FLIPPED_BIT:
        faults.flip_bit_in_next_copy()
    elif fault.kind is GivenFault.TORN_COPY:
        faults.tear_next_copy()
    elif fault.kind is GivenFault.FAILED_BACKUP:
        faults.fail_next_backup()
    elif fault.kind is GivenFault.FAILED_MOUNT:
        faults.fail_next_mount(fault.of or "DB05", error=fault.error)
    else:
        faults.fail_next_eseutil(fault.of or "/d", error=fault.error)


def _of_plan(test: SpecificationTest, plan: Plan) -> Iterator[str]:
    body = plan.body
    decisions = {each.address: each for each in body.decisions}
    for address, need in test.needs:
        decision = decisions.get(address)
        seen = decision.need.value if decision is not None else "not in the plan"
        if seen != need.value:
            why = f" ({decision.explanation})" if decision is not None else ""
            yield f"{address} needs {seen}{why}; {need.value} is expected"
    for address, text in test.explanations:
        said = decisions[address].explanation if address in decisions else "nothing"
        if text not in said:
            yield f"of {address} the plan says '{said}'; '{text}' is expected in it"
    for address, names in test.steps:
        yield from _in_order(_steps(body, address), names, f"steps of {address}")
    shown = " ".join(render_plan(plan, PlanLayout(width=_WIDE, is_full=True)).split())
    for text in test.plan:
        if " ".join(text.split()) not in shown:
            yield f"the plan does not show '{text}'"
    if test.blocked_by is not None:
        no = (VerdictKind.BLOCK, VerdictKind.UNKNOWN)
        blocked = sorted({each.guard for each in body.guards if each.kind in no})
        if blocked != sorted(test.blocked_by):
            said = ", ".join(blocked) or "nothing"
            yield f"{said} says no; {', '.join(test.blocked_by) or 'nothing'} is expected to"


def _steps(body: PlanBody, address: str) -> list[str]:
    return [step.action.value for lane in body.lanes if lane.id == address for step in lane.steps]


def _of_run(test: SpecificationTest, outcome: _Outcome) -> Iterator[str]:
    if test.exit_code is not None and outcome.result.exit_code != test.exit_code:
        ended = f"{outcome.result.exit_code} ({outcome.result.verdict})"
        yield f"the run ends with {ended}; {test.exit_code} is expected"
    events = [event.replace("-", " ") for event in outcome.events]
    yield from _in_order(events, [each.replace("-", " ") for each in test.events], "events")
    for final in test.final:
        name = final.address.rpartition("/")[2]
        before, after = outcome.before.database(name), outcome.after.database(name)
        if final.is_mounted is not None and after.is_mounted is not final.is_mounted:
            state = "mounted" if after.is_mounted else "not mounted"
            yield f"{final.address} is {state} afterwards"
        is_other = _signature(before.present) != _signature(after.present)
        if final.is_rebuilt is not None and is_other is not final.is_rebuilt:
            yield f"{final.address} has {'another' if is_other else 'the same'} file afterwards"


def _signature(file: object) -> object:
    return getattr(file, "signature", None)


def _in_order(seen: Sequence[str], wanted: Sequence[str], what: str) -> Iterator[str]:
    """Each wanted one after the one before it; an event is wanted by its beginning and end."""
    at = 0
    for text in wanted:
        found = next((n for n in range(at, len(seen)) if _is(seen[n], text)), None)
        if found is None:
            after = f" after '{seen[at - 1]}'" if at else ""
            yield f"{what}: '{text}' does not come{after}; there are {json.dumps(list(seen))}"
            return
        at = found + 1


def _is(seen: str, wanted: str) -> bool:
    """`outcome swap` is `outcome 22 swap`: steps may be named without their numbers."""
    if seen == wanted:
        return True
    kind, _, rest = seen.partition(" ")
    number, _, name = rest.partition(" ")
    return number.isdecimal() and f"{kind} {name}" == wanted
