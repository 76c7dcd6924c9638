"""``python -m harness`` is ``mayfly``."""

import sys

from harness.cli import main

sys.exit(main())
