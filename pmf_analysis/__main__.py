"""``python -m pmf_analysis`` is the command ``pmf``, where package scripts are not on the path."""

import sys

from pmf_analysis.cli import main

if __name__ == "__main__":
    sys.exit(main())
