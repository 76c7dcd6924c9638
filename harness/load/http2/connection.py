"""One HTTP/2 connection: RFC 9113, as far as a client of unary gRPC calls has to do with it."""

import asyncio
import time
from typing import Protocol

from harness.load.http2 import answers, frames
from harness.load.http2.calls import Call
from harness.load.http2.frames import PROTOCOL_ERROR, ViolationError
from harness.load.http2.handlers import HANDLERS
from harness.load.http2.headers import NO_TABLE
from harness.load.http2.inbox import Inbox
from harness.load.http2.outlet import Outlet
from harness.load.wire import Reply

