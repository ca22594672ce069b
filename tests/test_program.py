"""The program file: the same bytes back, and nothing else is ever believed or executed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm import errors as e
from vsafsm.formats import formats
from vsafsm.machine import Machine, Transition
from vsafsm.program import (
    FORMAT_VERSION,
    Program,
    _fit,
    _members,
    is_program,
    load_program,
)
from vsafsm.requirements import Requirements
from vsafsm.testing import machines

Compiled = Callable[..., Program]
Members = dict[str, bytes]
shared_folder = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="session")
def program(compiled: Compiled, turnstile: Machine) -> Program:
    return compiled(turnstile, dimension=40, margin=0.05)


@pytest.fixture
def load(tmp_path: Path) -> Callable[[bytes], Program]:
    def loaded(data: bytes) -> Program:
        path = tmp_path / "p.npz"
        path.write_bytes(data)
        return load_program(path)

    return loaded


def npy(array: Any, **options: bool) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array), version=(1, 0), **options)
    return buffer.getvalue()


def header(descr: str, shape: tuple[int, ...], body: bytes = b"", fortran: bool = False) -> bytes:
    """A .npy whose header claims what it likes."""
    return headed(
        f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}".encode(), body
    )


def headed(text: bytes, body: bytes = b"") -> bytes:
    """A .npy with any text for a header."""
    text += b" " * (-(10 + len(text) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


def unpacked(data: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}


def packed(members: Members, kind: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, raw in members.items():
            archive.writestr(f"{name}.npy", raw)
    return buffer.getvalue()


def forged(
    program: Program, change: Callable[[dict[str, Any]], object] | None = None, **arrays: Any
) -> bytes:
    """The program with other metadata or arrays, and the hash that fits them: what somebody
    malicious would write.
    """
    members = {name: np.load(io.BytesIO(raw)) for name, raw in unpacked(program.to_bytes()).items()}
    metadata = json.loads(members["metadata"].tobytes())
    if change:
        change(metadata)
    members["metadata"] = np.frombuffer(
        json.dumps(metadata, sort_keys=True, separators=(",", ":")).encode(), np.uint8
    )
    members.update(arrays)
    del members["content_hash"]
    digest = hashlib.sha256()
    for name in sorted(members):
        array = np.ascontiguousarray(members[name])
        digest.update(f"{name}:{array.dtype.str}:{array.shape};".encode() + array.tobytes())
    members["content_hash"] = np.frombuffer(digest.digest(), np.uint8)
    return packed({name: npy(array) for name, array in members.items()})


# ---- there and back


OPTIONS: list[dict[str, Any]] = [
    {},
    {"code": "dense", "bits": 12},
    {"inhibition": "separate", "bits": 4, "dimension": 200},
    {"rule": "one-shot", "dimension": 256, "seed": 3},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_program_comes_back_as_it_was(
    compiled: Compiled, turnstile: Machine, tmp_path: Path, options: dict[str, Any]
) -> None:
    before = compiled(turnstile, **options)
    before.save(tmp_path / "p.npz")
    after = load_program(tmp_path / "p.npz")
    for name in (
        "machine",
        "options",
        "requirements",
        "target",
        "claim",
        "smallest",
        "content_hash",
        "lowered",
    ):
        assert getattr(after, name) == getattr(before, name)
    for name in ("weights", "masks", "codes"):
        one, two = getattr(before.network, name), getattr(after.network, name)
        assert one.dtype == two.dtype
        assert (one == two).all()
    for name in (
        "gain",
        "scale",
        "bits",
        "labels",
        "start",
        "states",
        "inputs",
        "moore",
        "contract",
    ):
        assert getattr(after.network, name) == getattr(before.network, name)
    assert after.to_bytes() == before.to_bytes() == (tmp_path / "p.npz").read_bytes()
    assert after.grid() == before.grid()


@given(data=st.data())
@settings(shared_folder, max_examples=25)
def test_any_small_machine_goes_there_and_back(
    data: st.DataObject,
    small_machine_strategy: Callable[..., st.SearchStrategy[Machine]],
    load: Any,
) -> None:
    machine = data.draw(small_machine_strategy())
    options = data.draw(
        st.sampled_from([(), (("bits", 8),), (("margin", 0.25), ("code", "sparse"))])
    )
    before = vsafsm.compile(
        replace(machine, compile_options=options),
        dimension=128,
        rule="one-shot",
        allow_unproven=True,
    )
    after = load(before.to_bytes())
    assert after.machine == before.machine
    assert after.to_bytes() == before.to_bytes()


def test_names_of_every_script_go_there_and_back(load: Any, turnstile: Machine) -> None:
    machine = replace(turnstile, name="Дверь 名前", inputs=("é", '"\\'), moore=(("ö",), ("½",)))
    assert load(vsafsm.compile(machine).to_bytes()).machine == machine


def test_numpy_reads_it_without_pickle(program: Program, tmp_path: Path) -> None:
    program.save(tmp_path / "p.npz")
    with np.load(tmp_path / "p.npz", allow_pickle=False) as found:
        assert (found["blocks"][0] == program.network.weights).all()
        assert json.loads(found["metadata"].tobytes())["version"] == FORMAT_VERSION


@pytest.mark.parametrize(
    ("trigger", "compile_options", "least_margin"),
    [
        ("event", (("bits", "6"), ("margin", 0)), 0),
        ("level", (("margin", "auto"), ("seed", "1")), None),
    ],
)
def test_whole_numbers_for_real_ones_and_numbers_as_text_come_back_as_they_were(
    load: Any, turnstile: Machine, trigger: str, compile_options: Any, least_margin: int | None
) -> None:
    table = tuple(tuple(Transition(taken.to) for taken in row) for row in turnstile.table)
    machine = replace(turnstile, table=table, compile_options=compile_options)
    before = vsafsm.compile(machine, dimension=128, trigger=trigger, allow_unproven=True)
    before = replace(
        before,
        network=replace(before.network, scale=8),
        requirements=replace(before.requirements, least_margin=least_margin),
        claim=replace(before.claim, radius=0),
    )
    assert load(before.to_bytes()).to_bytes() == before.to_bytes()


@pytest.mark.parametrize("name", [field.name for field in fields(Requirements)])
def test_every_requirement_comes_back(load: Any, program: Program, name: str) -> None:
    value = {"folded": True, "one_matrix": True, "rule": "one-shot", "least_margin": 0.5}.get(
        name, 2
    )
    before = replace(program, requirements=Requirements(**{name: value}))
    assert load(before.to_bytes()).requirements == before.requirements
    assert load(before.to_bytes()).to_bytes() == before.to_bytes()


def test_the_hash_covers_everything(program: Program) -> None:
    changes = [
        replace(program, target="other"),
        replace(program, smallest=1),
        replace(program, claim=replace(program.claim, radius=9.0)),
        replace(program, options=replace(program.options, seed=1)),
        replace(program, machine=replace(program.machine, name="other")),
        replace(program, network=program.network.with_weights(-program.network.weights)),
        replace(program, network=replace(program.network, masks=~program.network.masks)),
        replace(program, network=replace(program.network, codes=program.network.codes[::-1])),
    ]
    assert (
        len({program.content_hash, *(changed.content_hash for changed in changes)})
        == len(changes) + 1
    )


# ---- writing


def test_saving_replaces_the_file_whole_and_leaves_nothing_else(
    program: Program, tmp_path: Path
) -> None:
    path = tmp_path / "p.npz"
    path.write_bytes(b"old")
    program.save(path)
    assert path.read_bytes() == program.to_bytes()
    assert list(tmp_path.iterdir()) == [path]


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.npz"
    path.write_bytes(b"old")

    def full(*arguments: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vsafsm.files.os.fsync", full)
    with pytest.raises(e.FileError, match="No space left"):
        program.save(path)
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_saving_where_nothing_can_be_written(program: Program, tmp_path: Path) -> None:
    for path in (tmp_path / "missing" / "p.npz", tmp_path):
        with pytest.raises(e.FileError):
            program.save(path)


# ---- what is no program


@pytest.mark.parametrize(
    "name", ["missing.npz", ".", "a\0.npz", "\0", "x" * 5000 + ".npz", "\ud800.npz"], ids=ascii
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(e.FileError, match="cannot be read"):
        load_program(tmp_path / name)


@pytest.mark.parametrize(
    "data", [b"", b"P", b"machine: turnstile\n", b"\x89PNG\r\n", pickle.dumps([1]), bytes(1000)]
)
def test_what_is_no_archive_is_no_program(load: Any, data: bytes) -> None:
    with pytest.raises(e.ProgramError, match="no vsafsm program"):
        load(data)


def test_other_archives_are_no_programs(load: Any) -> None:
    arrays, empty = io.BytesIO(), io.BytesIO()
    np.savez(arrays, a=np.arange(3), b=np.arange(4))
    zipfile.ZipFile(empty, "w").close()
    for data in (
        arrays.getvalue(),
        empty.getvalue(),
        packed({"../../etc/passwd": b"x"}),
        packed({"word/document": b"x"}),
    ):
        with pytest.raises(e.ProgramError):
            load(data)


def test_an_archive_of_one_of_its_arrays_lacks_the_others(load: Any, program: Program) -> None:
    members = unpacked(program.to_bytes())
    for name in members:
        with pytest.raises(e.ProgramError, match=f"lacks {name}"):
            load(packed({other: raw for other, raw in members.items() if other != name}))


def test_metadata_of_something_else_are_no_program(load: Any, program: Program) -> None:
    members = unpacked(program.to_bytes())
    for text in (b"{}", b"[]", b"3", b'{"format": "other"}'):
        with pytest.raises(e.ProgramError):
            load(packed({**members, "metadata": npy(np.frombuffer(text, np.uint8))}))


def test_is_program_tells_by_the_first_bytes_or_the_name(program: Program, tmp_path: Path) -> None:
    program.save(tmp_path / "named_otherwise")
    (tmp_path / "spec.yaml").write_text("machine: x")
    assert is_program(tmp_path / "named_otherwise")
    assert is_program(tmp_path / "missing.npz")
    assert not is_program(tmp_path / "spec.yaml")
    assert not is_program(tmp_path / "missing.yaml")
    assert not is_program(tmp_path / "a\0")
    assert not is_program(tmp_path)


needs_dev = pytest.mark.skipif(not Path("/dev/fd").exists(), reason="the system has no /dev/fd")


@needs_dev
def test_is_program_takes_nothing_from_a_pipe() -> None:
    ours, theirs = os.pipe()
    os.write(theirs, b"PK\x03\x04 and more")
    os.close(theirs)
    assert not is_program(f"/dev/fd/{ours}")
    assert os.read(ours, 100) == b"PK\x03\x04 and more"
    os.close(ours)


@needs_dev
def test_a_spec_may_come_from_a_pipe(turnstile: Machine) -> None:
    text = formats()["yaml"].write(turnstile).encode()
    command = [sys.executable, "-m", "vsafsm", "prove", "/dev/stdin", "--format", "yaml", "--json"]
    done = subprocess.run(command, input=text, capture_output=True)
    assert (done.returncode, json.loads(done.stdout)["machine"]) == (0, turnstile.name)


# ---- what is cut off or altered


def test_cut_off_anywhere_it_is_truncated(load: Any, program: Program) -> None:
    data = program.to_bytes()
    for length in {
        4,
        5,
        30,
        100,
        *range(200, len(data), 211),
        len(data) - 22,
        len(data) - 2,
        len(data) - 1,
    }:
        with pytest.raises(e.ProgramError, match="cut off"):
            load(data[:length])


def same_or_refused(load: Any, data: bytes, program: Program) -> None:
    try:
        found = load(data)
    except e.ProgramError:
        return
    assert found.to_bytes() == program.to_bytes()


@given(data=st.data())
@settings(shared_folder, max_examples=400)
def test_a_flipped_byte_anywhere_is_refused_or_does_not_matter(
    data: st.DataObject, load: Any, program: Program
) -> None:
    raw = bytearray(program.to_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    same_or_refused(load, bytes(raw), program)


@pytest.mark.slow
def test_every_byte_of_the_archive_s_own_records_may_be_flipped(
    load: Any, program: Program
) -> None:
    raw = program.to_bytes()
    directory = raw.index(b"PK\x01\x02")
    starts = [i for i in range(directory) if raw[i : i + 4] == b"PK\x03\x04"]
    for place in [
        *range(directory, len(raw)),
        *(i for start in starts for i in range(start, start + 160)),
    ]:
        for mask in (0x01, 0x08, 0x80, 0xFF):
            flipped = bytearray(raw)
            flipped[place] ^= mask
            same_or_refused(load, bytes(flipped), program)


@given(data=st.data())
@settings(shared_folder, max_examples=150)
def test_spliced_files_are_refused_or_do_not_matter(
    data: st.DataObject, load: Any, program: Program
) -> None:
    raw = program.to_bytes()
    one, two = sorted(data.draw(st.lists(st.integers(0, len(raw)), min_size=2, max_size=2)))
    middle = data.draw(
        st.sampled_from([b"", raw[two:one:-1], raw[one:two] * 2, data.draw(st.binary(max_size=40))])
    )
    same_or_refused(load, raw[:one] + middle + raw[two:], program)


@pytest.mark.parametrize(
    "name", ["blocks", "table", "homes", "masks", "codes", "metadata", "content_hash"]
)
def test_an_altered_array_does_not_match_the_hash(load: Any, program: Program, name: str) -> None:
    members = unpacked(program.to_bytes())
    raw = bytearray(members[name])
    raw[-3 if name != "metadata" else raw.index(b"locked")] ^= 1
    with pytest.raises(e.ProgramError, match="hash"):
        load(packed({**members, name: bytes(raw)}))


# ---- what is hostile


class Payload:
    """Unpickled, it would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    "name", ["blocks", "table", "homes", "masks", "codes", "metadata", "content_hash"]
)
def test_pickled_arrays_are_refused_and_never_executed(
    load: Any, program: Program, tmp_path: Path, name: str
) -> None:
    trap = tmp_path / "executed"
    pickled = npy(np.array([Payload(trap)], object), allow_pickle=True)
    with pytest.raises(e.ProgramError, match=name):
        load(packed({**unpacked(program.to_bytes()), name: pickled}))
    with pytest.raises(e.ProgramError):
        load(packed({**unpacked(program.to_bytes()), name: pickle.dumps(Payload(trap))}))
    with pytest.raises(e.ProgramError):
        load(pickle.dumps(Payload(trap)))
    assert not trap.exists()
    pickle.loads(pickle.dumps(Payload(trap)))
    assert trap.exists(), "the trap itself works"


