"""One page about a program, in one file that needs nothing else.

``stepping`` works out what every input does, for the page to look up; ``curves`` measures how much
noise is survived; ``svg`` draws curves; ``page`` puts all into ``page.html``.
"""
