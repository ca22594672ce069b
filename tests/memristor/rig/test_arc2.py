"""ArC TWO against a stand-in for pyarc2 0.6.0: the same names and arguments, a board in memory. No
board was there.
"""

from __future__ import annotations

import json
import math
import os
import sys
import types
from enum import Enum

import numpy as np
import pytest

from vsafsm_memristor.rig import errors
from vsafsm_memristor.rig.address import open_rig
from vsafsm_memristor.rig.arc2 import COLUMNS, ROWS, Arc2Rig, Wiring
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.protocol import Limits, Ownable, Rig

SMALL = Limits(1, 3, 2, 1e-6, 100e-6, 0.5, 2.0, 1e-3, 40, 10_000)


class IdleMode(Enum):
    Float, SoftGnd, HardGnd = 1, 2, 3


class ArC2Error(Exception):
    pass


class Instrument:
    """What `pyarc2.Instrument` does for two resistive lines: commands wait in a buffer until
    `executors`.
    """

    boards: list = []  # noqa: RUF012

    def __init__(self, port, firmware, init=True):
        if firmware == "bad.bin":
            raise ArC2Error("cannot load firmware")
        self.port, self.failing, self.stuck = port, None, ()
        self.g = np.full((64, 64), 20e-6)
        self.volts = np.zeros(64)
        self.buffer, self.idle, self.pulses, self.waited = [], None, [], True
        Instrument.boards.append(self)

    def _queue(self, what):
        self.buffer.append(what)
        return self

    def execute(self):
        for what in self.buffer:
            what()
        self.buffer, self.waited = [], False
        return self

    def wait(self):
        self.waited = True

    def connect_to_gnd(self, chans):
        return self._queue(lambda: None)

    def config_channels(self, config, base=None):
        assert all(
            isinstance(channel, int) and isinstance(volts, float) for channel, volts in config
        )

        def what():
            if base is not None:
                self.volts[:] = base
            for channel, volts in config:
                self.volts[channel] = volts

        return self._queue(what)

    def read_slice_open(self, highs, ground_after):
        self._maybe_fail("read")
        assert not self.buffer
        found = np.full(64, np.nan, np.float32)
        for column in highs:
            found[column] = sum(self.volts[row] * self.g[row, column] for row in range(64))
        if ground_after:
            self._queue(lambda: self.volts.fill(0.0))
        return found

    def read_one(self, low, high, vread):
        self._maybe_fail("verify")
        return float(vread * self.g[high, low])

    def pulse_one(self, low, high, voltage, nanos):
        assert isinstance(nanos, int)

        def what():
            self.pulses.append((low, high, voltage))
            self.volts[high] = voltage
            if (high, low) not in self.stuck:
                self.g[high, low] += 1.2e-6 * voltage

        return self._queue(what)

    def ground_all_fast(self):
        return self._queue(lambda: self.volts.fill(0.0))

    def finalise_operation(self, mode=None, control=None):
        self._maybe_fail("ground")
        self.idle = mode
        self.buffer = []
        self.volts[:] = 0.0

    def _maybe_fail(self, what):
        if self.failing == what:
            raise ArC2Error("FPGA communication error")


@pytest.fixture
def pyarc2(monkeypatch):
    module = types.ModuleType("pyarc2")
    module.Instrument, module.IdleMode, module.ArC2Error = Instrument, IdleMode, ArC2Error
    module.find_ids = lambda: [3]
    monkeypatch.setitem(sys.modules, "pyarc2", module)
    monkeypatch.setattr(Instrument, "boards", [])
    return module


@pytest.fixture
def wiring():
    return Wiring(SMALL, rows=(0, 1, 32), columns=(16, 48))


@pytest.fixture(autouse=True)
def locks(tmp_path, monkeypatch):
    monkeypatch.setattr("vsafsm_memristor.rig.lock.FOLDER", tmp_path)


@pytest.fixture
def rig(pyarc2, wiring):
    rig = Arc2Rig("fw.bin", wiring)
    yield rig
    rig.close()


def board():
    return Instrument.boards[-1]


def test_it_is_a_rig_without_a_watchdog(rig):
    assert isinstance(rig, Rig)
    assert isinstance(rig, Ownable)
    identity = rig.identify()
    assert (identity.model, identity.serial, identity.watchdog_s) == ("ArC TWO", "port 3", None)
    assert board().idle is IdleMode.HardGnd


def test_the_standard_array_has_the_channels_of_the_documentation():
    assert sorted((*ROWS, *COLUMNS)) == list(range(64))
    assert {0, 15, 32, 47} <= set(ROWS)


def test_a_read_biases_all_rows_and_grounds_them(rig):
    board().g[0, 16], board().g[32, 48] = 10e-6, 50e-6
    v = np.array([0.1, 0.0, -0.2])
    np.testing.assert_allclose(
        rig.read(0, v), [0.1 * 10e-6 - 0.2 * 20e-6, 0.1 * 20e-6 - 0.2 * 50e-6], rtol=1e-6
    )
    assert not board().volts.any()
    assert board().waited