@pytest.mark.parametrize(
    "raw",
    [
        header("|i1", (10**6, 10**6)),
        header("|i1", (10**12,)),
        header("|i1", (2**63, 2)),
        header("|i1", (-2, -3), b"123456"),
        header("|i1", (-1, 6), b"123456"),
        header("|i1", (0, 10**12)),
        header("|i1", ()),
        header("|i1", (), b"1"),
        header("|i1", (3,), b"123"),
        header("|i1", (2, 2), b"1234", fortran=True),
        header("<f8", (1, 1), bytes(8)),
        header("<i8", (1, 1), bytes(8)),
        header(">i2", (1, 1), bytes(2)),
        header("|O", (1,), bytes(8)),
        header("|V1000000000", (1000,), b""),
        b"\x93NUMPY\x02\x00" + bytes(20),
        b"\x93NUMPY\x01\x00\xff\xff{",
        b"\x93NUMPY\x01\x00\x02\x00{}",
        b"not an array",
        b"",
    ],
)
@pytest.mark.parametrize("name", ["blocks", "starts", "masks", "codes", "metadata"])
def test_arrays_that_claim_what_is_not_there_are_refused(
    load: Any, program: Program, name: str, raw: bytes
) -> None:
    with pytest.raises(e.ProgramError):
        load(packed({**unpacked(program.to_bytes()), name: raw}))


