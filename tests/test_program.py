"""The program file: the same bytes back, and nothing else is ever believed or executed."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm import errors as e
from vsafsm.machine import Machine
from vsafsm.program import FORMAT_VERSION, Program, is_program, load_program

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
    text = f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
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


def forged(program: Program, change: Callable[[dict[str, Any]], object] | None = None, **arrays: Any) -> bytes:
    """The program with other metadata or arrays, and the hash that fits them: what somebody malicious would write."""
    members = {name: np.load(io.BytesIO(raw)) for name, raw in unpacked(program.to_bytes()).items()}
    metadata = json.loads(members["metadata"].tobytes())
    if change:
        change(metadata)
    members["metadata"] = np.frombuffer(json.dumps(metadata, sort_keys=True, separators=(",", ":")).encode(), np.uint8)
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
    for name in ("machine", "options", "requirements", "target", "claim", "smallest", "content_hash", "lowered"):
        assert getattr(after, name) == getattr(before, name)
    for name in ("weights", "masks", "codes"):
        one, two = getattr(before.network, name), getattr(after.network, name)
        assert one.dtype == two.dtype
        assert (one == two).all()
    for name in ("gain", "scale", "bits", "labels", "start", "states", "inputs", "moore", "contract"):
        assert getattr(after.network, name) == getattr(before.network, name)
    assert after.to_bytes() == before.to_bytes() == (tmp_path / "p.npz").read_bytes()
    assert after.grid() == before.grid()


@given(data=st.data())
@settings(shared_folder, max_examples=25)
def test_any_small_machine_goes_there_and_back(
    data: st.DataObject, small_machine_strategy: Callable[..., st.SearchStrategy[Machine]], load: Any
) -> None:
    machine = data.draw(small_machine_strategy())
    options = data.draw(st.sampled_from([(), (("bits", 8),), (("margin", 0.25), ("code", "sparse"))]))
    before = vsafsm.compile(
        replace(machine, compile_options=options), dimension=128, rule="one-shot", allow_unproven=True
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
        assert (found["weights"] == program.network.weights).all()
        assert json.loads(found["metadata"].tobytes())["version"] == FORMAT_VERSION


def test_the_hash_covers_everything(program: Program) -> None:
    changes = [
        replace(program, target="other"),
        replace(program, smallest=1),
        replace(program, claim=replace(program.claim, radius=9.0)),
        replace(program, options=replace(program.options, seed=1)),
        replace(program, machine=replace(program.machine, name="other")),
        replace(program, network=replace(program.network, weights=-program.network.weights)),
        replace(program, network=replace(program.network, masks=~program.network.masks)),
        replace(program, network=replace(program.network, codes=program.network.codes[::-1])),
    ]
    assert len({program.content_hash, *(changed.content_hash for changed in changes)}) == len(changes) + 1


# ---- writing


def test_saving_replaces_the_file_whole_and_leaves_nothing_else(program: Program, tmp_path: Path) -> None:
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

    def full(descriptor: int, data: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vsafsm.files.os.write", full)
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


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.npz", tmp_path):
        with pytest.raises(e.FileError, match="cannot be read"):
            load_program(path)


@pytest.mark.parametrize("data", [b"", b"P", b"machine: turnstile\n", b"\x89PNG\r\n", pickle.dumps([1]), bytes(1000)])
def test_what_is_no_archive_is_no_program(load: Any, data: bytes) -> None:
    with pytest.raises(e.NotAProgramError, match="no vsafsm program"):
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
        with pytest.raises(e.NotAProgramError):
            load(data)


def test_an_archive_of_one_of_its_arrays_lacks_the_others(load: Any, program: Program) -> None:
    members = unpacked(program.to_bytes())
    for name in members:
        with pytest.raises(e.TruncatedProgramError, match=f"lacks {name}"):
            load(packed({other: raw for other, raw in members.items() if other != name}))


def test_metadata_of_something_else_are_no_program(load: Any, program: Program) -> None:
    members = unpacked(program.to_bytes())
    for text in (b"{}", b"[]", b"3", b'{"format": "other"}'):
        with pytest.raises(e.NotAProgramError):
            load(packed({**members, "metadata": npy(np.frombuffer(text, np.uint8))}))


def test_is_program_tells_by_the_first_bytes_or_the_name(program: Program, tmp_path: Path) -> None:
    program.save(tmp_path / "named_otherwise")
    (tmp_path / "spec.yaml").write_text("machine: x")
    assert is_program(tmp_path / "named_otherwise")
    assert is_program(tmp_path / "missing.npz")
    assert not is_program(tmp_path / "spec.yaml")
    assert not is_program(tmp_path / "missing.yaml")


# ---- what is cut off or altered


def test_cut_off_anywhere_it_is_truncated(load: Any, program: Program) -> None:
    data = program.to_bytes()
    for length in {4, 5, 30, 100, *range(200, len(data), 211), len(data) - 22, len(data) - 2, len(data) - 1}:
        with pytest.raises(e.TruncatedProgramError, match="cut off"):
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


def test_every_byte_of_the_archive_s_own_records_may_be_flipped(load: Any, program: Program) -> None:
    raw = program.to_bytes()
    directory = raw.index(b"PK\x01\x02")
    starts = [i for i in range(directory) if raw[i : i + 4] == b"PK\x03\x04"]
    for place in [*range(directory, len(raw)), *(i for start in starts for i in range(start, start + 160))]:
        for mask in (0x01, 0x08, 0x80, 0xFF):
            flipped = bytearray(raw)
            flipped[place] ^= mask
            same_or_refused(load, bytes(flipped), program)


@given(data=st.data())
@settings(shared_folder, max_examples=150)
def test_spliced_files_are_refused_or_do_not_matter(data: st.DataObject, load: Any, program: Program) -> None:
    raw = program.to_bytes()
    one, two = sorted(data.draw(st.lists(st.integers(0, len(raw)), min_size=2, max_size=2)))
    middle = data.draw(st.sampled_from([b"", raw[two:one:-1], raw[one:two] * 2, data.draw(st.binary(max_size=40))]))
    same_or_refused(load, raw[:one] + middle + raw[two:], program)


@pytest.mark.parametrize("name", ["weights", "masks", "codes", "metadata", "content_hash"])
def test_an_altered_array_does_not_match_the_hash(load: Any, program: Program, name: str) -> None:
    members = unpacked(program.to_bytes())
    raw = bytearray(members[name])
    raw[-3 if name != "metadata" else raw.index(b"locked")] ^= 1
    with pytest.raises(e.AlteredProgramError, match="hash"):
        load(packed({**members, name: bytes(raw)}))


# ---- what is hostile


class Payload:
    """Unpickled, it would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["weights", "masks", "codes", "metadata", "content_hash"])
