"""What processes behind one port know of each other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from slotbeam.cli.sibling import Connections, Sibling
from slotbeam.errors import ShuttingDown


def test_a_process_with_more_connections_than_another_knows_so(tmp_path: Path) -> None:
    one, two, three = (Connections(tmp_path / "table", number) for number in (1, 2, 3))
    one.set(5)
    assert not one.has_more(), "nobody else takes any"
    two.set(5)
    assert (one.has_more(), two.has_more()) == (False, False)
    one.set(6)
    assert (one.has_more(), two.has_more()) == (True, False)
    three.set(0)
    assert (one.has_more(), two.has_more(), three.has_more()) == (True, True, False)
    three.leave()
    one.leave(2)
    assert not one.has_more(), "they take none any more"


async def test_the_parent_is_told_what_a_process_counts_and_answers_with_what_all_have(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.write(b"whole" if heard[-1].split()[1] == b"all" else b"")
        writer.close()

    sibling = Sibling(tmp_path, 3)
    async with await asyncio.start_unix_server(hear, sibling.parent):
        assert await sibling.tell(b"a 1\n") == b"whole"
        assert await sibling.tell(b"a 2\n", last=True) == b""
    assert [said.partition(b"\n")[2] for said in heard] == [b"a 1\n", b"a 2\n"]


async def test_a_parent_that_does_not_answer_is_no_whole_and_no_last_word_waits_for_it(tmp_path: Path) -> None:
    sibling = Sibling(tmp_path, 1)
    assert await sibling.tell(b"a 1\n", last=True) == b""
    with pytest.raises(ShuttingDown, match="ask again"):
        await sibling.tell(b"a 1\n")
