"""gRPC over HTTP/2 by hand: what an answer costs decides how much overload a replica can bear.

With grpc.aio a refusal costs nearly as much as an answer (0.3 against 0.45 ms of the processor), so
at twice its capacity a replica does little else; here it costs about a sixth (0.04 against 0.23).
Sources: RFC 9113 (HTTP/2), RFC 7541 (HPACK), gRPC's PROTOCOL-HTTP2.md.
"""
