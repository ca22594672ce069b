"""A stand-alone Brian2 script and its network: what `script.template` says, with the values of a
program.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from vsafsm.clocked import waiting
from vsafsm.errors import OptionError
from vsafsm.files import write_atomically
from vsafsm.network import LEAD, THRESHOLD
from vsafsm.program import Program
from vsafsm_brian2 import equations as eq
from vsafsm_brian2.parameters import Parameters, Realism, RunSettings, tick_period_ms

TARGETS = {
    "numpy": 'prefs.codegen.target = "numpy"',
    "cython": 'prefs.codegen.target = "cython"',
    "cpp_standalone": 'set_device("cpp_standalone", directory="standalone")',
}


def emit(
    program: Program, folder: Path, parameters: Parameters, realism: Realism, running: RunSettings
) -> None:
    """Write ``run.py`` and ``network.npz`` into an existing folder.

    Raises
    ------
    OptionError
        If realism, or another kind of inhibition or synapses, is asked for: the script is to be
        read. Or if a period of the clock is shorter than a tick takes.
    FileError
        If a file cannot be written.
    """
    if realism != Realism():
        raise OptionError(
            "the script has no realism; expected none of its options, or vsafsm run --backend"
            " brian2"
        )
    for name in ("inhibitory_cells", "synapses", "signs"):
        usual = getattr(Parameters(), name)
        if getattr(parameters, name) != usual:
            raise OptionError(
                f"the script has no {name}; expected {usual}, or vsafsm run --backend brian2"
            )
    text = script(program, parameters, running)
    write_atomically(folder / "network.npz", _archive(program))
    write_atomically(folder / "run.py", text.encode())


def script(program: Program, parameters: Parameters, running: RunSettings) -> str:
    """The text of the script."""
    clock = program.machine.clock
    values: dict[str, Any] = {
        "MACHINE_NAME": _in_docstring(program.machine.name),
        "WORD": repr(waiting(program.machine.demonstration(), clock)),
        **{"CONSTANTS": _lines(eq.CONSTANTS), "VARIED": _lines(_varied(program, parameters))},
        **{"CELLS": eq.CELLS.format(noise=""), "POOL": eq.POOL.strip(), "LINES": eq.LINES},
        **{name: getattr(eq, name) for name in dir(eq) if name.startswith("ON_")},
        **{"WINDOW_MS": eq.WINDOW_MS, "ACTIVE_SHARE": eq.ACTIVE_SHARE, "RESET_MS": eq.RESET_MS},
        **{"PERIOD_MS": eq.INPUT_PERIOD_MS, "HOLD_MS": running.hold_ms, "GAP_MS": running.gap_ms},
        "DT_MS": parameters.dt_ms,
        **{"TARGET": TARGETS[running.codegen], "THRESHOLD": THRESHOLD, "LEAD": LEAD},
    }
    if clock is not None:
        values["CLOCK_INPUT"], values["CLOCK_SECONDS"] = repr(clock.symbol), str(clock.seconds)
        values["TICK_MS"] = f"{float(tick_period_ms(clock, running)):.12g}"
    text = (files("vsafsm_brian2") / "script.template").read_text(encoding="utf-8")
    found = re.sub(
        r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\b",
        lambda m: _text(values.get(m[0], m[0])),
        _chosen(text.replace("\r", ""), clock is not None),
    )
    return found.replace("\r", "")


def _chosen(template: str, clocked: bool) -> str:
    """A template's lines. Those that begin with ``?`` are for a machine with a clock, those with
    ``!`` for one without.
    """
    other, own = ("!", "?") if clocked else ("?", "!")
    lines = (line for line in template.splitlines(keepends=True) if not line.startswith(other))
    return "".join(line.removeprefix(own) for line in lines)


def _varied(program: Program, parameters: Parameters) -> Iterator[tuple[str, float, str, str]]:
    """What `Parameters` and the program say, as the constants are written."""
    network, parameters = program.network, parameters.at_speed
    step = 2 * parameters.strength_pa / (network.active * network.scale)
    yield "tau_syn", parameters.tau_syn_ms, "ms", "of synapses and inhibitory pool"
    yield "C_m", parameters.tau_mem_ms, "ms*g_L", "capacitance: membrane time constant times leak"
    yield "t_ref", parameters.refractory_ms, "ms", "refractory time"
    yield (
        "I_bias",
        parameters.bias_pa,
        "pA",
        "tonic bias, above rheobase: it keeps the network alive",
    )
    yield "w_step", step, "pA", f"one LSB: 2 * {parameters.strength_pa:g} pA / (k * scale)"
    inhibition = parameters.inhibition_gain * network.gain * step
    yield (
        "w_inh",
        inhibition,
        "pA",
        f"inhibition per spike: {parameters.inhibition_gain:g} * gain * w_step",
    )


def _lines(constants: Iterable[tuple[str, float, str, str]]) -> str:
    return "\n".join(
        f"{f'{name} = {value:.9g}*{unit}':<26}  # {text}" for name, value, unit, text in constants
    )


def _in_docstring(name: str) -> str:
    """A name that cannot end the text that it stands in."""
    return name.replace("\\", "/").replace('"', "'")


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _archive(program: Program) -> bytes:
    """``network.npz``: no pickle, and the same bytes for the same program."""
    network = program.network
    arrays = {
        **{"blocks": network.blocks, "senders": network.between.senders.astype(np.int32)},
        **{"targets": network.between.targets, "values": network.between.values},
        **{"masks": network.masks, "opens": network.opens.astype(np.int32)},
        **{"codes": network.codes, "homes": network.homes},
        "inputs": np.array(network.inputs),
        **{
            "code_names": np.array(network.code_names),
            "start": np.array(network.start),
            "mealy": np.array([", ".join(label.outputs) for label in network.labels]),
            "moore": np.array(
                [
                    "" if label.pending else ", ".join(network.moore[label.state])
                    for label in network.labels
                ]
            ),
        },
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, np.asarray(array, order="C"), allow_pickle=False)
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0)), member.getvalue()
            )
    return buffer.getvalue()
