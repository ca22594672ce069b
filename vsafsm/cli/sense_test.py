"""``vsafsm sense test``: what a classifier gives of labelled frames, exact and on drawn arrays."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vsafsm.cli.arguments import add_json
from vsafsm.cli.exits import OK, WRONG
from vsafsm.cli.progress import ProgressBar
from vsafsm.cli.sense_arguments import LABELLED, add_arrays, arrays_of
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_json
from vsafsm.errors import UsageError
from vsafsm.intervals import over_draws, wilson

if TYPE_CHECKING:
    from vsafsm.sense.arrays import Outcome
    from vsafsm.sense.data import Frames
    from vsafsm.sense.model import Model

HEADER = ("", "correct", "95 % interval", "worst", "unsure", "sure and wrong")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A classifier, labelled frames, how many arrays, and of what."""
    parser.add_argument("classifier", metavar="CLASSIFIER", help="a file of `vsafsm sense train`")
    parser.add_argument("frames", metavar="FRAMES", help=LABELLED)
    parser.add_argument(
        "--arrays",
        type=int,
        metavar="COUNT",
        help="arrays to draw (default 0, or 100 where a device is named)",
    )
    parser.add_argument(
        "--tune",
        metavar="FRAMES",
        help="measure arrays as well that the classifier is put on layer by layer, with the rest"
        " trained on what each layer gives of these frames, which are those of training",
    )
    parser.add_argument(
        "--certify",
        type=float,
        metavar="SHARE",
        help="the share of frames whose class is proven to be kept where every weight may change by"
        " this share of full scale",
    )
    parser.add_argument(
        "--least",
        type=float,
        metavar="SHARE",
        help="exit with 1 where less is correct: on the mean of the arrays, tuned ones where there"
        " are, or exactly",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="SEED", help="seed of the first array (default 0)"
    )
    add_arrays(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """-> 0 measured, 1 where less is correct than ``--least``; bad input is raised."""
    from vsafsm.sense.arrays import outcome
    from vsafsm.sense.artefact import load_model
    from vsafsm.sense.data import load_labelled
    from vsafsm.sense.tune import check_tuning

    count = _arrays(args)
    model, frames = load_model(args.classifier), load_labelled(args.frames)
    training = None if args.tune is None else load_labelled(args.tune)
    if training is not None:
        check_tuning(model, training)
    rows = [_exact(outcome(model, frames), len(frames.values))]
    if count:
        rows.append(_of_arrays(args, model, frames, count))
    if training is not None:
        rows.append(_of_arrays(args, model, frames, count, training))
    measured = rows[-1]
    if args.certify is not None:
        rows.append(_certified(args.certify, model, frames))
    if args.json:
        print_json({"classifier": args.classifier, "frames": len(frames.values), "rows": rows})
    else:
        print_table(HEADER, [_line(row) for row in rows])
    return OK if args.least is None or measured["correct"] >= args.least else WRONG


def _arrays(args: argparse.Namespace) -> int:
    count = (100 if args.device else 0) if args.arrays is None else int(args.arrays)
    if count < 0 or args.seed < 0:
        raise UsageError("--arrays and --seed are to be 0 or more")
    for name in ("certify", "least"):
        value = getattr(args, name)
        if value is not None and not 0 <= value <= 1:
            raise UsageError(f"--{name} is {value}; expected a share, 0 to 1")
    if not count and (args.backend is not None or args.device or args.assign or args.tune):
        raise UsageError(
            "a backend, a device, options or --tune are given, and no arrays; expected --arrays"
        )
    return count


def _exact(found: Outcome, frames: int) -> dict[str, Any]:
    low, high = wilson(found.correct * frames, frames)
    return {
        "weights": "exact",
        "correct": found.correct,
        "low": low,
        "high": high,
        "unsure": found.unsure,
        "wrong": found.wrong,
    }


def _of_arrays(
    args: argparse.Namespace,
    model: Model,
    frames: Frames,
    count: int,
    training: Frames | None = None,
) -> dict[str, Any]:
    """Of arrays; each tuned in the loop where there are frames of training."""
    from vsafsm.sense.arrays import outcomes
    from vsafsm.sense.tune import tuned_outcomes

    backend, options = arrays_of(args)
    seeds = range(args.seed, args.seed + count)
    if training is None:
        drawn, doing = outcomes(model, frames, backend, options, seeds), "drawing arrays"
    else:
        drawn = tuned_outcomes(model, frames, backend, options, seeds, training)
        doing = "tuning arrays"
    found = []
    with ProgressBar(doing) as progress:
        for each in drawn:
            found.append(each)
            progress(f"{len(found)} of {count} arrays", len(found) / count)
    shares = [each.correct for each in found]
    low, high = over_draws(shares)
    device = f" of {options['device']}" if "device" in options else ""
    return {
        "weights": f"{count} arrays{device}{'' if training is None else ', tuned'}",
        "correct": _mean(shares),
        "low": low,
        "high": high,
        "worst": min(shares),
        "unsure": _mean([each.unsure for each in found]),
        "wrong": _mean([each.wrong for each in found]),
    }


def _certified(share: float, model: Model, frames: Frames) -> dict[str, Any]:
    from vsafsm.sense.radius import certified

    found = certified(model, frames, share)
    low, high = wilson(found * len(frames.values), len(frames.values))
    text = f"certified at {share:g} of full scale"
    return {"weights": text, "correct": found, "low": low, "high": high}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    cells = (f"{row[name]:.4f}" if name in row else "" for name in ("worst", "unsure", "wrong"))
    interval = f"{row['low']:.4f} to {row['high']:.4f}"
    return (row["weights"], f"{row['correct']:.4f}", interval, *cells)
