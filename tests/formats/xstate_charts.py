"""Random machines of XState, and their comparison with what XState did.

``tests/data/xstate.jsonl`` is written by this, with XState 5 from npm beside ``xstate_run.cjs``::

    npm install xstate@5
    python xstate_charts.py 0 120 > asked.jsonl
    node xstate_run.cjs < asked.jsonl | python xstate_charts.py join asked.jsonl > xstate.jsonl
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from vsafsm import errors as e
from vsafsm.formats.xstate import read_chart, read_xstate
from vsafsm.statecharts import Interpreter

Config = dict[str, object]
EVENTS = ("a", "b", "c", "mouse.up")
TICK = 100


class Maker:
    """A random machine as `config`."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.paths: list[tuple[str, ...]] = []
        self.kinds: dict[tuple[str, ...], str] = {}
        self.names: dict[str, None] = {}
        self.time = draw.random() < 0.4
        self.wild = draw.random() < 0.3
        kind = draw.choice(["compound", "compound", "compound", "parallel"])
        self.kinds[()] = kind
        self.config: Config = {"id": "m", **self.inside((), kind, 0)}
        self.connect(self.config, ())

    def inside(self, path: tuple[str, ...], kind: str, depth: int) -> Config:
        """The states in one."""
        draw = self.draw
        states: Config = {}
        count = draw.choice([1, 2, 2, 3] if kind == "compound" else [2, 2, 3])
        for i in range(count):
            key = f"{'pqrs'[depth]}{i}"
            weights = [4, 3 if depth < 2 else 0, 2 if depth < 2 else 0]
            inner = draw.choices(["atomic", "compound", "parallel"], weights)[0]
            if inner == "parallel" and kind == "parallel":
                inner = "compound"
            self.add(path, key, inner)
            made = self.inside((*path, key), inner, depth + 1) if inner != "atomic" else {}
            states[key] = made
        keys = list(states)
        found: Config = {"states": states}
        if kind == "parallel":
            found["type"] = "parallel"
            return found
        found["initial"] = draw.choice(keys)
        if draw.random() < 0.3:
            states["done"] = {"type": "final"}
            self.add(path, "done", "final")
        if path and draw.random() < 0.4:
            states["back"] = {"type": "history", "history": draw.choice(["shallow", "deep"])}
            if draw.random() < 0.6:
                states["back"]["target"] = draw.choice(keys)  # type: ignore[index]
            self.add(path, "back", "history")
        if draw.random() < 0.4 and len(path) == 1 and self.kinds[()] == "compound":
            found["initial"] = {"target": found["initial"], "actions": [self.output()]}
        return found

    def add(self, path: tuple[str, ...], key: str, kind: str) -> None:
        self.paths.append((*path, key))
        self.kinds[(*path, key)] = kind

    def output(self) -> str:
        name = self.draw.choice(["one", "two", "three"])
        self.names[name] = None
        return name

    def connect(self, node: Config, path: tuple[str, ...]) -> None:
        """Give a state and those inside it actions and transitions."""
        draw, kind = self.draw, self.kinds[path]
        for key, inner in dict(node.get("states", {})).items():  # type: ignore[call-overload]
            self.connect(inner, (*path, key))
        if kind == "history":
            return
        for key in ("entry", "exit"):
            if path and draw.random() < 0.25:
                name = f"{key} {'.'.join(path)}"
                self.names[name] = None
                node[key] = draw.choice([name, [name], {"type": name}, [{"type": name}]])
        if path and draw.random() < 0.2:
            node["tags"] = draw.choice(["t", ["t", "u"]])
        if kind == "final":
            return
        on: Config = {}
        events = [*EVENTS, "*", "mouse.*"] if self.wild else EVENTS
        for event in draw.sample(events, draw.choice([0, 1, 1, 2])):
            on[event] = self.transition(path)
        if on:
            node["on"] = on
        if kind in ("compound", "parallel") and path and draw.random() < 0.3:
            node["onDone"] = self.transition(path)
        if self.time and path and draw.random() < 0.3:
            node["after"] = {str(TICK * draw.choice([1, 2, 3])): self.transition(path)}
        if path and draw.random() < 0.05:
            node["always"] = self.transition(path)

    def transition(self, path: tuple[str, ...]) -> object:
        draw = self.draw
        target = draw.choice(self.paths)
        told: object = f"#m.{'.'.join(target)}"
        if target[:-1] == path[:-1] and path and draw.random() < 0.5:
            told = target[-1]
        elif len(target) > len(path) and target[: len(path)] == path and draw.random() < 0.5:
            told = "." + ".".join(target[len(path) :])
        kind = draw.choices(["plain", "object", "list", "inside"], [4, 4, 1, 2])[0]
        if kind == "plain":
            return told
        found: Config = {} if kind == "inside" else {"target": told}
        if draw.random() < 0.5:
            found["actions"] = draw.choice([self.output(), [self.output(), self.output()]])
        if draw.random() < 0.25:
            found["reenter"] = True
        return [found] if kind == "list" else found


def asked(seed: int) -> Config:
    """A machine and a word, for ``xstate_run.cjs``."""
    draw = random.Random(seed)
    made = Maker(draw)
    word = [draw.choice([*EVENTS, "tick"]) for _ in range(30)]
    question: Config = {"config": made.config, "word": word, "names": list(made.names)}
    try:
        chart = read_chart(json.dumps(made.config), "m")
        read_xstate(json.dumps(made.config), "m")
    except e.SpecError:
        return {**question, "word": [], "period": TICK}
    question["word"] = [event for event in word if event in chart.events]
    return {**question, "period": float(chart.period or 0) * 1000}


def compared(question: Config, steps: list[list[object]]) -> int:
    """How many steps were compared; -1 where the machine is refused."""
    text = json.dumps(question["config"], indent=1)
    try:
        chart = read_chart(text, "m")
        found = read_xstate(text, "m").machine
    except e.SpecError:
        return -1
    ours, state = Interpreter(chart), found.initial
    word: list[str] = question["word"]  # type: ignore[assignment]
    count = 0
    for event, (active, told, tags, status) in zip(["", *word], steps, strict=False):
        outputs: tuple[str, ...] = ()
        if event:
            outputs, taken = ours.send(event), found.transition(state, event)
            state = taken.to
            assert {*taken.outputs} == {*outputs}
        if status == "done":
            assert ours.ended, event
            outputs = outputs if event else ours.initial_outputs
            assert "accept" in outputs
            assert {*outputs} - {"accept"} == {*told}, event  # type: ignore[misc]
            break
        assert not ours.ended
        names = {*ours.configuration} - {"m"}
        assert {each.removeprefix("m.") for each in names} == {*active}, event  # type: ignore[misc]
        if event:
            assert {*outputs} == {*told}, event  # type: ignore[misc]
        assert {*ours.outputs} == {*tags} == {*found.outputs_of(state)}, event  # type: ignore[misc]
        count += 1
    return count


def lines(first: int, last: int) -> Iterator[str]:
    """Questions, but for machines that are refused."""
    for question in map(asked, range(first, last)):
        if question["word"]:
            yield json.dumps(question)


if __name__ == "__main__":
    if sys.argv[1] == "join":
        questions = Path(sys.argv[2]).read_text().splitlines()
        for question, answer in zip(questions, sys.stdin, strict=True):
            print(json.dumps({**json.loads(question), "steps": json.loads(answer)["steps"]}))
    else:
        print("\n".join(lines(int(sys.argv[1]), int(sys.argv[2]))))
