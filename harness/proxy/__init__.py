"""A TCP proxy on the storage path, controlled over HTTP as Toxiproxy is; see docs/decisions/0010.

Runs by itself on the standard library of Python 3.11 (``python3 -m proxy`` in its image), so its
modules import nothing but each other. What one byte passes, from left to right, in one direction:

    source socket -> Link -> Stage (latency) -> Stage (bandwidth) -> Outlet -> sink socket
                       '------------ no toxic in force ----------------^
"""

VERSION = "1"
"""Of this program; GET /version tells it as ``mayfly``."""

API_VERSION = "2.12.0"
"""The version of Toxiproxy whose HTTP API this program follows."""
