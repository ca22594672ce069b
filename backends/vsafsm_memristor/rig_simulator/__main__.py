"""``python -m vsafsm_memristor.rig_simulator``: the options, and the process."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import numpy as np

from vsafsm_memristor.rig_simulator.array import Array, Physics
from vsafsm_memristor.rig_simulator.faults import KINDS, FaultSchedule, parse
from vsafsm_memristor.rig_simulator.lines import Lines
from vsafsm_memristor.rig_simulator.server import Capabilities, Instrument, Timing, serve

MODEL = "simulated rig"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT: -> the exit code."""
    args = _parser().parse_args(arguments)
    rng, fault_rng = np.random.default_rng([args.seed, 0]), np.random.default_rng([args.seed, 1])
    watchdog_s = None if args.no_watchdog else args.watchdog_ms / 1e3
    lines = Lines(args.log, watchdog_s)
    own = _capabilities(args, watchdog_s)
    array = Array((own.tiles, own.rows, own.columns), _physics(args), rng)
    timing = Timing(args.latency_us / 1e6, args.pulse_us / 1e6, args.slow_ms / 1e3, args.sticky)
    faults = FaultSchedule(args.fault, fault_rng)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        server = socket.create_server((args.host, args.port))
    except OSError as error:
        print(
            f"cannot listen on port {args.port}: {error.strerror}; expected a free one, or"
            " --port 0",
            file=sys.stderr,
        )
        return 2
    with server as listening:
        lines.note(
            "start",
            v_read_max_v=own.v_read_max_v,
            v_program_max_v=own.v_program_max_v,
            seed=args.seed,
        )
        print(f"listening on {listening.getsockname()[1]}", flush=True)
        try:
            serve(
                listening,
                Instrument(own, array, lines, timing, faults),
                lines,
                faults,
                f"vsafsm,{MODEL},{own.serial},1",
            )
        except SystemExit:
            lines.ground("stop")
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit


def _capabilities(args: argparse.Namespace, watchdog_s: float | None) -> Capabilities:
    return Capabilities(
        model=MODEL,
        serial=args.serial,
        watchdog_s=watchdog_s,
        tiles=args.tiles,
        rows=args.rows,
        columns=args.columns,
        g_min_s=args.g_min_us / 1e6,
        g_max_s=args.g_max_us / 1e6,
        v_read_max_v=args.v_read_max_v,
        v_program_max_v=args.v_program_max_v,
        i_line_max_a=args.i_line_max_a,
        pulses_per_cell=args.pulses,
        write_budget=args.write_budget,
    )


def _physics(args: argparse.Namespace) -> Physics:
    return Physics(
        g_min_s=args.g_min_us / 1e6,
        g_max_s=args.g_max_us / 1e6,
        tolerance_s=args.tolerance_us / 1e6,
        stuck=args.stuck,
        unusable=args.unusable,
        read_noise=args.read_noise,
        relax=args.relax,
        adc_range_a=args.adc_range_a or args.i_line_max_a,
        adc_bits=args.adc_bits,
        accelerate=args.accelerate,
    )


NUMBERS = (
    ("tiles", 4, "crossbar tiles"),
    ("rows", 128, "rows of a tile"),
    ("columns", 128, "columns of a tile"),
    ("g-min-us", 1.0, "least conductance, microsiemens"),
    ("g-max-us", 40.0, "largest conductance, microsiemens"),
    ("v-read-max-v", 0.3, "largest read voltage, volts"),
    ("v-program-max-v", 4.0, "largest programming voltage, volts"),
    ("i-line-max-a", 2e-3, "largest line current, amperes"),
    ("pulses", 64, "most pulses per cell and command"),
    ("write-budget", 10**9, "most pulses in all"),
    ("tolerance-us", 1.0, "write-verify tolerance, microsiemens"),
    ("stuck", 0.002, "share of cells that no pulse moves, and that it does not know of"),
    ("unusable", 0.0, "share of cells that it knows to be unusable"),
    (
        "read-noise",
        0.01,
        "standard deviation of a cell's read noise, as a share of its conductance",
    ),
    ("relax", 1.0, "strength of relaxation after a write"),
    ("accelerate", 1.0, "seconds of simulated time per second"),
    ("adc-range-a", 0.0, "full scale of the converter, amperes (0: the largest line current)"),
    ("adc-bits", 14, "bits of the converter"),
    ("latency-us", 0.0, "microseconds that a read holds its voltages"),
    ("pulse-us", 0.0, "microseconds of a round of pulses"),
    ("watchdog-ms", 1000.0, "milliseconds of silence after which the lines are grounded"),
    ("slow-ms", 500.0, "milliseconds that the fault `slow` takes"),
    ("seed", 0, "of everything random"),
    ("port", 5025, "TCP port; 0 for a free one, which is printed"),
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m vsafsm_memristor.rig_simulator",
        description="A simulated rig that speaks SCPI over TCP.",
    )
    for name, default, text in NUMBERS:
        parser.add_argument(
            f"--{name}", type=type(default), default=default, help=f"{text} (default {default:g})"
        )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--serial", default="SIM-0")
    parser.add_argument("--no-watchdog", action="store_true")
    parser.add_argument(
        "--sticky", action="store_true", help="leave read voltages on: a rig that breaks the rules"
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help="log of every line voltage")
    parser.add_argument(
        "--fault",
        type=parse,
        action="append",
        default=[],
        help=f"KIND@N or KIND:PROBABILITY of {', '.join(KINDS)}",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
