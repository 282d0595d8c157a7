"""Two databases of one storage group write one log stream; isinteg offers what is dismounted."""

from __future__ import annotations

import base64

import pytest
from attrs import evolve

from goexchange.world.files import FileRefused
from goexchange.world.site import default_site, with_old_server
from tests.simulation.world.hands import Hands, take_hold

CURRENT = "L:\\DB21\\E01.log"


@pytest.fixture
def old() -> Hands:
    hands = take_hold(site=with_old_server(default_site(scale=0.03), scale=0.03))
    return evolve(hands, host="EX06")


def told(hands: Hands, cmdlet: str, name: str) -> None:
    database = hands.world.database_named(name)
    given = {"identity": str(database.guid), "mount_at_startup": None, "node": None}
    assert hands.change("tell-snapin", cmdlet=cmdlet, **given)["errors"] == []


def test_the_current_log_is_open_until_the_last_of_the_group_is_down(old: Hands) -> None:
    files = old.world.hosts["EX06"].files
    one, other = (old.world.database_named(name) for name in ("DB21", "DB22"))
    assert one.stream is other.stream and files.is_open(CURRENT)
    before = one.stream.generation
    told(old, "Dismount-Database", "DB21")
    assert files.is_open(CURRENT) and not files.is_open(one.edb_path)
    with pytest.raises(FileRefused):
        files.rename(CURRENT, CURRENT + ".away")
    old.world.mail("DB22")
    assert one.stream.generation == before + 1
    told(old, "Mount-Database", "DB21")
    told(old, "Dismount-Database", "DB22")
    assert files.is_open(CURRENT)
    told(old, "Dismount-Database", "DB21")
    assert not files.is_open(CURRENT)


def test_a_host_that_restarts_has_both_again(old: Hands) -> None:
    old.world.reboot("EX06")
    assert not old.world.database_named("DB21").stream.users
    old.clock.move(seconds=200)
    old.world.advance()
    assert all(old.world.database_named(name).mounted_on for name in ("DB21", "DB22"))


def integrity(hands: Hands, **differs: object) -> dict[str, object]:
    request = {
        "tool": "C:\\Program Files\\Microsoft\\Exchange Server\\Bin\\isinteg.exe",
        "server": "EX06", "group": "First Storage Group", "database": "DB20", "fix": True,
        **differs,
    }  # fmt: skip
    job = hands.start("isinteg", **request)
    hands.clock.move(seconds=600)
    hands.world.advance()
    return hands.poll(job)


def test_isinteg_corrects_a_database_that_is_down_and_leaves_others_alone(old: Hands) -> None:
    mounted = integrity(old)
    assert mounted["result"]["ended"] == "not-offered"  # type: ignore[index]
    told(old, "Dismount-Database", "DB20")
    looked = integrity(old, fix=False)
    assert b"2 error(s); 0 warning(s); 0 fix(es)" in _printed(looked)
    assert b"2 error(s); 0 warning(s); 2 fix(es)" in _printed(integrity(old))
    assert b"2 error(s)" not in _printed(integrity(old))
    assert integrity(old, group="Another")["result"]["ended"] == "not-offered"  # type: ignore[index]
    assert integrity(old, tool="C:\\isinteg.exe")["exit_code"] == -1


def _printed(answer: dict[str, object]) -> bytes:
    return base64.b64decode(str(answer["output"]))
