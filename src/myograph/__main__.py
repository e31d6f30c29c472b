"""``python -m myograph``: the command line."""

import sys

from myograph.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
