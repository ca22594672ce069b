"""A turnstile between a source of spikes and a Process of one's own, in one Lava network."""

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.proc.io.source import RingBuffer
from reader.process import Reader

import vsafsm
from vsafsm_lava import attractor_fsm, run_config

STEPS = 60


def main() -> None:
    program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"), target="lava")
    fsm = attractor_fsm(program)

    spikes = np.zeros((len(fsm.channel_names), STEPS), int)
    for channel, step in (("coin", 10), ("push", 25), ("coin", 40), ("(reset)", 50)):
        spikes[fsm.channel(channel), step - 1] = 1  # one spike is one event

    source = RingBuffer(data=spikes)
    reader = Reader(states=len(fsm.state_names), steps=STEPS)
    source.s_out.connect(fsm.input_in)
    fsm.state_out.connect(reader.scores_in)
    try:
        fsm.run(RunSteps(STEPS), run_config("sim"))
        leading = reader.leading.get().astype(int)
    finally:
        fsm.stop()

    for step in np.flatnonzero(np.diff(leading, prepend=-2)):
        name = fsm.state_names[leading[step]] if leading[step] >= 0 else "(none)"
        print(f"from step {step + 1:2} on: {name}")


if __name__ == "__main__":
    main()
