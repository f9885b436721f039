#!/usr/bin/env python3
"""Runs a model on the OpenVINO C library, the same file the product opens, through ctypes alone.

usage: openvino_c.py LIBOPENVINO_C MODEL    loads the library, runs the model once on zeros, prints a line
"""

import ctypes
import sys
from ctypes import POINTER, byref, c_char_p, c_size_t, c_void_p


class OpenVinoError(Exception):
    """The library said no."""


class Model:
    """A model compiled for the CPU in f32 with one thread."""

    # Exact arithmetic on every CPU: with AMX the default is bf16.
    PROPERTIES = (b"INFERENCE_PRECISION_HINT", b"f32", b"INFERENCE_NUM_THREADS", b"1")

    def __init__(self, library_path, model_path):
        try:
            self.library = ctypes.CDLL(str(library_path))
        except OSError as error:
            raise OpenVinoError(f"{library_path} does not load: {error}") from error
        self.library.ov_get_last_err_msg.restype = c_char_p
        core, model, compiled = c_void_p(), c_void_p(), c_void_p()
        self.request = c_void_p()
        self.call("ov_core_create", byref(core))
        self.call("ov_core_read_model", core, str(model_path).encode(), None, byref(model))
        count = c_size_t(len(self.PROPERTIES))
        properties = map(c_char_p, self.PROPERTIES)
        self.call("ov_core_compile_model", core, model, b"CPU", count, byref(compiled), *properties)
        self.call("ov_compiled_model_create_infer_request", compiled, byref(self.request))

    def call(self, name, *arguments):
        status = getattr(self.library, name)(*arguments)
        if status != 0:
            message = self.library.ov_get_last_err_msg() or b""
            raise OpenVinoError(f"{name}: status {status} {message.decode(errors='replace').strip()}")

    def tensor_bytes(self, name):
        """The memory of one input or output, valid as long as this object lives."""
        tensor, data, size = c_void_p(), c_void_p(), c_size_t()
        self.call("ov_infer_request_get_tensor", self.request, name.encode(), byref(tensor))
        self.call("ov_tensor_get_byte_size", tensor, byref(size))
        self.call("ov_tensor_data", tensor, byref(data))
        return ctypes.cast(data, POINTER(ctypes.c_ubyte * size.value)).contents

    def infer(self):
        """Runs the model on what its inputs' memory holds."""
        self.call("ov_infer_request_infer", self.request)


def main(arguments):
    if len(arguments) != 2:
        sys.exit(__doc__)
    try:
        model = Model(*arguments)
        image = model.tensor_bytes("image")
        ctypes.memset(image, 0, ctypes.sizeof(image))
        model.infer()
        scores = model.tensor_bytes("scores")
    except OpenVinoError as error:
        sys.exit(str(error))
    print(f"ran {arguments[1]}: {ctypes.sizeof(scores) // 4} scores")


if __name__ == "__main__":
    main(sys.argv[1:])