def test_pickled_arrays_are_refused_and_never_executed(load: Any, program: Program, tmp_path: Path, name: str) -> None:
    trap = tmp_path / "executed"
    pickled = npy(np.array([Payload(trap)], object), allow_pickle=True)
    with pytest.raises(e.AlteredProgramError, match=name):
        load(packed({**unpacked(program.to_bytes()), name: pickled}))
    with pytest.raises(e.ProgramError):
        load(packed({**unpacked(program.to_bytes()), name: pickle.dumps(Payload(trap))}))
    with pytest.raises(e.NotAProgramError):
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
@pytest.mark.parametrize("name", ["weights", "masks", "codes", "metadata"])
def test_arrays_that_claim_what_is_not_there_are_refused(load: Any, program: Program, name: str, raw: bytes) -> None:
    with pytest.raises(e.ProgramError):
        load(packed({**unpacked(program.to_bytes()), name: raw}))


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packed_members_are_refused_before_they_are_unpacked(load: Any, program: Program, kind: int) -> None:
    bomb = header("|i1", (10**4, 10**4), bytes(10**7))
    with pytest.raises(e.AlteredProgramError, match="packed"):
        load(packed({**unpacked(program.to_bytes()), "weights": bomb}, kind))


def test_a_directory_that_claims_terabytes_is_refused(load: Any, program: Program) -> None:
    raw = bytearray(program.to_bytes())
    place = raw.index(b"PK\x01\x02", raw.index(b"PK\x01\x02") + 1)
    raw[place + 20 : place + 28] = b"\xfe" * 8
    with pytest.raises(e.AlteredProgramError, match="larger"):
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
    with pytest.raises(e.AlteredProgramError, match="JSON"):
        load(packed({**unpacked(program.to_bytes()), "metadata": npy(np.frombuffer(text, np.uint8))}))


def test_a_later_version_is_named(load: Any, program: Program) -> None:
    with pytest.raises(e.FutureProgramError, match=f"format 99, this vsafsm reads up to {FORMAT_VERSION}"):
        load(forged(program, lambda metadata: metadata.update(version=99, machine="unheard of")))


@pytest.mark.parametrize("version", [0, -1, True, "1", 1.5, None, [1]])
def test_a_version_that_makes_no_sense_is_refused(load: Any, program: Program, version: object) -> None:
    with pytest.raises(e.AlteredProgramError, match="version"):
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
        ("machine", "table", 0, 0, [7, []]),
        ("machine", "table", 0, 0, ["locked", []]),
        ("machine", "table", 0, []),
        ("machine", "moore", [[1], [2]]),
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
        ("network", "labels", []),
        ("network", "labels", 0, [1, False, []]),
        ("network", "labels", 2, [9, True, []]),
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
    ids=lambda path: "-".join(str(x)[:20] for x in path),
)
def test_parts_that_make_no_program_are_refused_even_with_the_right_hash(
    load: Any, program: Program, path: tuple[Any, ...]
) -> None:
    with pytest.raises(e.AlteredProgramError):
        load(forged(program, put(*path)))


@pytest.mark.parametrize(
    "arrays",
    [
        {"weights": np.zeros((40, 39), np.int8)},
        {"weights": np.zeros((0, 0), np.int8)},
        {"weights": np.zeros((16, 16), np.int8)},
        {"weights": np.zeros(40, np.int8)},
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
    with pytest.raises(e.AlteredProgramError):
        load(forged(program, **arrays))


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
    silent = load(forged(program, weights=np.zeros_like(program.network.weights)))
    assert silent.claim.holds
    assert silent.prove().verdict == "refuted"
    turned = load(forged(program, weights=-program.network.weights))
    assert turned.claim.holds
    assert not turned.prove().holds


def test_a_claim_about_another_machine_is_not_believed(load: Any, program: Program) -> None:
    other = load(forged(program, put("machine", "table", 0, 0, [0, []])))
    assert other.claim.holds
    proof = other.prove()
    assert proof.counterexample is not None
    assert (proof.verdict, proof.counterexample.word) == ("refuted", ("coin",))


def test_a_contract_that_is_too_short_is_found_by_the_proof(load: Any, program: Program) -> None:
    hasty = load(forged(program, put("network", "contract", {"hold_steps": 1, "gap_steps": 1})))
    assert hasty.prove().contract == program.network.contract
    assert hasty.network.contract != program.network.contract