PLAIN = b"{'descr': '|i1', 'fortran_order': False, 'shape': (1, 1), }"


@pytest.mark.parametrize(
    "text",
    [
        b"{'descr': (((",
        b"-" * 9000 + b"1",
        b"(" * 9000,
        b"  x\n y",
        b",,",
        b"",
        b"\0",
        b"\xff" * 50,
        b"1",
        b"{}",
        b"{'descr': '|i1', 'fortran_order': 0, 'shape': (1, 1), }",
        PLAIN.replace(b"|i1", b"|i99999999"),
        PLAIN.replace(b"'|i1'", b"('|i1', (1,))"),
        PLAIN.replace(b"'|i1'", b"[('a', '|i1')]"),
        PLAIN.replace(b"(1, 1)", b"(0, " + b"9" * 30 + b")"),
        PLAIN.replace(b"(1, 1)", b"(1, True)"),
        PLAIN.replace(b"(1, 1)", b"(01, 1)"),
        PLAIN.replace(b"(1, 1)", b"(1L, 1L)"),
        PLAIN.replace(b"(1, 1)", b"(1, 1, 1, 1)"),
        PLAIN.replace(b"(1, 1)", b"(\xd9\xa1, 1)"),
        PLAIN.replace(b", }", b", 'more': 1, }"),
        PLAIN + PLAIN,
        b" " + PLAIN,
        PLAIN + b"\n",
    ],
    ids=lambda text: ascii(text[:60]),
)
@pytest.mark.parametrize("name", ["blocks", "metadata", "content_hash"])
def test_headers_that_no_program_has_are_refused(
    load: Any, program: Program, name: str, text: bytes
) -> None:
    with pytest.raises(e.ProgramError, match=f"{name} is no array"):
        load(packed({**unpacked(program.to_bytes()), name: headed(text, b"\1")}))


