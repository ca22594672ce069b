"""Recovery of damaged binary images: by a Boltzmann machine that has learned what images look like,
and by an attractor network that has images stored.

Both read one array forward and transposed. ``images`` is what both take, ``artefact`` their file,
``arrays`` what is measured on drawn arrays.
"""
