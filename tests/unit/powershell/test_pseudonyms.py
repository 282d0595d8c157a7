"""Transcripts without secrets and without names."""

from __future__ import annotations

from goexchange.powershell.pseudonyms import Pseudonyms

NAMES = (("EX01", "host"), ("ex01.contoso.example", "host"), ("contoso.example", "domain"),
         ("DB05", "database"), ("svc-gx", "user"))  # fmt: skip


def test_the_same_name_is_the_same_pseudonym_whatever_its_case() -> None:
    names = Pseudonyms(NAMES)
    text = names.text("EX01 ex01.contoso.example Ex01: DB05, db05.edb; fs.contoso.example")
    for name in ("ex01", "contoso", "db05"):
        assert name not in text.lower()
    assert text.split()[0] == text.split()[2].rstrip(":")
    assert names.text("EX01") == text.split()[0]


def test_a_name_inside_another_word_stays() -> None:
    assert Pseudonyms(NAMES).text("EX010 XDB05X") == "EX010 XDB05X"


def test_a_canary_secret_and_what_looks_like_an_identity_are_gone() -> None:
    plain = {
        "command": "agent.exe /password:canary-4711 --user svc-gx",
        "url": "https://me:canary-4711@10.11.12.13/x",
        "sids": ["S-1-5-21-1111-2222-3333-500", "somebody@fabrikam.example"],
        "path": "\\\\files77\\exchange$\\sets",
        "EX01": 3,
    }
    told = str(Pseudonyms(NAMES).plain(plain)).lower()
    for word in ("canary", "svc-gx", "10.11.12.13", "s-1-5-21", "fabrikam", "files77", "ex01"):
        assert word not in told, word
    assert "sets" in told and "3" in told


def test_builds_are_no_addresses() -> None:
    text = "15.2.1544.39 5.1.20348.2849 10.0.17763.1"
    assert Pseudonyms(NAMES).text(text) == text
