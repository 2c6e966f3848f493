#!/usr/bin/env bash
# Geomedian, its three MADs and the count of whole blocks beside geomad (PyPI), in one run, one thread each, the two
# taking turns. One figure a line: `name value`. `ratio_*` is geomad's CPU time over ours on the same samples.
#   PYTHON   a Python with geomad and numpy; made in a folder of its own when it lacks them
#   LEVEL    instructions of our side: plain, sse2, avx2, avx512 [the best of this machine]
#   DATA     real series, the folders 02-colorado-* and 03-harvard-* [TESELA_TEST_DATA]; left out when absent
#   DEMO     the cube that `tesela demo` makes: its cloudy stacks (synthetic), one year and all; left out when absent, or
#            when the Python lacks zarr
#   ROWS     which lines to measure [all]: n46 n46_masked60 n10 n20 n90 n690 colorado harvard demo_year demo
#   REPS     turns of each side, the least CPU time counts [3]
# `instructions_per_pixel_*` are counted by callgrind with AVX2, the same each time; left out without valgrind.
# geomad is given the layout it wants, (y, x, band, time) float32: `us_per_pixel_geomad_*` is without that conversion,
# `us_per_pixel_conversion_*` is what it costs; ours starts from (time, pixel) uint16. Errors are against the minimiser
# in float64, in digital numbers of Collection 2 (2.75e-5 reflectance).
# Bounded: about five minutes on two cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tesela-peers.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

PYTHON=${PYTHON:-${TESELA_CI_CACHE:-$HOME/.cache/tesela}/venv-geomad/bin/python}
if ! "$PYTHON" -c 'import geomad, numpy' 2>/dev/null; then
    python3 -m venv "$scratch/venv"
    "$scratch/venv/bin/pip" install -q geomad numpy
    PYTHON=$scratch/venv/bin/python
fi
BENCH=${BENCH:-$(cargo bench -q -p tesela-benches --profile dev --bench kernels --no-run --message-format=json 2>/dev/null |
    grep '"name":"kernels"' | grep -o '"executable":"[^"]*"' | tail -1 | cut -d'"' -f4)}

OMP_NUM_THREADS=1 "$PYTHON" - "$BENCH" "$scratch" "${DATA:-${TESELA_TEST_DATA:-}}" "${REPS:-3}" "${DEMO:-}" "${ROWS:-}" <<'PY'
import glob, os, re, shutil, subprocess, sys, tarfile, time
import numpy as np, geomad

bench, scratch, data, reps = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
demo_cube, rows = sys.argv[5], sys.argv[6].split()
DN = 2.75e-5

SURFACES = np.array([[.030, .050, .045, .280, .150, .080], [.050, .080, .080, .260, .250, .160],
                     [.110, .125, .140, .200, .230, .210], [.040, .050, .035, .020, .010, .008],
                     [.110, .150, .200, .270, .340, .290]])


