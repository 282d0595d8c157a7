"""One full backup by the engine's own events, of the very files and in the very time; anything that
leaves open whose it was is none.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from goexchange.facts.streamed_backup import Within, instance_of, is_one_full_backup, told_of
from goexchange.model.actual import HostEvent

AT = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
GROUP, OTHER = "0f8b6a7e-0000-4000-8000-00000000a001", "0f8b6a7e-0000-4000-8000-00000000b002"
FILES = ("D:\\DB05\\DB05.edb", "D:\\DB05\\DB05.stm")
WITHIN = Within(
    begins=AT + timedelta(milliseconds=700), ends=AT + timedelta(minutes=10, milliseconds=200)
)
TEXTS = {210: "A full backup is starting.", 213: "The backup procedure has been successfully"
         " completed.", 215: "The backup has been stopped.", 211: "An incremental backup is"
         " starting.", 224: "Deleting log files L:\\E0000001.log to L:\\E0000002.log."}  # fmt: skip


def told(event_id: int, seconds: float, *, group: str = GROUP, file: str = "") -> HostEvent:
    text = f"Ending the backup of the file {file}." if file else TEXTS[event_id]
    return HostEvent(
        log="Application", provider="ESE", event_id=event_id,
        at_utc=AT + timedelta(seconds=seconds), text=f"Information Store (1812) {group}: {text}",
    )  # fmt: skip


def trail(begins: float = 2, ends: float = 600, *, group: str = GROUP) -> list[HostEvent]:
    return [
        told(210, begins, group=group),
        *(told(221, (begins + ends) / 2, group=group, file=each) for each in FILES),
        told(213, ends, group=group),
    ]


def is_one(*events: HostEvent) -> bool:
    return is_one_full_backup(events, files=FILES, within=WITHIN)


def test_a_whole_trail_of_that_time_is_one_backup() -> None:
    assert is_one(*trail()) and is_one(*reversed(trail()))
    assert is_one(*trail(), *[told(each, 700, group=OTHER) for each in (210, 213)])
    assert is_one(*trail(begins=0))  # the log keeps whole seconds
    assert is_one(*trail(ends=601))


@pytest.mark.parametrize(
    "events",
    [
        [],
        trail(begins=-1),  # begun before: somebody else's
        trail(ends=602),  # ended after the process: somebody else's
        trail()[1:],
        trail()[:-1],
        [each for each in trail() if not each.text.endswith(".stm.")],
        [each for each in trail() if not each.text.endswith(".edb.")],
        [*trail(), told(210, 601)],
        [*trail(), told(213, 601)],
        [*trail(), told(215, 300)],
        [told(211, 2), *trail()[1:]],
        [*trail(begins=300, ends=200)],  # it ended before it began
        [*trail()[:1], told(221, 1, file=FILES[0]), *trail()[2:]],  # read before the begin
        [*trail(), told(221, 3, group=OTHER, file=FILES[0])],  # of which group is not known
        [*trail()[:1], *trail(group=OTHER)[1:]],
    ],
)
def test_what_leaves_open_whose_it_was_is_none(events: list[HostEvent]) -> None:
    assert not is_one(*events)


def test_without_files_or_in_another_form_nothing_is_told() -> None:
    assert not is_one_full_backup(trail(), files=(), within=WITHIN)
    strange = [HostEvent(log="Application", provider="ESE", event_id=each.event_id,
                         at_utc=each.at_utc, text=each.text.replace("(1812)", "1812"))
               for each in trail()]  # fmt: skip
    assert instance_of(strange[0]) is None and not is_one(*strange)
    assert told_of([*trail(), told(224, 500)], files=FILES, within=WITHIN) == {210, 221, 213, 224}
