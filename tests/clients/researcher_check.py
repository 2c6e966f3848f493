#!/usr/bin/env python3
"""The Python of docs/researcher.md as it stands there: every block runs, and recent groups, archive blocks and the
assembled view say the same of a pixel, each in five lines.

usage: researcher_check.py URL CUBE_DIR [OUT_DIR]     pip: pandas requests xarray zarr dask aiohttp rioxarray

Only addresses and paths are put in place of those of the page. `compact` runs on a copy that `tesela backup` makes in
OUT_DIR (a temporary directory unless given).
"""
import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile

from checks import REPO, Checks, tesela

c = Checks()
try:
    import numpy as np
    import pandas  # noqa: F401
    import requests  # noqa: F401
    import rioxarray  # noqa: F401
    import xarray  # noqa: F401
except ImportError as e:
    c.skip("docs/researcher.md", e)
    c.done()
base, cube = sys.argv[1].rstrip("/"), os.path.abspath(sys.argv[2])
out = tempfile.mkdtemp(prefix="researcher", dir=sys.argv[3] if len(sys.argv) > 3 else None)
page = open(os.path.join(REPO, "docs", "researcher.md"), encoding="utf-8").read()
blocks = re.findall(r"(?:<!-- run: (\w+) -->\n)?```(python|sh)\n(.*?)```", page, re.S)
c.check("the page has blocks of Python", sum(language == "python" for _, language, _ in blocks) >= 8, len(blocks))
copy = os.path.join(out, "copy")
os.chdir(out)


def here(text, of):
    """A block with this run's address and paths."""
    for there, ours in (("http://127.0.0.1:8080", base), ("target/debug/tesela", tesela()), ("demo-cube", of)):
        text = text.replace(there, ours)
    return text


def run(label, text):
    """Runs a block in the page's own namespace; what it prints."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            exec(compile(text, label, "exec"), names)
    except Exception as e:  # noqa: BLE001
        c.check(label, False, f"{type(e).__name__}: {e}")
        return
    c.check(label, True, said.getvalue().strip().replace("\n", " | "))


names, about, lines = {}, None, {}
for mark, language, text in blocks:
    if language == "sh":
        # The only command that a block of Python needs.
        if "--zarr-view ndvi.zarr" in text:
            subprocess.run(here(text, cube), shell=True, check=True, capture_output=True)
        continue
    if "--json\", \"info" in text:
        about = text
    if mark == "archive":
        subprocess.run([tesela(), "--cube", cube, "backup", "--to", copy], check=True, capture_output=True)
        subprocess.run([tesela(), "--cube", copy, "compact"], check=True, capture_output=True)
        run("info of the compacted copy", here(about, copy))
    of = copy if mark == "archive" else cube
    run(f"{mark or 'block'}: {text.strip().splitlines()[0][:60]}", here(text, of))
    if mark:
        lines[mark] = (len(text.strip().splitlines()), names.get("pixel"))
    if mark == "archive":
        run("info of the cube again", here(about, cube))

c.check("recent, archive and the assembled view are there", set(lines) == {"recent", "archive", "view"}, sorted(lines))
for mark, (n, _) in lines.items():
    c.check(f"{mark}: at most five lines", n <= 5, n)
pixels = {mark: pixel.dropna("time") for mark, (_, pixel) in lines.items() if pixel is not None}
if c.check("each reads the pixel", len(pixels) == 3):
    whole = dict(zip(pixels["view"].time.values, pixels["view"].values))
    c.check("the view has observations of the pixel", len(whole) > 10, len(whole))
    for mark in ("recent", "archive"):
        part = dict(zip(pixels[mark].time.values, pixels[mark].values))
        equal = all(t in whole and whole[t] == v for t, v in part.items())
        c.check(f"{mark}: every observation is the view's", len(part) > 10 and equal, len(part))
    recent = dict(zip(pixels["recent"].time.values, pixels["recent"].values))
    c.check("recent groups hold all of it before compaction", recent.keys() == whole.keys(), (len(recent), len(whole)))
    c.check("values are reflectances", bool(np.all((pixels["view"].values > -0.2) & (pixels["view"].values < 1.7))))
c.done()
