"""JSON of files that may come from strangers."""

from __future__ import annotations

import json
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """What a JSON text holds.

    Raises
    ------
    ValueError
        If it is no JSON, or is nested deeper than Python reads.

    Examples
    --------
    >>> parse_json(b'{"a": [1]}')
    {'a': [1]}
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
