"""Shared by the scripts here: a counter of checks, and what `tesela info` says. Standard library only."""
import json
import os
import shutil
import subprocess
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))


class Checks:
    """Counts checks; an exception nobody caught is one failed check more, never a silent end."""

    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], 0
        sys.excepthook = self._stopped

    def _stopped(self, kind, error, trace):
        traceback.print_exception(kind, error, trace)
        self.check("the script ran to its end", False, f"{kind.__name__}: {error}")
        self.done()

    def check(self, label, condition, info=""):
        if condition:
            self.passed += 1
        else:
            self.failed.append(label)
        print(f"  {'ok  ' if condition else 'FAIL'} {label}{f' -- {str(info)[:300]}' if info != '' else ''}", flush=True)
        return bool(condition)

    def skip(self, label, why, required=True):
        """Something is not installed; a failure if it is required and TESELA_REQUIRE_CLIENTS=1."""
        if required and os.environ.get("TESELA_REQUIRE_CLIENTS") == "1":
            self.check(label, False, why)
        else:
            self.skipped += 1
            print(f"  SKIP {label} -- {why}", flush=True)

    def done(self):
        for label in self.failed:
            print(f"  failed: {label}")
        tail = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.passed} passed, {len(self.failed)} failed{tail}", flush=True)
        # Not sys.exit: QGIS's threads may crash while Python takes itself apart.
        os._exit(1 if self.failed or not self.passed else 0)


def tesela():
    """The program: TESELA, or on PATH, or this repository's own build."""
    builds = [os.path.join(REPO, "target", kind, "tesela") for kind in ("release", "debug")]
    found = os.environ.get("TESELA") or shutil.which("tesela")
    return found or max((b for b in builds if os.path.exists(b)), key=os.path.getmtime, default="tesela")


def info(cube):
    """What `tesela info --json` prints."""
    command = [tesela(), "info", "--cube", cube, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def evenly(items, count):
    """So many of the items, the first and the last among them."""
    if len(items) <= count:
        return list(items)
    return [items[round(i * (len(items) - 1) / (count - 1))] for i in range(count)]


def truth(cube, out, **options):
    """Runs store_truth.py in the Python that has Zarr (TESELA_PYTHON); the arrays it wrote."""
    import numpy as np

    path = os.path.join(out, "truth.npz")
    python = os.environ.get("TESELA_PYTHON", "python3")
    # Neither QGIS's nor the caller's Python settings suit another interpreter.
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    more = [word for k, v in options.items() for word in (f"--{k}", str(v))]
    subprocess.run([python, os.path.join(HERE, "store_truth.py"), cube, path, *more], check=True, env=env)
    return dict(np.load(path))


def same_pixels(picture, expected, alpha=True):
    """(whether no pixel differs, how they differ). Colours count where something is drawn."""
    import numpy as np

    if picture.shape != expected.shape:
        return False, f"{picture.shape} instead of {expected.shape}"
    drawn = expected[..., 3] > 0
    grey = np.abs(picture[..., :3].astype(int) - expected[..., :3].astype(int))[drawn]
    holes = int((drawn != (picture[..., 3] > 0)).sum()) if alpha else 0
    largest = int(grey.max()) if grey.size else 0
    text = f"{int(drawn.sum())} px drawn, largest difference {largest} grey levels, {int((grey > 0).any(-1).sum())} px differ, {holes} px drawn or not otherwise"
    return largest == 0 and holes == 0 and bool(drawn.any()), text
