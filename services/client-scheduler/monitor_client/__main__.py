"""`python -m monitor_client`: the command line's long form."""

import sys

from monitor_client.cli import main

if __name__ == "__main__":
    sys.exit(main())
