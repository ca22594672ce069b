"""The fixed points that words reach, and which leads where: the walk of the proof, kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vsafsm.activities import Activities, activities_of
from vsafsm.errors import PlotError
from vsafsm.hand_overs import Walker
from vsafsm.lowering import REST
from vsafsm.network import Network

MOST_POINTS = 300


class Held(NamedTuple):
    """What the network holds while an input is on: from a fixed point at rest, by an input, through
    a code (-1 for none), to another; -1 where nothing settles.
    """

    source: int
    input: str
    code: int
    target: int


@dataclass(frozen=True)
class FixedPoints:
    """Fixed points at rest.

    Attributes
    ----------
    codes
        What each stands for, -1 for no code; the first is that of the reset. None where the reset
        does not settle.
    ways
        From each by every input; the hand-overs between masks may lead to several.
    """

    codes: tuple[int, ...]
    ways: tuple[Held, ...]


def fixed_points(network: Network) -> FixedPoints:
    """Follow every input from the reset and from each fixed point that is reached.

    Raises
    ------
    PlotError
        If they are more than `MOST_POINTS`.
    """
    walker = Walker(network, ())
    start, _, moving = walker.settle(
        network.code_activities([network.start]), np.array([REST]), np.array([-1]), "gap"
    )
    if moving.any():
        return FixedPoints((), ())
    points, index = [start[0]], {start.keys[0]: 0}
    ways: list[Held] = []
    done = 0
    while done < len(points):
        wave = activities_of(points[done:])
        pairs = [(p, a) for p in range(len(wave)) for a in range(len(network.inputs))]
        begun = wave.take(np.array([p for p, _ in pairs]))
        masks = np.array([a + 1 for _, a in pairs])
        none = np.full(len(pairs), -1)
        held = walker.hand_over(begun, masks, masks, none, "held")
        restless = [pairs[row] for row in set(held.rows[held.moving].tolist())]
        ways += [Held(done + point, network.inputs[a], -1, -1) for point, a in sorted(restless)]
        held = held.settled
        codes = network.codes_of(held.activity, masks[held.rows])
        rest = np.full(len(held.rows), REST)
        after = walker.hand_over(held.activity, masks[held.rows], rest, none[: len(rest)], "gap")
        ends = zip(after.activity.keys, after.rows.tolist(), after.moving.tolist(), strict=True)
        for i, (key, row, moving_on) in enumerate(ends):
            point, a = pairs[held.rows[row]]
            if not moving_on and key not in index:
                index[key] = len(points)
                points.append(after.activity[i].copy())
            target = -1 if moving_on else index[key]
            ways.append(Held(done + point, network.inputs[a], int(codes[row]), target))
        done += len(wave)
        if len(points) > MOST_POINTS:
            raise PlotError(
                f"over {MOST_POINTS} fixed points are reached, too many to draw; expected a smaller"
                " machine"
            )
    every: Activities = activities_of(points)
    found = network.codes_of(every, np.full(len(points), REST))
    return FixedPoints(tuple(found.tolist()), tuple(dict.fromkeys(ways)))
