"""gRPC unary calls on HTTP/2 frames made by hand: the load generator's fast engine.

From the outside in: ``wire`` (one service, connected for as long as it can be), ``connection`` (one
TCP connection), ``inbox`` and ``outlet`` (its frames in, its messages out), ``calls`` and
``deadlines``, ``answers`` (gRPC's reading of what came back), ``headers`` and ``huffman`` (HPACK),
``frames``.
"""
