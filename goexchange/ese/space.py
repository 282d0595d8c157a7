"""The space trees of a database: how many pages it owns, and which of them are free.

Shape: page 2 is the root of the extents that the database owns, page 3 of those still available. A
leaf node's key ends with the last page of its extent (big-endian), its data is the number of pages;
an inner node's data is a child page.
Source: ESE source, space.cxx and node.cxx; true on 44 of 45 real databases.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from attrs import frozen

from goexchange.ese.pages import BIG_PAGE, FLAGS_OFFSET, correct_page, verify_pages

Reader = Callable[[int, int], bytes]
"""Bytes of a file from an offset: `read(offset, length)`; fewer at the end of the file."""

OWNED_ROOT = 2
AVAILABLE_ROOT = 3

FLAG_ROOT = 1
FLAG_LEAF = 2
FLAG_PARENT_OF_LEAF = 4
FLAG_SPACE_TREE = 0x20

_NODE_DELETED = 2
_NODE_PREFIXED = 4
_DEPTH_MAX = 16
_TAG_BYTES = 4


@frozen
class Node:
    """One node of a page: its key (without what it shares with the page's prefix) and its data."""

    key: bytes
    content: bytes
    is_deleted: bool = False


@frozen(order=True)
class Extent:
    """A run of pages."""

    last_page: int
    pages: int

    @property
    def first_page(self) -> int:
        return self.last_page - self.pages + 1


class UnreadableTree(Exception):
    """A space tree does not hold together; callers of this module get None instead."""


def page_header_bytes(page_size: int) -> int:
    """Length of a page's header."""
    return 80 if page_size >= BIG_PAGE else 40


def owned_pages(read: Reader, page_size: int, *, has_checksums: bool = True) -> int | None:
    """The last page that the database owns, which the file must be long enough to hold.

    Shape: a temporary database has no checksums that its pages could be held to.
    Unknown: None when the right edge of the tree cannot be walked: a page that is blank, damaged or
    from elsewhere tells nothing. One flipped bit is turned back first.
    """
    try:
        page = OWNED_ROOT
        for _ in range(_DEPTH_MAX):
            flags, nodes = _tree_page(read, page, page_size, has_checksums)
            if flags & FLAG_LEAF:
                return _extent(nodes[-1]).last_page if nodes else None
            page = _child(nodes[-1]) if nodes else 0
        return None
    except UnreadableTree:
        return None


def free_extents(read: Reader, page_size: int) -> tuple[Extent, ...] | None:
    """The extents available at the root of the database, in order.

    Unknown: None when the tree cannot be walked.
    """
    try:
        return tuple(_leaf_extents(read, AVAILABLE_ROOT, page_size))
    except UnreadableTree:
        return None


def free_pages(read: Reader, page_size: int) -> int | None:
    """How many pages are available: what a defragmentation gives back.

    Unknown: None when the tree cannot be walked.
    """
    extents = free_extents(read, page_size)
    return None if extents is None else sum(each.pages for each in extents)


def page_nodes(page: bytes) -> list[Node]:
    """The nodes of a page, without the external header.

    Raises: UnreadableTree when a tag points outside the page.
    """
    is_big = len(page) >= BIG_PAGE
    start = page_header_bytes(len(page))
    count = struct.unpack_from("<H", page, 34)[0] & 0xFFF
    if count * _TAG_BYTES > len(page) - start:
        raise UnreadableTree
    length_mask = 0x7FFF if is_big else 0x1FFF
    nodes = []
    for index in range(1, count):
        size, offset = struct.unpack_from("<HH", page, len(page) - _TAG_BYTES * (index + 1))
        body = page[start + (offset & length_mask) :][: size & length_mask]
        if len(body) < (size & length_mask) or len(body) < 2:
            raise UnreadableTree
        flags = body[1] >> 5 if is_big else offset >> 13
        nodes.append(_node(body, flags))
    return nodes


def _node(body: bytes, flags: int) -> Node:
    position = 2 if flags & _NODE_PREFIXED else 0
    length = int.from_bytes(body[position : position + 2], "little") & 0x1FFF
    key = body[position + 2 : position + 2 + length]
    if len(key) < length:
        raise UnreadableTree
    return Node(key, body[position + 2 + length :], bool(flags & _NODE_DELETED))


def _tree_page(
    read: Reader, number: int, page_size: int, has_checksums: bool = True
) -> tuple[int, list[Node]]:
    page = read((number + 1) * page_size, page_size) if number > 0 else b""
    if len(page) < page_size or not any(page):
        raise UnreadableTree
    if has_checksums:
        page = _believed(page, number)
    flags = int.from_bytes(page[FLAGS_OFFSET : FLAGS_OFFSET + 4], "little")
    return flags, page_nodes(page)


def _believed(page: bytes, number: int) -> bytes:
    """The page as it was written; what it says decides which pages count at all."""
    verdicts = verify_pages(page, number, len(page))
    if verdicts.good:
        return page
    if verdicts.correctable and verdicts.findings[0].bit is not None:
        return correct_page(page, verdicts.findings[0].bit)
    raise UnreadableTree


def _extent(node: Node) -> Extent:
    if len(node.key) < 4 or len(node.content) < 4:
        raise UnreadableTree
    pages = int.from_bytes(node.content[:4], "little")
    return Extent(int.from_bytes(node.key[-4:], "big"), pages)


def _child(node: Node) -> int:
    return int.from_bytes(node.content[:4], "little")


def _leaf_extents(read: Reader, root: int, page_size: int) -> list[Extent]:
    found: list[Extent] = []
    waiting = [root]
    seen = set()
    while waiting:
        number = waiting.pop()
        if number in seen:
            raise UnreadableTree
        seen.add(number)
        flags, nodes = _tree_page(read, number, page_size)
        if flags & FLAG_LEAF:
            found.extend(_extent(node) for node in nodes if not node.is_deleted)
        else:
            waiting.extend(_child(node) for node in reversed(nodes))
    return found
