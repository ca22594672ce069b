"""One page about a program, in one file that needs nothing else.

``playground`` is the network and its machine for ``playground.js``, which runs them in the browser;
``frames`` is what a machine sees; ``curves`` measures how much noise is survived; ``svg`` draws
curves; ``page`` puts all into ``page.html``.
"""
