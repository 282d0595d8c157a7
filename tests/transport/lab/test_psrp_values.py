"""How values look on the wire, in CLIXML."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from psrpcore.types import PSCryptoProvider, serialize
from pypsrp.serializer import Serializer

from goexchange.lab.psrp_values import serialised
from goexchange.world.values import (
    EnumValue,
    ExchangeObject,
    LongPath,
    ServerVersion,
    Size,
    TimeSpan,
    UnlimitedSize,
    Value,
)

STATE = EnumValue("Microsoft.Exchange.Data.ServiceState", "Active, Draining", 5)


def clixml(value: Value) -> str:
    element = serialize(serialised(value), PSCryptoProvider())
    return ElementTree.tostring(element, encoding="unicode")


def test_size_is_text_only() -> None:
    assert clixml(Size.of(5_368_709_120)) == (
        '<Obj RefId="0"><TN RefId="0"><T>Microsoft.Exchange.Data.ByteQuantifiedSize</T>'
        "<T>System.ValueType</T><T>System.Object</T></TN>"
        "<ToString>5 GB (5,368,709,120 bytes)</ToString></Obj>")


def test_enum_has_text_and_number() -> None:
    assert clixml(STATE) == (
        '<Obj RefId="0"><I32>5</I32><TN RefId="0"><T>Microsoft.Exchange.Data.ServiceState</T>'
        "<T>System.Enum</T><T>System.ValueType</T><T>System.Object</T></TN>"
        "<ToString>Active, Draining</ToString></Obj>")


@pytest.mark.parametrize(("value", "expected"), [
    (None, "<Nil />"),
    (True, "<B>true</B>"),
    (7, "<I32>7</I32>"),
    (2**40, f"<I64>{2**40}</I64>"),
    (1.5, "<Db>1.5</Db>"),
    ("a_x1\u0007", "<S>a_x005F_x1_x0007_</S>"),
    (uuid.UUID(int=1), "<G>00000000-0000-0000-0000-000000000001</G>"),
])
def test_plain_values(value: Value, expected: str) -> None:
    assert clixml(value) == expected


@pytest.mark.parametrize(("value", "text"), [
    (TimeSpan.of(days=10), "10.00:00:00"),
    (TimeSpan.of(hours=1, minutes=2, seconds=3.5), "01:02:03.5000000"),
    (TimeSpan(-600_000_000), "-00:01:00"),
    (UnlimitedSize(), "Unlimited"),
    (UnlimitedSize(Size.of(1024)), "1 KB (1,024 bytes)"),
    (LongPath("\\\\backup\\x"), "\\\\backup\\x"),
    (ServerVersion(15, 2, 986, 5), "Version 15.2 (Build 986.5)"),
])
def test_objects_have_their_text(value: Value, text: str) -> None:
    assert f"<ToString>{text}</ToString>" in clixml(value)


def test_client_reads_the_same_enum_twice() -> None:
    source = ExchangeObject(type_names=("A", "System.Object"), to_string="a",
                            properties={"First": STATE, "Second": STATE, "List": (STATE, None)})
    read: Any = Serializer().deserialize(clixml(source))
    texts = {name: read.adapted_properties[name].to_string for name in ("First", "Second")}
    assert texts == {"First": "Active, Draining", "Second": "Active, Draining"}
    assert [each and each.to_string for each in read.adapted_properties["List"]] == [
        "Active, Draining", None]
