"""Bytes in, messages out: however they are cut into pieces, and however long they are."""

from __future__ import annotations

import re
import zlib
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm_memristor.rig import messages as protocol
from vsafsm_memristor.rig_simulator.messages import MOST_HEAD, Incoming, Line, Message, Refused
from vsafsm_memristor.rig_simulator.refusals import Code, RefusalError

MOST = 300


def admit(head):
    if head.length > MOST:
        raise RefusalError("LENGTH", "too long")


def message(block, name=b"RIG:WHAT", number=7):
    head = b"%s %08X,0," % (name, number)
    return head + b"%08X,#9%09d" % (zlib.crc32(head + block), len(block)) + block + b"\n"


def test_refusals_have_the_codes_of_the_protocol():
    table = re.findall(r"^``([A-Z]+)`` ", protocol.__doc__, re.MULTILINE)
    assert sorted(get_args(Code)) == sorted(table)


PIECES = st.lists(
    st.one_of(
        st.binary(max_size=MOST + 100).map(message),
        st.binary(max_size=120).map(lambda data: data.replace(b"\n", b" ") + b"\n"),
        st.sampled_from([b"*IDN?\n", b"*RST\n", b"\n", b"RIG:CAP? 0,0,0,#9\n"]),
    ),
    max_size=6,
)


@given(PIECES, st.lists(st.integers(1, 50), min_size=1))
def test_pieces_make_no_difference(sent, sizes):
    whole = b"".join(sent)
    expected = list(Incoming(admit).feed(whole))
    incoming, found, place, count = Incoming(admit), [], 0, 0
    while place < len(whole):
        size = sizes[count % len(sizes)]
        found += incoming.feed(whole[place : place + size])
        place, count = place + size, count + 1
        assert incoming.held <= MOST + 1 + MOST_HEAD
    assert found == expected


@given(st.lists(st.binary(max_size=MOST), min_size=1, max_size=5), st.binary(max_size=2000))
def test_messages_come_whole_before_and_after_nonsense(blocks, nonsense):
    incoming = Incoming(admit)
    for block in blocks:
        (found,) = incoming.feed(message(block))
        assert (found.block, found.end, found.head.number) == (block, b"\n", 7)
    list(incoming.feed(nonsense))
    list(incoming.give_up())
    assert incoming.idle
    (found,) = incoming.feed(message(blocks[0]))
    assert found.block == blocks[0]


@pytest.mark.parametrize(
    ("sent", "kinds"),
    [
        (b"*IDN?\n" + message(b""), [Line, Message]),
        (b"x" * 10_000 + b"\n" + message(b""), [Refused, Message]),
        (message(b"y" * (MOST + 1)) + message(b""), [Refused, Message]),
        (b"\n\r\n" + message(b""), [Message]),
        (b"nonsense\n*IDN?\n", [Refused, Line]),
        (message(b"a\nb") + b"*IDN?\n", [Message, Line]),
    ],
)
def test_what_comes_of_lines(sent, kinds):
    assert [type(each) for each in Incoming(admit).feed(sent)] == kinds


def test_what_was_begun_is_given_up_with_its_number():
    incoming = Incoming(admit)
    assert list(incoming.give_up()) == []
    assert list(incoming.feed(message(b"12345")[:-3])) == []
    (given,) = incoming.give_up()
    assert (given.number, given.reply.split()[0]) == (7, "TIMEOUT")
    (found,) = incoming.feed(message(b""))
    assert isinstance(found, Message)
