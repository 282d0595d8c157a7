"""A specification to a DesiredState: every default explicit, every value with its place."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from goexchange.documents import Document, digest
from goexchange.errors import Diagnostic, Place
from goexchange.model.desired import (
    ActiveCopies,
    Audience,
    Conditions,
    Consent,
    DesiredState,
    ErrorCorrection,
    MissedPolicy,
    MtaMessages,
    Notification,
    NotificationEvent,
    OverrunPolicy,
    RebuildBrake,
    ReplicatedRebuild,
    ReportFormat,
    Reports,
    ResourceCheckSchedule,
    Schedule,
    Script,
    ScriptChoice,
    Strategy,
    Targets,
    Variable,
    VerifyMode,
)
from goexchange.reading import Findings, Section, duration_s, has_errors, ratio, root_section
from goexchange.schema import check_document
from goexchange.spec.backup import read_backup_actions, read_conflicts
from goexchange.spec.check import check_specification
from goexchange.spec.processes import read_down_processes, read_processes


def load_specification(
    document: Document, *, known: Collection[Place] = ()
) -> tuple[DesiredState | None, tuple[Diagnostic, ...]]:
    """Return what a specification wants, with everything that is wrong in it by itself.

    Unknown: None when an error prevents it; with warnings there is a desired state. `known` are
    places that other diagnostics speak of already.
    """
    found = check_document(document, kind="Specification", known=known)
    if has_errors(found):
        return None, found
    findings = Findings([document])
    desired = _desired_state(document, findings)
    check_specification(desired, findings)
    found += findings.all()
    return (None if has_errors(found) else desired), found


def _desired_state(document: Document, findings: Findings) -> DesiredState:
    root = root_section(document)
    metadata = root.section("metadata")
    backup = root.section("backup")
    processes = root.section("custom_processes")
    return DesiredState(
        name=metadata.text("name"),
        owner=metadata.optional_text("owner"),
        description=metadata.optional_text("description"),
        document_digest=digest(document),
        targets=_targets(root.section("targets")),
        conditions=_conditions(root.section("desired")),
        script=_script(root.section("script")),
        backup_before=read_backup_actions(backup.section("before"), findings),
        backup_after=read_backup_actions(backup.section("after"), findings, is_after=True),
        conflicts=read_conflicts(backup.section("conflicts")),
        processes_before=read_processes(processes, "before"),
        processes_after=read_processes(processes, "after"),
        schedule=_schedule(root.section("schedule"), findings),
        strategy=_strategy(root.section("strategy")),
        notifications=tuple(_notification(part) for part in root.sections("notifications")),
        reports=_reports(root.section("reports")),
        services_stopped=root.section("services").texts("stop_while_down"),
        services_place=root.section("services").place,
        processes_down=read_down_processes(processes),
        place=root.place,
    )


def _targets(part: Section) -> Targets:
    databases = part.section("databases")
    return Targets(
        servers=part.texts("servers"),
        server_places=part.places("servers"),
        include=databases.texts("include"),
        include_places=databases.places("include"),
        exclude=databases.texts("exclude"),
        exclude_places=databases.places("exclude"),
        place=part.place,
    )


def _conditions(part: Section) -> Conditions:
    white_space = part.optional_text("white_space_max")
    return Conditions(
        mounted=part.boolean("mounted"),
        mounted_place=part.place_of("mounted"),
        white_space_max=None if white_space is None else ratio(white_space),
        white_space_max_place=part.place_of("white_space_max"),
        verified_within_s=part.optional_duration_s("verified_within"),
        verified_within_place=part.place_of("verified_within"),
        online_full_backup_within_s=part.optional_duration_s("online_full_backup_within"),
        online_full_backup_within_place=part.place_of("online_full_backup_within"),
        measured_within_s=part.optional_duration_s("measured_within"),
        measured_within_place=part.place_of("measured_within"),
        offline_backup_within_s=part.optional_duration_s("offline_backup_within"),
        offline_backup_within_place=part.place_of("offline_backup_within"),
        place=part.place,
        maintained_within_s=part.optional_duration_s("maintained_within"),
        maintained_within_place=part.place_of("maintained_within"),
    )


def _script(part: Section) -> ScriptChoice:
    correction = part.section("error_correction")
    rebuild = part.section("rebuild")
    return ScriptChoice(
        script=part.choice("name", Script),
        error_correction=ErrorCorrection(
            primary_passes_max=correction.integer("primary_passes_max"),
            defragmented_passes_max=correction.integer("defragmented_passes_max"),
            treat_warnings_as_errors=correction.boolean("treat_warnings_as_errors"),
            place=correction.place,
        ),
        verify=part.choice("verify", VerifyMode),
        rebuild=RebuildBrake(
            not_again_within_s=rebuild.duration_s("not_again_within"),
            gain_min_bytes=rebuild.size_bytes("gain_min"),
            place=rebuild.place,
            replicated=rebuild.choice("replicated", ReplicatedRebuild),
        ),
        forbid=part.choices("forbid", Consent),
        forbid_place=part.place_of("forbid"),
        place=part.place_of("name"),
        mta_removes=part.choices("mta_removes", MtaMessages),
        active_copies=part.choice("active_copies", ActiveCopies),
    )


def _schedule(part: Section, findings: Findings) -> Schedule:
    check = part.section("resource_check") if part.has("resource_check") else None
    return Schedule(
        window=part.optional_text("window"),
        window_place=part.place_of("window"),
        due=part.optional_text("due"),
        due_place=part.place_of("due"),
        every_s=part.optional_duration_s("every"),
        every_place=part.place_of("every"),
        missed=part.choice("missed", MissedPolicy),
        missed_place=part.place_of("missed"),
        run_time_max_s=part.optional_duration_s("run_time_max"),
        overrun=part.choice("overrun", OverrunPolicy),
        resource_check=None if check is None else _resource_check(check),
        place=part.place,
        starting=_day(part, "starting", findings),
        missed_after_s=part.duration_s("missed_after"),
    )


def _day(part: Section, name: str, findings: Findings) -> date | None:
    text = part.optional_text(name)
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:  # the form is right, the calendar has no such day
        detail = f"'{text}' is no day of the calendar. Write it like 2026-11-28."
        findings.add("wrong-form", detail=detail, place=part.place_of(name))
        return None


def _resource_check(part: Section) -> ResourceCheckSchedule:
    return ResourceCheckSchedule(
        due=part.text("due"), every_s=part.duration_s("every"), place=part.place
    )


def _strategy(part: Section) -> Strategy:
    return Strategy(
        canary=part.optional_text("canary"),
        canary_place=part.place_of("canary"),
        servers_at_once=part.integer("servers_at_once"),
        servers_at_once_place=part.place_of("servers_at_once"),
        batches=part.integers("batches"),
        failures_max=part.integer("failures_max"),
        place=part.place,
    )


def _notification(part: Section) -> Notification:
    return Notification(
        event=part.choice("event", NotificationEvent),
        audience=part.choice("audience", Audience),
        to=part.texts("to"),
        channels=part.texts("channels"),
        before_s=tuple(duration_s(text) for text in part.texts("before")),
        template=part.optional_text("template"),
        variables=tuple(
            Variable(name=name, value=value) for name, value in part.words("variables")
        ),
        place=part.place,
    )


def _reports(part: Section) -> Reports:
    return Reports(formats=part.choices("formats", ReportFormat), place=part.place_of("formats"))