@given(text=st.binary(max_size=80))
@settings(shared_folder, max_examples=100)
def test_any_other_header_is_refused(load: Any, program: Program, text: bytes) -> None:
    with pytest.raises(e.ProgramError):
        load(packed({**unpacked(program.to_bytes()), "blocks": headed(text, b"\1")}))


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packed_members_are_refused_before_they_are_unpacked(
    load: Any, program: Program, kind: int
) -> None:
    bomb = header("|i1", (10**4, 10**4), bytes(10**7))
    with pytest.raises(e.ProgramError, match="packed"):
        load(packed({**unpacked(program.to_bytes()), "blocks": bomb}, kind))


def test_a_directory_that_claims_terabytes_is_refused(load: Any, program: Program) -> None:
    raw = bytearray(program.to_bytes())
    place = raw.index(b"PK\x01\x02", raw.index(b"PK\x01\x02") + 1)
    raw[place + 20 : place + 28] = b"\xfe" * 8
    with pytest.raises(e.ProgramError, match="larger"):
        load(bytes(raw))


def test_a_name_that_is_no_utf_8_is_refused(load: Any, program: Program) -> None:
    raw = bytearray(program.to_bytes())
    for sign, flags, name in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        place = raw.index(sign)
        raw[place + flags + 1] |= 0x08
        raw[place + name] = 0xFF
    with pytest.raises(e.ProgramError):
        load(bytes(raw))


