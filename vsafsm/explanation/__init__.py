"""Why a transition is weak, and what would help.

``places`` finds where each transition is narrowest, ``terms`` takes the drive there apart into the
terms that the weights are built from, ``remedies`` compiles anew with other options, ``command`` is
``vsafsm explain``.
"""
