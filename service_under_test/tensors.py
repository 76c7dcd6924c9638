"""Reads the image out of a request, where every fault is the client's, and writes the answer."""

from open_inference.grpc.protocol import ModelInferRequest, ModelInferResponse

from service_under_test.predictions import Outputs, Signature

BATCH_LIMIT = 64
REQUEST_ID_LIMIT = 256
OUTPUT_NAMES = ("probabilities", "label")


class ClientFaultError(ValueError):
    """The request cannot be served as it is; sending it again changes nothing."""


class BatchTooLargeError(Exception):
    """More images in one request than one answer may hold."""


def read_request_id(request: ModelInferRequest) -> str:
    """Take the caller's id; PostgreSQL cannot keep a NUL, and one bad id must not fail a group."""
    if len(request.id) > REQUEST_ID_LIMIT or "\0" in request.id:
        raise ClientFaultError(
            f"id: expected at most {REQUEST_ID_LIMIT} characters without NUL, "
            f"saw {len(request.id)} characters"
        )
    return request.id


def read_images(request: ModelInferRequest, signature: Signature) -> bytes:
    """Check the one input tensor and give its bytes."""
    if len(request.inputs) != 1:
        raise ClientFaultError(f"inputs: expected one, named image, saw {len(request.inputs)}")
    tensor = request.inputs[0]
    rows, columns = signature.image_shape
    if tensor.name != "image":
        raise ClientFaultError(f"input name: expected image, saw {tensor.name!r}")
    if tensor.datatype != "UINT8":
        raise ClientFaultError(f"image datatype: expected UINT8, saw {tensor.datatype!r}")
    shape = tuple(tensor.shape)
    if len(shape) != 3 or shape[0] < 1 or shape[1:] != (rows, columns):
        raise ClientFaultError(
            f"image shape: expected [1..{BATCH_LIMIT}, {rows}, {columns}], saw {list(shape)[:8]}"
        )
    if shape[0] > BATCH_LIMIT:
        raise BatchTooLargeError(
            f"image batch: expected at most {BATCH_LIMIT}, saw {shape[0]}; send smaller batches"
        )
    images = _read_contents(request)
    expected = shape[0] * signature.image_bytes
    if len(images) != expected:
        raise ClientFaultError(f"image size: expected {expected} values, saw {len(images)}")
    return images


def _read_contents(request: ModelInferRequest) -> bytes:
    contents = request.inputs[0].contents
    if request.raw_input_contents:
        if len(request.raw_input_contents) != 1 or contents.ByteSize():
            raise ClientFaultError(
                "image contents: expected one raw_input_contents or uint_contents, saw "
                f"{len(request.raw_input_contents)} raw and {contents.ByteSize()} typed bytes"
            )
        return request.raw_input_contents[0]
    try:
        return bytes(contents.uint_contents)
    except ValueError:
        largest = max(contents.uint_contents)
        raise ClientFaultError(f"image values: expected 0..255, saw {largest}") from None


def read_wanted_outputs(request: ModelInferRequest) -> tuple[str, ...]:
    """Tell which outputs to send; none named means all."""
    if not request.outputs:
        return OUTPUT_NAMES
    wanted = tuple(output.name for output in request.outputs)
    for name in wanted:
        if name not in OUTPUT_NAMES:
            raise ClientFaultError(f"output name: expected one of {OUTPUT_NAMES}, saw {name!r}")
    if len(set(wanted)) != len(wanted):
        raise ClientFaultError(f"output names: expected each once, saw {list(wanted)[:8]}")
    return wanted


def add_outputs(response: ModelInferResponse, outputs: Outputs, wanted: tuple[str, ...]) -> None:
    """Write the wanted tensors, in the order they were asked for."""
    batch = outputs.batch
    for name in wanted:
        if name == "label":
            response.outputs.add(name=name, datatype="INT64", shape=[batch])
            response.raw_output_contents.append(outputs.labels)
        else:
            classes = len(outputs.probabilities) // (4 * batch)
            response.outputs.add(name=name, datatype="FP32", shape=[batch, classes])
            response.raw_output_contents.append(outputs.probabilities)