@pytest.mark.parametrize("text", [b"[" * 10**6, b'{"a":' * 10**6, b"[" * 10**5 + b"]" * 10**5])
def test_nesting_without_end_is_refused(load: Any, program: Program, text: bytes) -> None:
    with pytest.raises(e.ProgramError, match="JSON"):
        load(
            packed({**unpacked(program.to_bytes()), "metadata": npy(np.frombuffer(text, np.uint8))})
        )


def test_a_later_version_is_named(load: Any, program: Program) -> None:
    with pytest.raises(
        e.ProgramError, match=f"format 99, this vsafsm reads up to {FORMAT_VERSION}"
    ):
        load(forged(program, lambda metadata: metadata.update(version=99, machine="unheard of")))


@pytest.mark.parametrize("version", [0, -1, True, "1", 1.5, None, [1], "\x1b[2J"])
def test_a_version_that_makes_no_sense_is_refused(
    load: Any, program: Program, version: object
) -> None:
    with pytest.raises(e.ProgramError, match="version"):
        load(forged(program, lambda metadata: metadata.update(version=version)))


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    """A change that puts the last of `path` at the place that the others name."""

    def change(metadata: dict[str, Any]) -> None:
        *outer, key, value = path
        place: Any = metadata
        for name in outer:
            place = place[name]
        place[key] = value

    return change


@pytest.mark.parametrize(
    "path",
    [
        ("machine", None),
        ("machine", "states", ["locked"]),
        ("machine", "states", ["locked", "locked"]),
        ("machine", "states", "ab"),
        ("machine", "states", 3),
        ("machine", "initial", "nowhere"),
        ("machine", "inputs", []),
        ("machine", "moore", [[1], [2]]),
        ("machine", "outputs", []),
        ("machine", "outputs", [["click"]]),
        ("machine", "outputs", "ab"),
        ("machine", "outputs", [7]),
        ("machine", "name", 5),
        ("machine", "compile", [["a", "b", "c"]]),
        ("network", {}),
        ("network", "gain", -1),
        ("network", "gain", 1e400),
        ("network", "gain", 10**30),
        ("network", "scale", 0),
        ("network", "scale", float("nan")),
        ("network", "scale", float("inf")),
        ("network", "scale", [1]),
        ("network", "bits", 2),
        ("network", "bits", 99),
        ("network", "start", 2),
        ("network", "start", -1),
        ("network", "contract", {"hold_steps": 0, "gap_steps": 1}),
        ("network", "contract", {"hold_steps": 1}),
        ("network", "contract", {"hold_steps": 10**9, "gap_steps": 1}),
        ("network", "contract", {"hold_steps": "2", "gap_steps": 1}),
        ("options", "bits", 99),
        ("options", "unheard_of", 1),
        ("options", None),
        ("requirements", {"unheard_of": 1}),
        ("claim", {"verdict": "holds"}),
        ("claim", "holds"),
    ],
    ids=lambda path: "-".join(ascii(x)[:20] for x in path),
)
def test_parts_that_make_no_program_are_refused_even_with_the_right_hash(
    load: Any, program: Program, path: tuple[Any, ...]
) -> None:
    with pytest.raises(e.ProgramError):
        load(forged(program, put(*path)))


@pytest.mark.parametrize(
    "arrays",
    [
        {"blocks": np.zeros((1, 40, 39), np.int8)},
        {"blocks": np.zeros((0, 0, 0), np.int8)},
        {"blocks": np.zeros((1, 16, 16), np.int8)},
        {"blocks": np.zeros((2, 40, 40), np.int8)},
        {"blocks": np.zeros((40, 40), np.int8)},
        {"table": np.zeros((2, 2), np.int32)},
        {"table": np.zeros((2, 3, 2), np.int32)},
        {"table": np.full((2, 2, 2), 7, np.int32)},
        {"table": np.full((2, 2, 2), -1, np.int32)},
        {"labels": np.zeros((0, 2), np.int32)},
        {"labels": np.zeros((4, 3), np.int32)},
        {"labels": np.array([[1, -1], [0, -1], [1, 0], [0, 0]], np.int32)},
        {"labels": np.array([[0, -1], [1, -1], [9, 0], [0, 0]], np.int32)},
        {"labels": np.array([[0, -1], [1, -1], [0, 1], [1, 0]], np.int32)},
        {"labels": np.array([[0, -1], [1, -1], [1, 0], [1, 0]], np.int32)},
        {"labels": np.array([[0, -1], [1, -1], [1, 0], [0, 0]], np.int32)},
        {"labels": np.array([[0, -1], [1, -1], [1, 7], [0, 0]], np.int32)},
        {"labels": np.array([[0, -1], [1, -1], [1, -2], [0, 0]], np.int32)},
        {"starts": np.ones(41, np.int64)},
        {"starts": np.zeros(40, np.int64)},
        {"targets": np.zeros(1, np.int32), "values": np.ones(1, np.int8)},
        {"values": np.ones(1, np.int8)},
        {"homes": np.ones(4, np.int32)},
        {"homes": np.zeros(3, np.int32)},
        {"homes": np.full(4, -1, np.int32)},
        {"masks": np.zeros((2, 5), np.uint8)},
        {"masks": np.zeros((3, 4), np.uint8)},
        {"masks": np.zeros(5, np.uint8)},
        {"codes": np.zeros((3, 5), np.uint8)},
        {"codes": np.zeros((4, 5, 1), np.uint8)},
    ],
    ids=lambda arrays: "-".join(f"{name}{array.shape}" for name, array in arrays.items()),
)
def test_arrays_that_do_not_fit_each_other_are_refused_even_with_the_right_hash(
    load: Any, program: Program, arrays: dict[str, Any]
) -> None:
    with pytest.raises(e.ProgramError):
        load(forged(program, **arrays))


