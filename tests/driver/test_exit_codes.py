"""Which exit code wins: the table of the documents, pair by pair."""

from __future__ import annotations

from itertools import combinations

import pytest

from goexchange.driver.ending import SEVERITY, VERDICTS, result_of
from goexchange.errors import ExitCode
from goexchange.journal.replay import RunState
from tests.driver.plans import plan_of, rebuild_lane

WINS = (24, 22, 23, 1, 25, 21, 20, 143, 130)  # as the documents say it, the worst first


@pytest.mark.parametrize(("worse", "better"), list(combinations(WINS, 2)))
def test_the_most_severe_wins_in_whatever_order_they_come(worse: int, better: int) -> None:
    plan, state = plan_of(rebuild_lane()), RunState()
    for also in ((worse, better), (better, worse)):
        result = result_of(plan, state, also=tuple(map(ExitCode, also)))
        assert result.exit_code == worse
        assert result.verdict == VERDICTS[ExitCode(worse)]


def test_the_table_is_complete() -> None:
    assert tuple(map(int, SEVERITY)) == WINS
    after_a_start = {code for code in ExitCode if 20 <= code <= 25 or code in (1, 130, 143)}
    assert set(SEVERITY) == after_a_start
    assert set(VERDICTS) == after_a_start | {ExitCode.OK}
