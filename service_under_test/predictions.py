"""The words that model, records, cache and servicer share about one prediction."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signature:
    """What the model takes and gives, read from the artifact itself."""

    image_shape: tuple[int, int]
    class_count: int

    @property
    def image_bytes(self) -> int:
        """Tell the size of one image."""
        return self.image_shape[0] * self.image_shape[1]


@dataclass(frozen=True, slots=True)
class Outputs:
    """The answer for a batch, as the little-endian bytes that the protocol sends."""

    probabilities: bytes  # FP32 [batch, classes]
    labels: bytes  # INT64 [batch]

    @property
    def batch(self) -> int:
        """Tell how many images were classified."""
        return len(self.labels) // 8

    @property
    def first_label(self) -> int:
        """Tell the label of the first image, for people who read the table."""
        return int.from_bytes(self.labels[:8], "little", signed=True)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is recorded about one request before it is acknowledged."""

    request_id: str
    input_digest: bytes
    model_name: str
    model_version: str
    model_digest: str
    outputs: Outputs
    executions: int  # how often the model really ran for it: 0 when the cache answered