NUMBERS = [
    ("network", "gain"),
    ("network", "scale"),
    ("network", "bits"),
    ("network", "start"),
    ("network", "contract", "hold_steps"),
    ("network", "contract", "gap_steps"),
    ("options", "bits"),
    ("options", "seed"),
    ("requirements", "bits"),
    ("requirements", "least_margin"),
    ("requirements", "least_active"),
    ("requirements", "largest_sum"),
    ("requirements", "most_neurons"),
    ("claim", "fixed_points"),
    ("claim", "radius"),
    ("claim", "margin"),
    ("smallest",),
]
REAL = ("scale", "least_margin", "radius", "margin")


def named(path: Any) -> str:
    return "-".join(map(str, path)) if isinstance(path, tuple) else ascii(path)


@pytest.mark.parametrize(
    "value", ["x", "1", True, [], [1], {}, float("nan"), float("inf"), -float("inf")], ids=ascii
)
@pytest.mark.parametrize("path", NUMBERS, ids=named)
def test_what_is_no_number_is_refused_for_one(
    load: Any, program: Program, path: tuple[Any, ...], value: object
) -> None:
    with pytest.raises(e.ProgramError, match="parts do not make a program"):
        load(forged(program, put(*path, value)))


@pytest.mark.parametrize("value", [1.0, 1.5, 8.9, -1], ids=str)
@pytest.mark.parametrize("path", [path for path in NUMBERS if path[-1] not in REAL], ids=named)
def test_what_is_no_whole_number_is_refused_for_one(
    load: Any, program: Program, path: tuple[Any, ...], value: object
) -> None:
    with pytest.raises(e.ProgramError, match="parts do not make a program"):
        load(forged(program, put(*path, value)))


@pytest.mark.parametrize(
    "value", [7, True, None, [], ["a"], "", " a", "a\n", "\x1b[2J", "\ud800"], ids=ascii
)
@pytest.mark.parametrize(
    "path",
    [
        ("machine", "name"),
        ("machine", "states", 0),
        ("machine", "inputs", 0),
        ("machine", "initial"),
        ("machine", "outputs", 0, 0),
        ("machine", "moore", 0, 0),
        ("machine", "compile", 0, 0),
        ("options", "rule"),
        ("target",),
        ("claim", "verdict"),
    ],
    ids=named,
)
def test_what_can_name_nothing_is_refused_for_a_name(
    load: Any, compiled: Compiled, turnstile: Machine, path: tuple[Any, ...], value: object
) -> None:
    machine = replace(turnstile, moore=(("red",), ("green",)), compile_options=(("bits", 8),))
    table = tuple(tuple(Transition(taken.to, ("click",)) for taken in row) for row in machine.table)
    spoken = compiled(replace(machine, table=table))
    with pytest.raises(e.ProgramError) as caught:
        load(forged(spoken, put(*path, value)))
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        ("machine", "moore", ["abc", "def"]),
        ("machine", "moore", 0, "abc"),
        ("machine", "moore", 0, {"a": 1}),
        ("machine", "states", {"locked": 0, "unlocked": 1}),
        ("machine", "compile", [[["a"], 1]]),
        ("machine", "compile", ["ab"]),
        ("machine", "compile", [["unheard_of", 1]]),
        ("machine", "compile", [["bits", None]]),
        ("machine", "compile", [["bits", True]]),
        ("machine", "compile", [["bits", [1]]]),
        ("machine", "compile", [["bits", 99]]),
        ("machine", "compile", [["margin", float("nan")]]),
        ("machine", "unheard_of", 1),
        ("network", "start", 1),
        ("network", "contract", [1, 1]),
        ("network", "unheard_of", 1),
        ("options", {}),
        ("options", "margin", float("nan")),
        ("options", "rule", ["refined"]),
        ("options", "trigger", "level"),
        ("requirements", "folded", 1),
        ("requirements", []),
        ("requirements", {}),
        ("claim", "verdict", "HOLDS"),
        ("claim", "unheard_of", 1),
        ("unheard_of", 1),
        *(
            (section, None)
            for section in ("machine", "network", "options", "requirements", "claim", "target")
        ),
    ],
    ids=lambda path: "-".join(ascii(x)[:30] for x in path),
)
def test_parts_of_the_wrong_type_or_of_another_machine_are_refused_even_with_the_right_hash(
    load: Any, program: Program, path: tuple[Any, ...]
) -> None:
    with pytest.raises(e.ProgramError):
        load(forged(program, put(*path)))


