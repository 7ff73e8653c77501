"""ggml files of whisper.cpp, and ggml itself to quantise them with: the library of pywhispercpp."""

import ctypes
import dataclasses
import itertools
import pathlib
import struct

import _pywhispercpp
import numpy as np

# Numbers and names of ggml.h's block formats; ftype of whisper.cpp's files.
BLOCK_TYPES = {"q4_0": (2, 2), "q4_1": (3, 3), "q5_0": (6, 8), "q5_1": (7, 9), "q8_0": (8, 7),
               "q2_K": (10, 10), "q3_K": (11, 11), "q4_K": (12, 12), "q5_K": (13, 13),
               "q6_K": (14, 14)}
BLOCK_VERSION = 2
# whisper.cpp examples/quantize leaves these as they are.
NEVER_QUANTISED = ("encoder.conv1.bias", "encoder.conv2.bias", "encoder.positional_embedding",
                   "decoder.positional_embedding")


def _load_ggml():
    folder = pathlib.Path(_pywhispercpp.__file__).parent
    return ctypes.CDLL(str(next(folder.rglob("libggml-base*.so*"))))


GGML = _load_ggml()
GGML.ggml_quantize_chunk.restype = ctypes.c_size_t
GGML.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
                                     ctypes.c_int64, ctypes.c_int64, ctypes.c_int64,
                                     ctypes.c_void_p]


def quantise(name, numbers):
    """The bytes of float32 rows in a block format."""
    numbers = np.ascontiguousarray(numbers, np.float32)
    rows, width = numbers.shape
    out = np.zeros(numbers.nbytes, np.uint8)
    size = GGML.ggml_quantize_chunk(BLOCK_TYPES[name][0], numbers.ctypes.data, out.ctypes.data, 0,
                                    rows, width, None)
    return out[:size].tobytes()


def dequantise(name, data, shape):
    """What ggml takes the bytes for."""
    function = getattr(GGML, "dequantize_row_" + name)
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    function.restype = None
    numbers = np.zeros(shape, np.float32)
    function(ctypes.create_string_buffer(data, len(data)), numbers.ctypes.data, numbers.size)
    return numbers


@dataclasses.dataclass
class Tensor:
    name: str
    type: int
    shape: tuple  # slowest extent first
    data: bytes

    def numbers(self):
        return np.frombuffer(self.data, {0: np.float32, 1: np.float16}[self.type]).reshape(
            self.shape).astype(np.float32)

    def is_quantisable(self):
        return len(self.shape) == 2 and self.name not in NEVER_QUANTISED


class GgmlFile:
    """Everything before the tensors as bytes, and the tensors; float32 and float16 are read."""

    def __init__(self, path):
        data = pathlib.Path(path).read_bytes()
        at = 12 * 4
        mels, bins = struct.unpack_from("<2i", data, at)
        at += 8 + 4 * mels * bins
        (tokens,) = struct.unpack_from("<i", data, at)
        at += 4
        for _ in range(tokens):
            at += 4 + struct.unpack_from("<I", data, at)[0]
        self.head = bytearray(data[:at])
        self.tensors = {}
        while at < len(data):
            dimensions, length, kind = struct.unpack_from("<3i", data, at)
            at += 12
            shape = struct.unpack_from(f"<{dimensions}i", data, at)[::-1]
            at += 4 * dimensions
            name = data[at:at + length].decode()
            at += length
            size = int(np.prod(shape)) * {0: 4, 1: 2}[kind]
            self.tensors[name] = Tensor(name, kind, shape, data[at:at + size])
            at += size

    def quantised(self, block_types):
        """The bytes of the file as whisper.cpp's program `quantize` would write it; of several
        formats, matrices take them in turn."""
        head = bytearray(self.head)
        struct.pack_into("<i", head, 11 * 4, BLOCK_VERSION * 1000 + BLOCK_TYPES[block_types[0]][1])
        parts = [bytes(head)]
        turn = itertools.cycle(block_types)
        for tensor in self.tensors.values():
            kind, data = tensor.type, tensor.data
            if tensor.is_quantisable():
                block_type = next(turn)
                kind, data = BLOCK_TYPES[block_type][0], quantise(block_type, tensor.numbers())
            parts += [struct.pack("<3i", len(tensor.shape), len(tensor.name), kind),
                      struct.pack(f"<{len(tensor.shape)}i", *tensor.shape[::-1]),
                      tensor.name.encode(), data]
        return b"".join(parts)
