"""A simulated rig: a process of its own that speaks SCPI over TCP, with devices inside that no
client can see.

``python -m vsafsm_memristor.rig_simulator --port 0`` prints ``listening on PORT``. It shares no
code with the device models nor with the client: what both agree on is the message format that
`vsafsm_memristor.rig.messages` documents. All that comes out of it is to be called "simulated rig".

The log (``--log FILE``) has a JSON object per line: ``t_ns`` on a monotonic clock, ``event``, and
for ``lines`` the tile and the volts *as commanded*, before anything is refused or clipped: one per
row for a read, the distinct levels for a round of pulses; and the owner. ``ground`` says that lines
that were up are at 0 V again, and why: ``done``, ``safe``, ``watchdog``, ``refused``, ``cut``,
``close``, ``taken``, ``stop``. Other events: ``start``, ``connect``, ``hangup``, ``fault``,
``open`` (with the limits of the session), ``close``, ``orphan`` (the owner has hung up).
"""