@pytest.mark.parametrize(
    "key", ["machine", "network", "options", "requirements", "target", "claim", "smallest"]
)
def test_a_part_that_is_not_there_is_refused(load: Any, program: Program, key: str) -> None:
    with pytest.raises(e.ProgramError, match=key):
        load(forged(program, lambda metadata: metadata.pop(key)))


def test_pending_codes_may_not_be_left_out(load: Any, program: Program) -> None:
    labels = np.array([[0, -1], [1, -1]], np.int32)
    codes = np.packbits(program.network.codes[:2], axis=1)
    with pytest.raises(e.ProgramError, match="labels"):
        load(forged(program, labels=labels, codes=codes, homes=np.zeros(2, np.int32)))


@given(data=st.data())
@settings(shared_folder, max_examples=200)
def test_any_other_value_anywhere_is_refused_or_comes_back(
    data: st.DataObject, load: Any, program: Program
) -> None:
    scalar = st.none() | st.booleans() | st.integers(-3, 40) | st.floats() | st.text(max_size=3)
    value = data.draw(
        scalar
        | st.lists(scalar, max_size=3)
        | st.dictionaries(st.text(max_size=3), scalar, max_size=2)
    )

    def change(metadata: dict[str, Any]) -> None:
        place: Any = metadata
        while True:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = data.draw(st.sampled_from(keys))
            if not (
                isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans())
            ):
                break
            place = place[key]
        place[key] = value

    raw = forged(program, change)
    try:
        found = load(raw)
    except e.ProgramError:
        return
    assert unpacked(found.to_bytes())["metadata"] == unpacked(raw)["metadata"]
    found.prove(), found.parts(), found.grid()


# ---- a proof is a claim


def test_a_forged_program_that_changes_nothing_loads(load: Any, program: Program) -> None:
    assert load(forged(program)).to_bytes() == program.to_bytes()


def test_a_claim_is_not_believed(load: Any, program: Program) -> None:
    liar = load(forged(program, put("claim", "radius", 1e6)))
    assert liar.claim.radius == 1e6
    assert liar.prove().radius == program.prove().radius == program.claim.radius
    doubter = load(forged(program, put("claim", "verdict", "refuted")))
    assert not doubter.claim.holds
    assert doubter.prove().holds


def test_a_claim_of_damaged_weights_is_not_believed(load: Any, program: Program) -> None:
    silent = load(forged(program, blocks=np.zeros_like(program.network.blocks)))
    assert silent.claim.holds
    assert silent.prove().verdict == "refuted"
    turned = load(forged(program, blocks=-program.network.blocks))
    assert turned.claim.holds
    assert not turned.prove().holds


def test_a_claim_about_another_machine_is_not_believed(load: Any, program: Program) -> None:
    # The same pending codes, but the inputs have changed places.
    table = np.load(io.BytesIO(unpacked(program.to_bytes())["table"]))
    other = load(forged(program, table=table[:, ::-1]))
    assert other.claim.holds
    proof = other.prove()
    assert proof.counterexample is not None
    assert (proof.verdict, proof.counterexample.word) == ("refuted", ("coin",))


def test_a_contract_that_is_too_short_is_found_by_the_proof(load: Any, program: Program) -> None:
    hasty = load(forged(program, put("network", "contract", {"hold_steps": 1, "gap_steps": 1})))
    assert hasty.prove().contract == program.network.contract
    assert hasty.network.contract != program.network.contract


# ---- version 1, and modules

VERSION_1 = Path(__file__).parent / "data" / "version_1.npz"


def forged_1(change: Callable[[dict[str, Any]], object], **arrays: Any) -> bytes:
    """The program of version 1 with other content, and the hash that fits it."""
    members = {
        name: np.load(io.BytesIO(raw)) for name, raw in unpacked(VERSION_1.read_bytes()).items()
    }
    metadata = json.loads(members["metadata"].tobytes())
    change(metadata)
    members["metadata"] = np.frombuffer(json.dumps(metadata).encode(), np.uint8)
    members.update(arrays)
    del members["content_hash"]
    digest = hashlib.sha256()
    for name in sorted(members):
        array = np.ascontiguousarray(members[name])
        digest.update(f"{name}:{array.dtype.str}:{array.shape};".encode() + array.tobytes())
    members["content_hash"] = np.frombuffer(digest.digest(), np.uint8)
    return packed({name: npy(array) for name, array in members.items()})


