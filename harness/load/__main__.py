"""The generator process: ``python -m harness.load``, started by harness.load.process."""

from harness.load.child import main

main()
