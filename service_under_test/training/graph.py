"""Builds the ONNX graph by hand, preprocessing included: its bytes depend on nothing else."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from service_under_test.training.canvas import SIDE_PIXELS
from service_under_test.training.network import Layer

OPSET = 18
IR_VERSION = 9


def build_graph(convolutions: list[Layer], head: Layer, version_number: str) -> bytes:
    """The serialized model: UINT8 image in, probabilities and label out."""
    nodes, weights = _preprocessing()
    signal = "pixels"
    for index, layer in enumerate(convolutions):
        signal = _add_convolution(nodes, weights, layer, signal, index)
    _add_head(nodes, weights, head, signal)
    class_count = head.bias.shape[0]
    side = SIDE_PIXELS
    graph = helper.make_graph(
        nodes,
        "defects",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", side, side])],
        [
            helper.make_tensor_value_info(
                "probabilities", TensorProto.FLOAT, ["batch", class_count]
            ),
            helper.make_tensor_value_info("label", TensorProto.INT64, ["batch"]),
        ],
        initializer=weights,
    )
    model = helper.make_model(
        graph,
        producer_name="service_under_test.training",
        producer_version=version_number,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    onnx.checker.check_model(model, full_check=True)
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized


def _preprocessing() -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """From grey bytes to FP32 values from 0 to 1 with a channel axis."""
    nodes = [
        helper.make_node("Cast", ["image"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["grey", "per_grey_level"], ["scaled"]),
        helper.make_node("Unsqueeze", ["scaled", "channel_axis"], ["pixels"]),
    ]
    weights = [
        _constant("per_grey_level", np.array(1 / 255, dtype=np.float32)),
        _constant("channel_axis", np.array([1], dtype=np.int64)),
    ]
    return nodes, weights


def _add_convolution(
    nodes: list[onnx.NodeProto],
    weights: list[onnx.TensorProto],
    layer: Layer,
    signal: str,
    index: int,
) -> str:
    """Appends one convolution and its ReLU; answers with the name of what comes out."""
    name = f"convolution_{index}"
    weights.append(_constant(f"{name}_weight", layer.weight))
    weights.append(_constant(f"{name}_bias", layer.bias))
    nodes.append(
        helper.make_node(
            "Conv",
            [signal, f"{name}_weight", f"{name}_bias"],
            [f"{name}_sum"],
            kernel_shape=[3, 3],
            pads=[1, 1, 1, 1],
            strides=[layer.stride, layer.stride],
        )
    )
    nodes.append(helper.make_node("Relu", [f"{name}_sum"], [f"{name}_out"]))
    return f"{name}_out"


def _add_head(
    nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto], head: Layer, signal: str
) -> None:
    """Appends the two poolings, the linear layer, the softmax and the label."""
    weights.append(_constant("head_weight", head.weight))
    weights.append(_constant("head_bias", head.bias))
    nodes.extend(
        [
            helper.make_node("GlobalAveragePool", [signal], ["average_map"]),
            helper.make_node("GlobalMaxPool", [signal], ["maximum_map"]),
            helper.make_node("Concat", ["average_map", "maximum_map"], ["pooled_map"], axis=1),
            helper.make_node("Flatten", ["pooled_map"], ["pooled"], axis=1),
            helper.make_node("Gemm", ["pooled", "head_weight", "head_bias"], ["logits"], transB=1),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
            helper.make_node("ArgMax", ["logits"], ["label"], axis=1, keepdims=0),
        ]
    )


def _constant(name: str, values: NDArray[np.float32] | NDArray[np.int64]) -> onnx.TensorProto:
    """An initializer of the graph."""
    return numpy_helper.from_array(values, name)