def test_version_1_is_read_and_saved_as_version_2(load: Any, examples: dict[str, Machine]) -> None:
    program = load_program(VERSION_1)
    members = unpacked(VERSION_1.read_bytes())
    assert json.loads(np.load(io.BytesIO(members["metadata"])).tobytes())["version"] == 1
    assert program.machine == examples["vending_machine"]
    assert (program.network.weights == np.load(io.BytesIO(members["weights"]))).all()
    assert program.prove().radius == program.claim.radius
    assert program.options.layout == "dense"
    assert load(program.to_bytes()) == program


@pytest.mark.parametrize(
    "path",
    [
        ("machine", "table", 0, 0, [99, []]),
        ("machine", "table", 0, 0, ["idle", []]),
        ("machine", "table", 0, 0, 0, -1),
        ("machine", "table", 0, []),
        ("machine", "table", 0, 0, [1, "abc"]),
        ("machine", "table", 0, 0, [1, [], 0]),
        ("machine", "outputs", [[]]),
        ("network", "labels", []),
        ("network", "labels", 0, [1, False, []]),
        ("network", "labels", 0, 0, True),
        ("network", "labels", 7, [9, True, []]),
        ("network", "labels", 7, [1, True, [7]]),
        ("network", "labels", 7, [1, 1, []]),
        ("options", "layout", "modules"),
        ("requirements", "one_matrix", False),
    ],
    ids=lambda path: "-".join(ascii(x)[:30] for x in path),
)
def test_damage_to_version_1_is_refused_even_with_the_right_hash(
    load: Any, path: tuple[Any, ...]
) -> None:
    assert load(forged_1(lambda metadata: None)) == load_program(VERSION_1)
    with pytest.raises(e.ProgramError, match="parts do not make a program"):
        load(forged_1(put(*path)))


def test_weights_of_version_1_that_are_no_matrix_are_refused(load: Any) -> None:
    for shape in ((128,), (128, 127), (0, 0), (1, 128, 128)):
        with pytest.raises(e.ProgramError):
            load(forged_1(lambda metadata: None, weights=np.zeros(shape, np.int8)))


@pytest.fixture(scope="session")
def modular(examples: dict[str, Machine]) -> Program:
    return vsafsm.compile(examples["tcp_connection"], layout="modules", module_neurons=192)


def test_a_program_in_modules_comes_back_as_it_was(load: Any, modular: Program) -> None:
    assert modular.claim.holds
    after = load(modular.to_bytes())
    assert after == modular
    assert (after.machine, after.options) == (modular.machine, modular.options)
    assert (after.network.blocks == modular.network.blocks).all()
    assert (after.network.between.values == modular.network.between.values).all()
    assert after.prove().radius == modular.claim.radius
    with vsafsm.open(after) as session:
        word = modular.machine.demonstration(30)
        assert [session.send(symbol) for symbol in word] == [*modular.machine.run(word).states[1:]]


@given(data=st.data())
@settings(shared_folder, max_examples=100)
def test_any_damage_to_arrays_of_modules_is_refused_or_harmless(
    data: st.DataObject, load: Any, modular: Program
) -> None:
    """Whatever integers stand in the arrays: an error of ours, or a program that can be proven."""
    members = {n: np.load(io.BytesIO(raw)) for n, raw in unpacked(modular.to_bytes()).items()}
    name = data.draw(
        st.sampled_from(["starts", "targets", "homes", "table", "labels", "values", "opens"])
    )
    array = members[name].copy().ravel()
    if len(array):
        place = data.draw(st.integers(0, len(array) - 1))
        info = np.iinfo(array.dtype)
        small = st.integers(-3, min(200, int(info.max)))
        array[place] = data.draw(st.integers(int(info.min), int(info.max)) | small)
    try:
        found = load(forged(modular, **{name: array.reshape(members[name].shape)}))
    except e.ProgramError:
        return
    found.prove()


@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_labels_are_held_against_what_lowering_gives(data: st.DataObject) -> None:
    """Any order and any repetition of pending codes, beside what `lower` says of the machine."""
    machine = data.draw(machines(states=(1, 5)))
    program = vsafsm.compile(machine, dimension=64, allow_unproven=True)
    members = _members(program)
    states = len(machine.states)
    labels = members["labels"]
    order = data.draw(
        st.just(list(range(states, len(labels))))
        | st.lists(st.integers(states, max(states, len(labels) - 1)), max_size=len(labels))
    )
    order = [at for at in order if at < len(labels)]
    chosen = labels[[*range(states), *order]]
    metadata = json.loads(members["metadata"].tobytes())
    outputs = [tuple(each) for each in metadata["machine"]["outputs"]]
    found = _fit(program.network, members["table"], chosen, outputs)
    assert found == (order == list(range(states, len(labels))))
