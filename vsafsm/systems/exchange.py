"""How machines exchange outputs as inputs, whatever takes their transitions.

An event is given to every machine that has it among its inputs. What these put out on the way is
given, one round later, to every machine that has it among *its* inputs; and so on, until nothing
that was put out is anyone's input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vsafsm.errors import SpecError
from vsafsm.machine import Outputs

MOST_ROUNDS = 64
"""Rounds after which an exchange counts as one without end."""
Send = Callable[[int, str], Outputs]
"""Give an input to one of the machines, by number: -> the Mealy outputs on the way."""


class EndlessError(SpecError):
    """Machines that answer each other without end."""


def exchange(symbol: str, takers: dict[str, tuple[int, ...]], send: Send) -> Outputs:
    """Give an event to the machines, and what they put out to each other: -> all outputs, in order.

    Parameters
    ----------
    symbol
    takers
        The machines that have an input, by its name.
    send

    Raises
    ------
    EndlessError
        If the machines answer each other for more than `MOST_ROUNDS` rounds.
    """
    put: list[str] = []
    events: Sequence[str] = (symbol,)
    for _ in range(MOST_ROUNDS):
        following: list[str] = []
        for event in events:
            for machine in takers.get(event, ()):
                following += send(machine, event)
        put += following
        events = [event for event in following if event in takers]
        if not events:
            return tuple(dict.fromkeys(put))
    raise EndlessError(
        f'after "{symbol}" the machines still answer each other in round {MOST_ROUNDS}, with'
        f" {', '.join(dict.fromkeys(events))}; expected an exchange that ends"
    )
