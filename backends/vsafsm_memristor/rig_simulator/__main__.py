"""``python -m vsafsm_memristor.rig_simulator``: the options, and the process."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import numpy as np

from vsafsm_memristor.rig_simulator.array import Array, Physics
from vsafsm_memristor.rig_simulator.faults import KINDS, FaultSchedule, parse
from vsafsm_memristor.rig_simulator.instrument import About, Instrument, Timing
from vsafsm_memristor.rig_simulator.lines import Lines
from vsafsm_memristor.rig_simulator.server import Server, serve
from vsafsm_memristor.rig_simulator.sessions import Bounds, Sessions

MODEL = "simulated rig"
SHORTEST_TOKEN = 16


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT: -> the exit code."""
    parser = options()
    args = parser.parse_args(arguments)
    _check(parser, args)
    lines = Lines(args.log, None if args.no_watchdog else args.watchdog_ms / 1e3)
    server = server_of(args, lines)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        listening = socket.create_server((args.host, args.port))
    except OSError as error:
        print(
            f"cannot listen on {args.host}, port {args.port}: {error.strerror}; expected an address"
            " of this computer and a free port, or --port 0",
            file=sys.stderr,
        )
        return 2
    with listening:
        lines.begin_watch()
        lines.note(
            "start",
            v_read_max_v=args.v_read_max_v,
            v_program_max_v=args.v_program_max_v,
            seed=args.seed,
        )
        if args.token is not None:
            print(
                "the line is NOT ENCRYPTED: whoever can listen to it reads the access token and all"
                " else",
                file=sys.stderr,
                flush=True,
            )
        print(f"listening on {listening.getsockname()[1]}", flush=True)
        try:
            serve(listening, server)
        except SystemExit:
            lines.ground("stop")
    return 0


def server_of(
    args: argparse.Namespace, lines: Lines, clock: Callable[[], float] = time.monotonic
) -> Server:
    """The simulated rig that options ask for, without a network and without a watch on its
    watchdog.
    """
    own, timing = _bounds(args), _timing(args)
    rng, fault_rng = np.random.default_rng([args.seed, 0]), np.random.default_rng([args.seed, 1])
    about = About(
        model=MODEL,
        serial=args.serial,
        watchdog_s=None if args.no_watchdog else args.watchdog_ms / 1e3,
        session_s=args.session_s,
        pulse_s=timing.pulse_s,
    )
    sessions = Sessions(own, lines, args.session_s, clock)
    array = Array((own.tiles, own.rows, own.columns), _physics(args), rng)
    instrument = Instrument(about, own, array, lines, sessions, timing, args.token)
    return Server(instrument, sessions, lines, FaultSchedule(args.fault, fault_rng))


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    if args.host not in LOOPBACK and args.token is None:
        parser.error(
            f"--host {args.host} can be reached from other computers; expected --token TOKEN with"
            f" it, or one of {', '.join(LOOPBACK)}"
        )
    if args.token is not None and not (
        args.token.isascii() and args.token.isprintable() and len(args.token) >= SHORTEST_TOKEN
    ):
        parser.error(
            f"--token has {len(args.token)} characters; expected at least {SHORTEST_TOKEN},"
            " printable ASCII"
        )
    if not args.accelerate > 0:
        parser.error(f"--accelerate is {args.accelerate:g}; expected a number above 0")
    if not args.session_s > 0:
        parser.error(f"--session-s is {args.session_s:g}; expected seconds above 0")


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit


def _bounds(args: argparse.Namespace) -> Bounds:
    return Bounds(
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


def _timing(args: argparse.Namespace) -> Timing:
    """In seconds of the clock on the wall: pulses are simulated time."""
    return Timing(
        latency_s=args.latency_us / 1e6,
        pulse_s=args.pulse_us / 1e6 / args.accelerate,
        slow_s=args.slow_ms / 1e3,
        sticky=args.sticky,
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


LOOPBACK = ("127.0.0.1", "localhost")
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
    ("pulse-us", 1.0, "microseconds of simulated time that a pulse takes, cell after cell"),
    ("watchdog-ms", 1000.0, "milliseconds of silence after which the lines are grounded"),
    ("session-s", 10.0, "seconds of its owner's silence after which another may take the rig"),
    ("slow-ms", 500.0, "milliseconds that the fault `slow` takes"),
    ("seed", 0, "of everything random"),
    ("port", 5025, "TCP port; 0 for a free one, which is printed"),
)


def options() -> argparse.ArgumentParser:
    """The options of the process."""
    parser = argparse.ArgumentParser(
        prog="python -m vsafsm_memristor.rig_simulator",
        description="A simulated rig that speaks SCPI over TCP.",
    )
    for name, default, text in NUMBERS:
        parser.add_argument(
            f"--{name}", type=type(default), default=default, help=f"{text} (default {default:g})"
        )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default 127.0.0.1); another needs --token",
    )
    parser.add_argument(
        "--token",
        help="access token that each connection has to show; the line is not encrypted",
    )
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
