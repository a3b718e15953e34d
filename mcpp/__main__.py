"""`python -m mcpp` is `mcpp`."""

import sys

from mcpp.cli import main

sys.exit(main())
