from __future__ import annotations

import pytest

from tests.simulation.world.hands import Hands, take_hold


@pytest.fixture
def hands() -> Hands:
    return take_hold()
