import vsafsm

program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"))
proof = program.prove()
print(f"radius {proof.radius} LSBs, margin {proof.margin:.3f} units")
for sigma in (1.0, 2.0, 4.0):
    print(f"sigma {sigma} LSBs: at most {proof.tally.failure_bound(sigma):.1e}")
