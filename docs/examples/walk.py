import json
import sys
from pathlib import Path

import numpy as np

folder = Path(sys.argv[1])
manifest = json.loads((folder / "manifest.json").read_text())
weights, masks, codes = (np.load(folder / f"{name}.npy") for name in ("weights", "masks", "codes"))


def settle(activity, mask):
    for _ in range(32):
        drive = weights.astype(int) @ activity - manifest["gain"] * activity.sum()
        following = (drive > 0) & masks[mask]
        if (following == activity).all():
            return activity
        activity = following
    raise SystemExit("undecided")


def decode(activity):
    code = (codes & masks[0]).astype(int)
    return manifest["codes"][int((code @ activity - code @ ~activity).argmax())]["state"]


start = settle(codes[manifest["start"]], 0)
points, queue = {start.tobytes(): 0}, [start]
for point in queue:
    for mask, symbol in list(enumerate(manifest["masks"]))[1:]:
        after = settle(settle(point, mask), 0)
        if after.tobytes() not in points:
            points[after.tobytes()] = len(queue)
            queue.append(after)
        print(f"{decode(point)} --{symbol}--> {decode(after)}")
print(f"{len(queue)} fixed points")
