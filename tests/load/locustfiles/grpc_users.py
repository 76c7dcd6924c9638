"""A locustfile as a user would write it: gRPC calls, through gevent."""

import time

import grpc
import grpc.experimental.gevent as grpc_gevent
from locust import User, constant, task
from open_inference.grpc.protocol import ServerLiveRequest, ServerLiveResponse

grpc_gevent.init_gevent()


class Caller(User):
    """Asks whether the server is live, ten times a second."""

    wait_time = constant(0.1)

    def on_start(self) -> None:
        """Open a channel to the address that Locust was given."""
        self.channel = grpc.insecure_channel(self.host)
        self.live = self.channel.unary_unary(
            "/inference.GRPCInferenceService/ServerLive",
            ServerLiveRequest.SerializeToString,
            ServerLiveResponse.FromString,
        )

    @task
    def ask(self) -> None:
        """Make one call, and tell Locust how it went."""
        began_s, failure = time.perf_counter(), None
        try:
            self.live(ServerLiveRequest(), timeout=1.0)
        except grpc.RpcError as error:
            failure = error
        took_ms = (time.perf_counter() - began_s) * 1000
        self.environment.events.request.fire(
            request_type="grpc",
            name="ServerLive",
            response_time=took_ms,
            response_length=0,
            exception=failure,
        )