def synthetic(times, pixels, masked):
    """(band, time, pixel) uint16, 0 nodata: five surfaces with a season, light and noise; haze, clouds, shadows."""
    rng = np.random.default_rng(20240614 + times)
    out = np.empty((6, times, pixels), np.uint16)
    surface = SURFACES[np.arange(pixels) // 97 % 5]
    for t in range(times):
        green = np.where(np.arange(6) == 3, 1 + .15 * np.sin(2 * np.pi * t / times), 1 - .05 * np.sin(2 * np.pi * t / times))
        weather, light = rng.random((pixels, 1)), 1 + .08 * rng.standard_normal((pixels, 1))
        light = np.where(weather > .95, .5 * light, light)
        rho = surface * green * light * (1 + .03 * rng.standard_normal((pixels, 6)))
        rho += np.where(rng.random((pixels, 1)) < .3, .02 * rng.random((pixels, 1)), 0) * (1.2 - .2 * np.arange(6))
        rho += np.where(weather < .08, .2 + .3 * rng.random((pixels, 1)), 0) + .003 * rng.standard_normal((pixels, 6))
        dn = np.clip(np.rint((rho + .2) / DN), 7273, 43636).astype(np.uint16)
        dn[rng.random(pixels) < masked] = 0
        out[:, t] = dn.T
    return out


def colorado(folder):
    """447 real dates of 5 x 5 pixels, clear by Fmask, repeated to a block."""
    files = []
    with tarfile.open(os.path.join(folder, "p035r032_testdata.tar.gz")) as tar:
        for m in sorted((m for m in tar.getmembers() if m.name.endswith("_stack.gtif")), key=lambda m: m.name.rsplit("/", 1)[1][9:16]):
            files.append(np.frombuffer(tar.extractfile(m).read()[814:], "<i2").reshape(25, 8))
    return clear(np.stack(files).transpose(2, 0, 1), 2000)


def harvard(folder):
    """423 real dates of 300 pixels."""
    return clear(np.load(os.path.join(folder, "Y_int16_band_time_col.npy")), 3000)


def clear(stack, pixels):
    """(band, time, pixel) int16 with Fmask last, as uint16 with 0 for what is hidden."""
    bands, fmask = stack[:6], stack[7]
    usable = ((fmask == 0) | (fmask == 1)) & ((bands > 0) & (bands <= 10000)).all(0)
    once = np.where(usable, bands, 0).astype(np.uint16)
    return np.ascontiguousarray(np.tile(once, (1, 1, -(-pixels // once.shape[2])))[:, :, :pixels])


def demo(cube, most_of_one_year):
    """(band, time, pixel) of 256 x 256 pixels of the tile with the most dates, 0 where quality words hide them: fill, dilated
    cloud, cirrus, cloud and shadow are the lowest five bits. Dates without a clear pixel are left out."""
    import zarr
    tiles = {}
    for group in sorted(glob.glob(os.path.join(cube, "store/scenes/landsat_c2_sr/[0-9]*_*/*"))):
        tiles.setdefault(group.split("/")[-2], []).append(zarr.open_group(group, mode="r"))
    groups = max(tiles.values(), key=lambda groups: sum(g["time"].shape[0] for g in groups))
    side = groups[0]["qa_pixel"].shape[1]
    coarse = sum((g["qa_pixel"][:, ::64, ::64] & 31 == 0).sum(0) for g in groups)
    cells = coarse.reshape(coarse.shape[0] // 4, 4, coarse.shape[1] // 4, 4).sum((1, 3))
    y, x = (256 * v for v in np.unravel_index(cells.argmax(), cells.shape))
    y, x = min(y, side - 256), min(x, side - 256)
    window = (slice(None), slice(y, y + 256), slice(x, x + 256))
    clear = np.concatenate([g["qa_pixel"][window] & 31 for g in groups]) == 0
    years = np.concatenate([g["time"][:].astype("M8[s]").astype("M8[Y]").astype(int) for g in groups])
    keep = clear.any((1, 2))
    if most_of_one_year:
        keep &= years == np.bincount(years, clear.sum((1, 2))).argmax()
    order = np.flatnonzero(keep)
    bands = [np.concatenate([g[b][window] for g in groups])[order] for b in ("blue", "green", "red", "nir", "swir1", "swir2")]
    stack = np.where(clear[order], np.stack(bands), 0).reshape(6, len(order), -1)
    return np.ascontiguousarray(stack[:, :, :: max(1, len(order) // 46)])


def count_of(x):
    return np.isfinite(x[0]).all(1).sum(-1)


def cpu(work):
    start = time.process_time()
    out = work()
    return time.process_time() - start, out


def compare(name, stack, scale, offset, valid, headline):
    _, times, pixels = stack.shape
    path, every = os.path.join(scratch, "stack"), max(1, pixels // 2000)
    stack.tofile(path)
    about = ["--times", str(times), "--scale", repr(scale), "--offset", repr(offset), "--valid", valid]
    command = [bench, "--bench", "--stack", path, *about, "--reps", "3"]

    def ours(*more):
        done = subprocess.run([*command, *more], check=True, capture_output=True, text=True).stdout
        return dict(line.split() for line in done.splitlines())

    def instructions():
        few = np.ascontiguousarray(stack[:, :, :max(64, 65536 // times)])
        few.tofile(path + ".few")
        out = path + ".callgrind"
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--toggle-collect=*geomad_block_at*",
                        bench, "--stack", path + ".few", *about, "--reps", "0"],
                       check=True, capture_output=True, timeout=120, env={**os.environ, "LEVEL": "avx2"})
        total = re.search(r"^(?:summary|totals): (\d+)", open(out).read(), re.M)
        return int(total[1]) / few.shape[2]

    def convert():
        x = stack.astype(np.float32) * np.float32(scale) + np.float32(offset)
        x[stack == 0] = np.nan
        return np.ascontiguousarray(x.transpose(2, 0, 1)[None])

    x = convert()
    whole = bool(np.isfinite(x).all())  # without its check for gaps geomad's MADs are NaN where there is one
    eps_names = {2.75e-6: "eps2.75e-6", 1e-4: "eps1e-4"}

    def theirs(eps):
        g = geomad.nangeomedian_pcm(x, eps=eps, maxiters=10000, num_threads=1, nocheck=whole)
        mads = [getattr(geomad, k + "_pcm")(x, g, num_threads=1, nocheck=whole) for k in ("emad", "smad", "bcmad")]
        count = np.isfinite(x).all(2).sum(-1, dtype=np.uint16)
        return g, mads, count

    best, peer, conversion, found = np.inf, dict.fromkeys(eps_names, np.inf), np.inf, {}
    for _ in range(reps):  # taking turns
        figures = ours()
        best = min(best, float(figures["us_per_pixel"]))
        for eps in eps_names:
            seconds, found[eps] = cpu(lambda: theirs(eps))
            peer[eps] = min(peer[eps], seconds * 1e6 / pixels)
        conversion = min(conversion, cpu(convert)[0] * 1e6 / pixels)
    planes, optimum = os.path.join(scratch, "planes"), os.path.join(scratch, "optimum")
    figures = ours("--planes", planes, "--optimum", optimum, "--every", str(every))
    planes = np.fromfile(planes, np.float32).reshape(9, pixels)
    optimum = np.fromfile(optimum).reshape(-1, 6)

    if headline:
        print("level", figures["level"])
        print(f"ratio_vs_geomad {peer[2.75e-6] / best:.1f}")
        print(f"us_per_pixel {best:.3f}")
        threads = ours("--scaling")
        for figure in ("two_thread_scaling", "two_thread_scaling_of_registers"):
            print(figure, threads[figure])
    print(f"us_per_pixel_{name} {best:.3f}")
    if shutil.which("valgrind"):
        print(f"instructions_per_pixel_{name} {instructions():.0f}")
    for eps, label in eps_names.items():
        print(f"us_per_pixel_geomad_{label}_{name} {peer[eps]:.2f}")
        print(f"ratio_vs_geomad_{label}_{name} {peer[eps] / best:.1f}")
    print(f"us_per_pixel_conversion_{name} {conversion:.2f}")

    sampled = np.arange(0, pixels, every)
    enough = count_of(x)[sampled] > 2  # of two any point between is optimal

    def errors(point):
        return np.abs(point[enough].astype(np.float64) - optimum[enough]).max(-1) / DN

    ranked = [("", errors(planes[:6, sampled].T))] + [("geomad_" + l + "_", errors(found[e][0][0][sampled])) for e, l in eps_names.items()]
    for label, error in ranked:
        if headline and not label:
            print(f"max_error_dn {error.max():.4f}")
            print(f"p99_error_dn {np.quantile(error, .99):.4f}")
        print(f"max_error_dn_{label}{name} {error.max():.4f}")
        print(f"p99_error_dn_{label}{name} {np.quantile(error, .99):.4f}")
    print(f"scalar_share_{name} {figures['scalar_share']}")
    print(f"objective_excess_{name} {figures['objective_excess']}")
    mads = np.stack([m[0] for m in found[2.75e-6][1]])
    print(f"max_mad_difference_from_geomad_{name} {np.nanmax(np.abs(planes[6:] - mads)[:, count_of(x) > 2]):.1e}", flush=True)


for times, masked in ((46, 0), (46, .6), (10, 0), (20, 0), (90, 0), (690, 0)):
    pixels = max(2048, min(32768, 1_500_000 // times // 64 * 64))
    name = f"n{times}" + ("_masked60" if masked else "")
    if not rows or name in rows:
        compare(name, synthetic(times, pixels, masked), DN, -.2, "7273,43636", times == 46 and not masked)
for read, pattern in ((colorado, "02-colorado-*"), (harvard, "03-harvard-*")):
    folders = glob.glob(os.path.join(data, pattern)) if data else []
    if rows and read.__name__ not in rows:
        continue
    if folders:
        compare(read.__name__, read(folders[0]), 1e-4, 0., "1,10000", False)
    else:
        print(f"{read.__name__} skipped: no data", file=sys.stderr)
for name, one_year in (("demo_year", True), ("demo", False)):
    if rows and name not in rows:
        continue
    try:
        stack = demo(demo_cube, one_year)
    except (ImportError, ValueError) as problem:
        print(f"{name} skipped: {problem}", file=sys.stderr)
    else:
        print(f"dates_{name} {stack.shape[1]}")
        print(f"mean_count_{name} {(stack > 0).all(0).sum() / stack.shape[2]:.1f}")
        compare(name, stack, DN, -.2, "7273,43636", False)
PY
