"""``vsafsm sense search``: the noise of training that does best on drawn arrays."""

from __future__ import annotations

import argparse
from pathlib import Path

from vsafsm.cli.arguments import add_json, add_picture
from vsafsm.cli.exits import OK
from vsafsm.cli.progress import ProgressBar
from vsafsm.cli.sense_arguments import (
    LABELLED,
    add_arrays,
    add_recipe,
    arrays_of,
    check_seed,
    recipe_of,
)
from vsafsm.cli.tables import print_table
from vsafsm.cli.terminal import print_json, print_line
from vsafsm.plotting.style import theme_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Frames, a journal, what to search, and on which arrays."""
    parser.add_argument("frames", metavar="FRAMES", help=LABELLED)
    parser.add_argument(
        "--journal", metavar="FILE", help="keep trials in this file, and go on with those in it"
    )
    add_picture(parser, "the search")
    parser.add_argument(
        "--trials", type=int, default=20, metavar="COUNT", help="classifiers to train (default 20)"
    )
    parser.add_argument(
        "--arrays",
        type=int,
        default=20,
        metavar="COUNT",
        help="arrays that each is scored on, at least 20 (default 20)",
    )
    parser.add_argument(
        "--most-noise",
        type=float,
        default=0.5,
        metavar="SHARE",
        help="largest noise of a layer that is tried (default 0.5)",
    )
    parser.add_argument(
        "--most-dropout",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="search for the shares times 0 and times 1/2 before each layer too, up to this"
        " (0.5 at most; default 0)",
    )
    add_recipe(parser)
    add_arrays(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """-> 0; bad input is raised."""
    import numpy as np

    from vsafsm.plotting.canvas import check_picture
    from vsafsm.sense.arrays import matrices_of, outcome
    from vsafsm.sense.data import load_labelled
    from vsafsm.sense.margins import split
    from vsafsm.sense.model import Model
    from vsafsm.sense.search import Space, best, identity, parameters, search
    from vsafsm.sense.search_picture import draw_search

    check_seed(args)
    if args.picture is not None:
        check_picture(args.picture, sources=(args.frames, args.journal))
    space = Space(0.0, args.most_noise, args.trials, args.arrays, args.seed, args.most_dropout)
    backend, options = arrays_of(args)
    recipe = recipe_of(args)
    frames = load_labelled(args.frames)
    # Arrays are scored on frames that no classifier of the search is trained on.
    kept, held = split(frames, 0.2, np.random.default_rng([args.seed, 2]))

    def score(model: Model, rng: np.random.Generator) -> float:
        products = backend.draw_layers(matrices_of(model), rng, **options)
        return outcome(model, held, products).correct

    about = {"backend": backend.name, "frames": identity(frames), **options}
    with ProgressBar("searching") as progress:
        trials = search(
            kept,
            recipe,
            space,
            score,
            None if args.journal is None else Path(args.journal),
            about,
            progress,
        )
    found = best(trials)
    if args.picture is not None:
        draw_search(trials, Path(args.picture), theme_of(args.theme))
    noise = ",".join(f"{each:.3f}" for each in found.noise)
    dropout = ",".join(f"{zero:.3f}:{half:.3f}" for zero, half in found.dropout)
    if args.json:
        rows = [
            {
                "noise": list(t.noise),
                **({"dropout": [list(pair) for pair in t.dropout]} if t.dropout else {}),
                "mean": t.mean,
                "worst": min(t.scores),
            }
            for t in trials
        ]
        best_one = {key: rows[trials.index(found)][key] for key in rows[0] if key != "worst"}
        print_json({**best_one, "trials": rows})
    else:
        rows_shown = [
            (str(i + 1), *(f"{n:.3f}" for n in t.numbers), f"{t.mean:.4f}", f"{min(t.scores):.4f}")
            for i, t in enumerate(trials)
        ]
        names = parameters(recipe.depth, bool(found.dropout))
        print_table(("trial", *names, "mean", "worst"), rows_shown)
        with_dropout = f" --dropout {dropout}" if dropout else ""
        print_line(
            f"best: vsafsm sense train {args.frames} --noise {noise}{with_dropout} -o CLASSIFIER"
        )
    return OK
