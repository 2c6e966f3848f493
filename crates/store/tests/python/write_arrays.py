"""Writes sharded arrays with zarr-python for our reader.

usage: write_arrays.py DIRECTORY TRUTH_JSON
"""

import json
import sys
from pathlib import Path

import numpy as np
import zarr
from zarr.codecs import BloscCodec

directory, truth = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
for name, array in truth.items():
    fill = np.nan if array["fill"] is None else array["fill"]
    values = [np.nan if v is None else v for v in array["values"]]
    target = zarr.create_array(
        store=directory / name,
        shape=array["shape"],
        shards=array["shard"],
        chunks=array["inner"],
        dtype=array["dtype"],
        fill_value=fill,
        compressors=[BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle")],
        dimension_names=["time", "y", "x"],
        config={"write_empty_chunks": False},
    )
    target[:] = np.array(values, dtype="float64").reshape(array["shape"]).astype(array["dtype"])
print("ok")
