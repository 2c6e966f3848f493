#!/usr/bin/env python3
"""Writes fixture.json: what exactextract says about random polygons.

    pip install exactextract==0.3.0 shapely==2.2.0 numpy && python make_fixture.py

One float64 raster of 20 x 15 cells of 30 m (float, so that quantiles are not cut to integers), with nodata, and 60
valid polygons: stars, holes, several parts, slivers, corners on cell edges, zones beyond the raster.
"""

import json
import math
import random
from pathlib import Path

import numpy as np
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from shapely import MultiPolygon, Polygon, affinity, box

COLS, ROWS, SIZE, X_MIN, Y_MAX, NODATA = 20, 15, 30.0, 2470860.0, 1125360.0, -9999.0
OPS = ["count", "mean", "stdev", "min", "max", "median", "quantile(q=0.1)", "quantile(q=0.9)",
       "majority", "minority", "variety", "cell_id", "coverage"]

EXTENT = box(X_MIN, Y_MAX - ROWS * SIZE, X_MIN + COLS * SIZE, Y_MAX)

random.seed(20240)


def values():
    """Few distinct values (so that modes are made of several cells), one in eight nodata."""
    return np.array([[NODATA if random.random() < 0.125 else random.randint(1, 40) / 4 for _ in range(COLS)]
                     for _ in range(ROWS)])


def star(x, y, size, corners, rough=0.6):
    angles = sorted(random.uniform(0, 2 * math.pi) for _ in range(corners))
    radii = [size * random.uniform(1 - rough, 1) for _ in angles]
    return Polygon([(x + r * math.cos(a), y + r * math.sin(a)) for a, r in zip(angles, radii)])


def anywhere(margin=0.0):
    return random.uniform(-margin, COLS + margin), random.uniform(-margin, ROWS + margin)


def zone(kind):
    x, y = anywhere()
    if kind == "star":
        return star(x, y, random.uniform(1, 8), random.randint(4, 40))
    if kind == "small":
        return star(x, y, random.uniform(0.1, 0.8), random.randint(4, 9))
    if kind == "hole":
        outer = star(x, y, random.uniform(4, 9), 30, 0.3)
        inner = affinity.scale(star(x, y, 2, 12), 1, 0.5)
        return outer.difference(inner).difference(star(x + 2, y, 1, 7))
    if kind == "parts":
        parts = [star(*anywhere(), random.uniform(0.5, 3), random.randint(4, 12)) for _ in range(4)]
        whole = parts[0]
        for part in parts[1:]:
            whole = whole.union(part)
        return whole
    if kind == "sliver":
        dx, dy, width = random.uniform(-12, 12), random.uniform(-8, 8), random.uniform(0.002, 0.08)
        return Polygon([(x, y), (x + dx, y + dy), (x + dx + width, y + dy + width), (x + width, y)])
    if kind == "on_edges":
        corners = [(random.randint(0, 2 * COLS) / 2, random.randint(0, 2 * ROWS) / 2) for _ in range(9)]
        return MultiPolygon([box(*corners[0], corners[0][0] + 3.5, corners[0][1] + 2)]).union(
            Polygon(corners).convex_hull)
    return star(*anywhere(6), random.uniform(5, 14), 25)  # beyond


def ring(line):
    return [[round(x, 4), round(y, 4)] for x, y in list(line.coords)[:-1]]


def main():
    raster = values()
    source = NumPyRasterSource(raster, xmin=X_MIN, ymin=Y_MAX - ROWS * SIZE, xmax=X_MIN + COLS * SIZE, ymax=Y_MAX,
                               nodata=NODATA)
    kinds = ["star", "small", "hole", "parts", "sliver", "on_edges", "beyond"]
    zones = []
    while len(zones) < 60:
        kind = kinds[len(zones) % len(kinds)]
        cells = zone(kind)
        ground = affinity.affine_transform(cells, [SIZE, 0, 0, SIZE, X_MIN, Y_MAX - ROWS * SIZE])
        parts = list(ground.geoms) if ground.geom_type == "MultiPolygon" else [ground]
        # Written with four decimals, and asked about exactly as written.
        coordinates = [[ring(p.exterior), *map(ring, p.interiors)] for p in parts]
        polygons = [Polygon(r[0], r[1:]) for r in coordinates]
        if not all(p.is_valid and p.area > 0 for p in polygons) or not MultiPolygon(polygons).is_valid:
            continue
        # exactextract 0.3.0 crashes on a part that touches the raster's extent from outside.
        if any(p.intersection(EXTENT).area == 0 for p in polygons):
            continue
        geometry = {"type": "MultiPolygon",
                    "coordinates": [[r + r[:1] for r in polygon] for polygon in coordinates]}
        feature = {"type": "Feature", "properties": {}, "geometry": geometry}
        # cell_id and coverage leave nodata cells out: coverage is asked of a raster without any.
        stats = exact_extract(source, [feature], OPS[:-2])[0]["properties"]
        full = NumPyRasterSource(np.ones_like(raster), xmin=X_MIN, ymin=Y_MAX - ROWS * SIZE,
                                 xmax=X_MIN + COLS * SIZE, ymax=Y_MAX)
        cover = exact_extract(full, [feature], OPS[-2:])[0]["properties"]
        stats = {name: None if v is None or math.isnan(v) else float(v) for name, v in stats.items()}
        zones.append({"kind": kind, "polygons": coordinates, "stats": stats,
                      "cells": [int(i) for i in cover["cell_id"]],
                      "fractions": [float(f"{c:.8g}") for c in cover["coverage"]]})
    document = {
        "source": "exactextract 0.3.0 by make_fixture.py",
        "window": {"x_min": X_MIN, "y_max": Y_MAX, "cell_width": SIZE, "cell_height": SIZE,
                   "cols": COLS, "rows": ROWS},
        "values": [[None if v == NODATA else float(v) for v in row] for row in raster],
        "zones": zones,
    }
    lines = ",\n".join(json.dumps(z, separators=(",", ":")) for z in zones)
    head = json.dumps({k: document[k] for k in ("source", "window", "values")}, separators=(",", ":"))
    Path(__file__).with_name("fixture.json").write_text(f'{head[:-1]},"zones":[\n{lines}\n]}}\n')


main()
