"""`python -m tools.sqlc_plugin generate`."""

from __future__ import annotations

import sys

from tools.sqlc_plugin.generate import generate

if sys.argv[1:] != ["generate"]:
    sys.exit("usage: python -m tools.sqlc_plugin generate")
sys.exit(generate())
