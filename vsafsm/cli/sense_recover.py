"""``vsafsm sense recover``: damaged images, in software and on drawn arrays."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsafsm.cli.arguments import add_json, add_picture
from vsafsm.cli.exits import OK
from vsafsm.cli.sense_arguments import add_arrays, arrays_of, check_seed
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_json, print_line
from vsafsm.errors import UsageError
from vsafsm.intervals import over_draws
from vsafsm.overwriting import check_output
from vsafsm.plotting.style import theme_of

if TYPE_CHECKING:
    from vsafsm.sense.model import Floats
    from vsafsm.sense.recovery.arrays import Errors
    from vsafsm.sense.recovery.images import Damaged
    from vsafsm.vsa import Bits

HEADER = ("", "wrong pixels", "95 % interval", "worst", "less by")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What was remembered, frames, their damage, and on which arrays."""
    parser.add_argument("memory", metavar="MEMORY", help="a file of `vsafsm sense remember`")
    parser.add_argument(
        "frames", metavar="FRAMES", help="a folder of .npy or .png files, or a .npz"
    )
    parser.add_argument("--flip", type=float, metavar="SHARE", help="flip this share of the pixels")
    parser.add_argument(
        "--cover", metavar="WHERE", help="cover a third of the pixels: bottom or scattered"
    )
    parser.add_argument(
        "--arrays", type=int, default=20, metavar="COUNT", help="arrays to draw (default 20)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="SEED", help="seed of the first array (default 0)"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write what the first array recovers, a .npz"
    )
    parser.add_argument("--force", action="store_true", help="replace a file of another kind")
    parser.add_argument(
        "--damaged",
        action="store_true",
        help="the frames are damaged already: recover them, as -o says",
    )
    add_picture(parser, "some images")
    add_arrays(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """-> 0; bad input is raised, and nothing is written then."""
    import numpy as np

    from vsafsm.sense.data import load_frames
    from vsafsm.sense.recovery.arrays import drawn, errors, in_software
    from vsafsm.sense.recovery.artefact import load_restorer
    from vsafsm.sense.recovery.picture import draw_recovery

    _check(args)
    restorer = load_restorer(args.memory)
    frames = load_frames(args.frames)
    backend, options = arrays_of(args)
    truth = restorer.binary.pixels(frames)
    seen = _damage(args, truth, np.random.default_rng([args.seed, 3]))
    first = next(drawn(restorer, seen, backend, options, (args.seed,)))
    if not args.damaged:
        seeds = range(args.seed, args.seed + args.arrays)
        device = f" of {options['device']}" if "device" in options else ""
        _print(args, errors(restorer, seen, truth, backend, options, seeds), device)
    if args.picture is not None:
        shown = {"in software": in_software(restorer, seen, args.seed), "on an array": first}
        before = {} if args.damaged else {"original": truth}
        theme = theme_of(args.theme)
        draw_recovery(restorer.binary, before, seen, shown, Path(args.picture), theme)
    if args.output is not None:
        _write(args.output, first.reshape(frames.values.shape))
        if not args.json:
            print_line(f"wrote {args.output}")
    return OK


def _check(args: argparse.Namespace) -> None:
    check_seed(args)
    if (args.flip is None) == (args.cover is None):
        raise UsageError("the damage is not clear; expected --flip or --cover")
    if args.arrays < 1:
        raise UsageError(f"--arrays is {args.arrays}; expected 1 or more")
    if args.damaged and args.output is None:
        raise UsageError("--damaged is given, and no file to write; expected -o FILE")
    if args.damaged and args.cover not in (None, "bottom"):
        raise UsageError(
            f'frames are damaged, and which pixels are covered is not known of "{args.cover}";'
            " expected bottom"
        )
    if args.picture is not None:
        from vsafsm.plotting.canvas import check_picture

        check_picture(args.picture, sources=(args.frames, args.memory))
    if args.output is not None:
        from vsafsm.sense.data import holds_frames

        check_output(
            args.output,
            "a file of frames",
            (".npz",),
            holds_frames,
            sources=(args.frames, args.memory),
            force=args.force,
        )


def _damage(args: argparse.Namespace, truth: Bits, rng: Any) -> Damaged:
    import numpy as np

    from vsafsm.sense.recovery.images import Damaged, cover, flip

    if args.cover is not None:
        return cover(truth, args.cover, rng)
    if args.damaged:
        return Damaged(truth, np.ones_like(truth), args.flip)
    return flip(truth, args.flip, rng)


def _print(args: argparse.Namespace, found: Errors, device: str) -> None:
    """Before and after; the interval takes each image as one draw."""
    base = float(found.damaged.mean())
    rows = [_row("damaged", found.damaged, None)]
    if args.cover is not None:
        rows[0]["images"] = "covered pixels dark"
        rows.append(_row("covered pixels guessed", found.guessed, None))
    rows.append(_row("in software", found.exact, base))
    worst = float(found.arrays.mean(1).max())
    name = f"{len(found.arrays)} arrays{device}"
    rows.append({**_row(name, found.arrays.mean(0), base), "worst": worst})
    if args.json:
        print_json({"images": len(found.damaged), "rows": rows})
    else:
        print_table(HEADER, [_line(row) for row in rows])


def _row(name: str, shares: Floats, base: float | None) -> dict[str, Any]:
    low, high = over_draws(shares.tolist())
    mean = float(shares.mean())
    row: dict[str, Any] = {"images": name, "wrong": mean, "low": low, "high": high}
    return row if not base else {**row, "less": 1 - mean / base}


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    worst = f"{row['worst']:.4f}" if "worst" in row else ""
    less = f"{100 * row['less']:.1f} %" if "less" in row else ""
    interval = f"{row['low']:.4f} to {row['high']:.4f}"
    return (row["images"], f"{row['wrong']:.4f}", interval, worst, less)


def _write(path: str, images: Bits) -> None:
    """Frames of 0 and 1, whole or not at all."""
    import io

    import numpy as np

    from vsafsm.files import write_atomically

    buffer = io.BytesIO()
    np.savez(buffer, frames=images.astype(np.uint8))
    write_atomically(path, buffer.getvalue())
