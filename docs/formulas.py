"""Formulas of the pages as MathML, which browsers show without scripts or network access."""

from __future__ import annotations

import re
from html import unescape

from latex2mathml.converter import convert

FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
"""What pymdownx.arithmatex makes of ``$x$`` and of a block ``math``."""


def on_page_content(html: str, **_: object) -> str:
    """A page with its formulas converted from TeX; called by MkDocs."""
    return FORMULA.sub(
        lambda found: convert(
            unescape(found[2]).strip(), display="block" if found[1] == "div" else "inline"
        ),
        html,
    )
