"""Pictures of a machine, its program and its runs; Matplotlib is imported when one is drawn.

``steps`` runs a word and keeps every step, ``geometry`` lays a machine out as a graph, ``canvas``
is paper and pen. Each other module draws one kind of picture; ``kinds`` knows them by name.
"""
