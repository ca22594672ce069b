"""The walk of the proof as a graph: fixed points at rest, what is held while an input is on, and
which leads where.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from vsafsm.network import Network
from vsafsm.plotting.fixed_points import FixedPoints, fixed_points
from vsafsm.plotting.geometry import Told, cut, most_letters, placed
from vsafsm.plotting.graph import Look, drawn
from vsafsm.plotting.style import PENDING, Theme
from vsafsm.program import Program

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_walk(program: Program, theme: Theme) -> Figure:
    """Fixed points at rest as ellipses, with a dot that leads to the first; codes that are held
    while an input is on, dashed. An input leads from a fixed point to a code, and the end of the
    input on to a fixed point. What stands for no code has a rim of its own colour.
    """
    network = program.network
    found = fixed_points(network)
    most = most_letters(theme)
    if not found.codes:
        told, looks = Told("p0", ("reset does not settle",)), {"p0": Look(alert=True)}
        return drawn(placed([told], {}, "p0", theme), theme, looks)
    names = _names(network, found)
    every = [_told(f"p{i}", name, (), most) for i, name in enumerate(names)]
    looks = {f"p{i}": Look(alert=c < 0) for i, c in enumerate(found.codes)}
    labels: dict[tuple[str, str], list[str]] = {}
    for way in found.ways:
        source, target = f"p{way.source}", f"p{way.target}"
        if way.target >= 0 and way.code == found.codes[way.source] and source == target:
            labels.setdefault((source, target), []).append(way.input)
            continue
        between = f"c{way.code}"
        if between not in looks:
            every.append(_of_code(network, way.code, most))
            looks[between] = Look(PENDING, dashed=True, alert=way.code < 0)
        labels.setdefault((source, between), []).append(way.input)
        if way.target < 0 and target not in looks:
            every.append(Told(target, ("does not settle",)))
            looks[target] = Look(alert=True)
        labels.setdefault((between, target), [])
    joined = {
        pair: [", ".join(dict.fromkeys(inputs))] if inputs else []
        for pair, inputs in labels.items()
    }
    return drawn(placed(every, joined, "p0", theme), theme, looks)


def _names(network: Network, found: FixedPoints) -> list[str]:
    """Names of fixed points; those of several of one state are counted."""
    plain = ["no state" if code < 0 else network.code_name(code) for code in found.codes]
    many, seen = Counter(plain), Counter[str]()
    names = []
    for name in plain:
        seen[name] += 1
        names.append(f"{name} ({seen[name]})" if many[name] > 1 else name)
    return names


def _of_code(network: Network, code: int, most: int) -> Told:
    if code < 0:
        return Told("c-1", ("no code",))
    label = network.labels[code]
    arrow = "→ " if label.pending else ""
    return _told(f"c{code}", arrow + network.states[label.state], label.outputs, most)


def _told(key: str, name: str, outputs: tuple[str, ...], most: int) -> Told:
    written = textwrap.wrap(", ".join(outputs), most, break_long_words=False)
    return Told(key, tuple(cut(name, most)), tuple(written))