def test_write_verify_reaches_the_tolerance(rig):
    g = np.array([[60e-6, 5e-6], [0.0, 20e-6], [20.5e-6, 50e-6]])
    reply = rig.program(0, g)
    assert reply.ok.all()
    touched = g != 0
    assert np.abs(reply.g_siemens - g)[touched].max() <= 1e-6
    assert reply.pulses[1].tolist() == [0, 0]
    assert {(low, high) for low, high, _ in board().pulses} == {(16, 0), (48, 0), (48, 32)}
    assert not board().volts.any()


def test_pulses_keep_the_limits_that_it_was_told(rig, changed):
    rig.take(changed(SMALL, v_program_max_v=0.9, pulses_per_cell=5))
    board().stuck = ((0, 16),)
    reply = rig.program(0, np.array([[60e-6, 0.0], [0, 0], [0, 0]]))
    assert (reply.ok[0, 0], reply.pulses[0, 0]) == (False, 5)
    assert max(abs(v) for _, _, v in board().pulses) == 0.9


def test_one_process_has_the_board(rig, pyarc2, wiring):
    rig.take(SMALL)
    rig.take(SMALL)
    idle, other = board().idle, Arc2Rig("fw.bin", wiring)
    assert rig.status().mine
    assert (other.status().owner, other.status().mine) == (f"process {os.getpid()}", False)
    assert idle is IdleMode.HardGnd
    assert board().idle is None  # the lines of another are left alone
    with pytest.raises(errors.BusyError, match=rf"owned by process {os.getpid()}"):
        other.take(SMALL)
    rig.release()
    rig.release()
    other.take(SMALL)
    assert other.status().mine
    other.close()
    assert rig.status().owner is None


@pytest.mark.parametrize("what", ["read", "verify"])
def test_a_fault_of_the_board_grounds_it_and_ends_trust(rig, what):
    board().failing, board().idle = what, None
    g = np.full((3, 2), 60e-6)
    call = (lambda: rig.read(0, np.full(3, 0.1))) if what == "read" else (lambda: rig.program(0, g))
    with pytest.raises(errors.DisconnectedError, match="FPGA communication error"):
        call()
    assert board().idle is IdleMode.HardGnd
    board().failing = None
    with pytest.raises(errors.FaultError, match=r"not trusted|not used any more"):
        call()


def test_grounding_that_fails_is_said(rig):
    board().failing = "ground"
    with pytest.raises(errors.NotSafeError):
        rig.safe()


def test_behind_the_guard(rig):
    class Maps:
        siemens, content_hash, v_read_v = (np.full((3, 2), 40e-6),), "x", 0.2

    with GuardedRig(rig) as guarded, pytest.raises(errors.RefusedError, match=r"has no watchdog"):
        guarded.arm(Maps, guarded.plan(Maps).token)
    with GuardedRig(rig, allow_no_watchdog=True) as guarded:
        guarded.arm(Maps, guarded.plan(Maps).token)
        assert guarded.program(0, Maps.siemens[0]).ok.all()
        assert guarded.read(0, np.full(3, 0.2)).shape == (2,)
    assert board().idle is IdleMode.HardGnd


def test_without_pyarc2_it_says_so(monkeypatch, wiring):
    monkeypatch.setitem(sys.modules, "pyarc2", None)
    with pytest.raises(errors.UnreachableError, match="pip install pyarc2"):
        Arc2Rig("fw.bin", wiring)


@pytest.mark.parametrize(("ids", "port"), [([], None), ([3], 4), ([1, 2], None)])
def test_without_a_board_it_says_so(pyarc2, wiring, ids, port):
    pyarc2.find_ids = lambda: ids
    with pytest.raises(errors.UnreachableError, match="no ArC TWO at port"):
        Arc2Rig("fw.bin", wiring, port)


def test_a_firmware_that_cannot_be_loaded(pyarc2, wiring):
    with pytest.raises(errors.UnreachableError, match="cannot load firmware"):
        Arc2Rig("bad.bin", wiring)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": (0, 0, 1)},
        {"rows": (0, 1, 64)},
        {"rows": (0, 1)},
        {"columns": (0, 48)},
        {"v_verify_v": 0.6},
        {"v_first_v": 2.5},
        {"v_step_v": 0.0},
        {"v_verify_v": math.nan},
    ],
)
def test_wiring_that_does_not_fit_is_refused(wiring, changed, wrong):
    with pytest.raises(errors.RefusedError, match=r"expected"):
        changed(wiring, **wrong)


def test_it_has_an_address(pyarc2, tmp_path):
    said = {
        "firmware": "fw.bin",
        "port": 3,
        "limits": vars(SMALL),
        "rows": [0, 1, 32],
        "columns": [16, 48],
    }
    path = tmp_path / "board.json"
    path.write_text(json.dumps(said))
    assert open_rig(f"ARC2::{path}").identify().serial == "port 3"
    for wrong in (
        "{}",
        "nonsense",
        json.dumps({**said, "volts": 3}),
        json.dumps({**said, "limits": {}}),
        json.dumps({**said, "v_first_v": 10**400})[:-1] + ', "more": ' + "[" * 10**5,
        "[]",
    ):
        path.write_text(wrong)
        with pytest.raises(errors.UnreachableError, match="does not describe an ArC TWO"):
            open_rig(f"ARC2::{path}")
