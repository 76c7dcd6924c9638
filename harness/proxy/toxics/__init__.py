"""The toxics, one a file, by the names of the API. To add one: a file, and a line here.

Attributes have Toxiproxy's names, which say no units; each file does.
"""

from collections.abc import Mapping

from ..stage import Kind
from .bandwidth import Bandwidth
from .corrupt import Corrupt
from .half_open import HalfOpen
from .latency import Latency
from .limit_data import LimitData
from .reset_peer import ResetPeer
from .slicer import Slicer
from .slow_close import SlowClose
from .timeout import Timeout

BY_NAME: Mapping[str, type[Kind]] = {
    "bandwidth": Bandwidth,
    "corrupt": Corrupt,  # ours
    "half_open": HalfOpen,  # ours
    "latency": Latency,
    "limit_data": LimitData,
    "reset_peer": ResetPeer,
    "slicer": Slicer,
    "slow_close": SlowClose,
    "timeout": Timeout,
}
