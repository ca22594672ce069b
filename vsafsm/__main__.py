"""``python -m vsafsm``: the command line."""

import sys

from vsafsm.cli import main

if __name__ == "__main__":
    sys.exit(main())
