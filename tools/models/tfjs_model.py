"""Reads the TensorFlow.js graph model of the SSDLite detector; any bytes but the pinned ones are refused."""

import hashlib
import json

import numpy as np

INPUT_SHA256 = {
    "model.json": "3770b2528339b1e3340cb74360e1e40401816b009779aeb8d0cce3a4353ea3a9",
    "group1-shard1of5": "0e7af0f713e98521252321f7f84892c31cefccccec3ac64c84e5065b75ed5646",
    "group1-shard2of5": "74cc6cfc2c4510c9cd81b8ad4cebf6f6a8f305119bb365ce0eb96276da38519a",
    "group1-shard3of5": "50383033f893eae136392a403e8f70ade5efd90867df5695c4ca5ac640e14f38",
    "group1-shard4of5": "d856dc534c780068bbf6c666ce1516df2c8433d87578aa31fcdf197de7058cc2",
    "group1-shard5of5": "3d356f1fb6dfca6af78c56db34d9326706d0196e303f9de6b04f236ca79ed309",
}


class ConversionError(Exception):
    """The input is not the model this converter knows."""


def read_verified(model_dir, name):
    """Bytes of one input file, or ConversionError if they are not the pinned ones."""
    path = model_dir / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConversionError(f"cannot read {path}: {error.strerror}") from error
    actual = hashlib.sha256(data).hexdigest()
    if actual != INPUT_SHA256[name]:
        raise ConversionError(
            f"{path}: sha256 does not match ({len(data)} bytes)\n"
            f"  expected {INPUT_SHA256[name]}\n"
            f"  found    {actual}"
        )
    return data


def load_tfjs_model(model_dir):
    """Read the TFJS model: (list of graph nodes, constant name -> numpy array)."""
    files = {name: read_verified(model_dir, name) for name in INPUT_SHA256}
    model = json.loads(files["model.json"])
    constants = {}
    for group in model["weightsManifest"]:
        blob = b"".join(files[path] for path in group["paths"])
        offset = 0
        for entry in group["weights"]:
            dtype = np.dtype(entry["dtype"]).newbyteorder("<")
            count = int(np.prod(entry["shape"], dtype=np.int64))
            values = np.frombuffer(blob, dtype, count, offset)
            constants[entry["name"]] = values.reshape(entry["shape"])
            offset += count * dtype.itemsize
        if offset != len(blob):
            raise ConversionError(f"weights use {offset} of {len(blob)} shard bytes")
    return model["modelTopology"]["node"], constants


def needed_nodes(nodes, targets, stop):
    """The nodes that `targets` depend on, in file order, not going past `stop`."""
    by_name = {node["name"]: node for node in nodes}
    needed = set()
    pending = list(targets)
    while pending:
        name = pending.pop()
        if name == stop or name in needed:
            continue
        if name not in by_name:
            raise ConversionError(f"the graph has no node named {name}")
        needed.add(name)
        pending.extend(by_name[name].get("input", []))
    return [node for node in nodes if node["name"] in needed]


def attr_text(node, key):
    """A TF string attribute; this model.json stores it as a list of byte values."""
    return bytes(node["attr"][key]["s"]).decode("ascii")


def attr_ints(node, key):
    """A TF list-of-integers attribute; this model.json stores them as strings."""
    return [int(value) for value in node["attr"][key]["list"]["i"]]
