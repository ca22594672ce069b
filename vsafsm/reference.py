"""The built-in backend: the synchronous simulator behind the protocol that every backend meets."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vsafsm.backend import Description, Option
from vsafsm.encoder import encoder_for
from vsafsm.files import write_atomically
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm.requirements import Requirements
from vsafsm.synchronous import Session


class ReferenceBackend:
    """Takes every program as it is and computes each step from its weights."""

    name = "reference"
    exact = True
    takes_vectors = True
    options: tuple[Option, ...] = ()

    def unavailable(self) -> str | None:
        """None: it always runs."""
        return None

    def requirements(self, options: Mapping[str, object]) -> Requirements:
        """Nothing beyond a proof."""
        return Requirements()

    def lower(self, program: Program, **options: object) -> Network:
        """The program's own network."""
        return program.network

    def open(self, program: Program, **options: object) -> Session:
        """Start a session."""
        network = self.lower(program)
        return Session(network, encoder=encoder_for(program.machine, network))

    def emit(self, program: Program, folder: Path, **options: object) -> None:
        """Write ``weights.npy``, ``masks.npy``, ``codes.npy`` and ``manifest.json`` into
        `folder`.
        """
        network = program.network
        for name in ("weights", "masks", "codes"):
            buffer = io.BytesIO()
            np.save(buffer, getattr(network, name), allow_pickle=False)
            write_atomically(folder / f"{name}.npy", buffer.getvalue())
        manifest = {
            "machine": program.machine.name,
            "rule": "z' = mask AND (weights @ z > gain * sum(z))",
            "gain": network.gain,
            "scale": network.scale,
            "start": network.start,
            "hold_steps": network.contract.hold_steps,
            "gap_steps": network.contract.gap_steps,
            "masks": ["(rest)", *network.inputs],
            "codes": [
                {"state": network.states[x.state], "pending": x.pending, "outputs": list(x.outputs)}
                for x in network.labels
            ],
            "content_hash": program.content_hash,
        }
        write_atomically(folder / "manifest.json", (json.dumps(manifest, indent=2) + "\n").encode())

    def describe(self, program: Program, **options: object) -> Description:
        """Neurons, synapses (weights that are not 0) and bits of all weights that are held."""
        network = program.network
        synapses = int(network.fan_out.sum())
        return {
            "neurons": network.neurons,
            "synapses": synapses,
            "weight_bits": network.synapses * network.bits,
        }


BACKEND = ReferenceBackend()
