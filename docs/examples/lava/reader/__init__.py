"""A Process of one's own. Lava runs every file beside the one that defines a Process: give it a
folder.
"""
