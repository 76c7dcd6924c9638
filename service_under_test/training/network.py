"""The classifier: four small convolutions, pooled by mean and maximum, and one linear layer."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

WIDTHS = (12, 24, 40, 48)
STRIDES = (2, 2, 2, 1)
Weights = NDArray[np.float32]


class Classifier(nn.Module):
    """Grey values from 0 to 1 in, one logit per class out."""

    def __init__(self, class_count: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList()
        self.norms = nn.ModuleList()
        for before, after, stride in zip((1, *WIDTHS[:-1]), WIDTHS, STRIDES, strict=True):
            self.convolutions.append(nn.Conv2d(before, after, 3, stride, padding=1, bias=False))
            self.norms.append(nn.BatchNorm2d(after))
        self.head = nn.Linear(2 * WIDTHS[-1], class_count)

    def forward(self, image: Tensor) -> Tensor:
        """Logits of a batch shaped [batch, 1, rows, columns]."""
        signal = image
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            signal = torch.relu(norm(convolution(signal)))
        pooled = torch.cat((signal.mean((2, 3)), signal.amax((2, 3))), dim=1)
        logits: Tensor = self.head(pooled)
        return logits


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's weights as they are exported."""

    weight: Weights
    bias: Weights
    stride: int = 1


def folded_layers(model: Classifier) -> tuple[list[Layer], Layer]:
    """Convolutions with their batch norms folded in, and the linear layer."""
    folded = [
        _fold(convolution, norm)
        for convolution, norm in zip(model.convolutions, model.norms, strict=True)
    ]
    return folded, Layer(_numbers(model.head.weight), _numbers(model.head.bias))


def _fold(convolution: nn.Module, norm: nn.Module) -> Layer:
    """The single convolution that equals a convolution and its trained batch norm."""
    if not isinstance(convolution, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
        raise TypeError(f"expected Conv2d and BatchNorm2d, saw {convolution} and {norm}")
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("a batch norm without running statistics cannot be folded")
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = convolution.weight * gain[:, None, None, None]
    bias = norm.bias - norm.running_mean * gain
    return Layer(_numbers(weight), _numbers(bias), convolution.stride[0])


def _numbers(values: Tensor) -> Weights:
    """The tensor's values as a contiguous FP32 array."""
    return np.ascontiguousarray(values.detach().numpy(), dtype=np.float32)
