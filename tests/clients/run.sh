#!/usr/bin/env bash
# Runs every client against a running server. usage: run.sh URL CUBE_DIR [OUT_DIR]
#   TESELA_PYTHON          Python with xarray zarr rioxarray odc-geo pyproj owslib lxml pillow (python3); see requirements.txt
#   TESELA_QGIS_PYTHON     Python with PyQGIS (the first of python3 and /usr/bin/python3 that has it)
#   TESELA_REQUIRE_CLIENTS 1: QGIS, GDAL or xarray not installed is a failure, not skipped
#   TESELA                 the program (on PATH, or this repository's build)
set -u
[ $# -ge 2 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd); url=$1; cube=$2; out=${3:-$(mktemp -d)}
export TESELA_PYTHON=${TESELA_PYTHON:-python3}
mkdir -p "$out"; passed=0; failed=0; skipped=0
echo "logs and pictures in $out"

one() { # name, command …
  local log=$out/$1.log last; shift
  timeout 600 "$@" > "$log" 2>&1; local code=$?
  last=$(tail -n 1 "$log")
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
    # A script whose count and exit disagree has failed.
    local p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[4]:-0}
    [ $code = 0 ] || [ "$f" -gt 0 ] || [ "$s" -gt 0 ] || { f=1; last="$last, yet it exited with $code"; }
  else
    local p=0 f=1 s=0; last="0 passed, 1 failed: no count; it exited with $code: $last"
  fi
  passed=$((passed + p)); failed=$((failed + f)); skipped=$((skipped + s))
  printf '%-16s %s\n' "$(basename "${log%.log}")" "$last"
  grep -E '^  (FAIL|SKIP) ' "$log" | sed 's/^/              /'
}

absent() { # name, why
  if [ "${TESELA_REQUIRE_CLIENTS:-}" = 1 ]; then failed=$((failed + 1)); else skipped=$((skipped + 1)); fi
  printf '%-16s NOT RUN: %s\n' "$1" "$2"
}

qgis=
for python in ${TESELA_QGIS_PYTHON:-python3 /usr/bin/python3}; do
  "$python" -c 'import qgis.core' 2> /dev/null && { qgis=$python; break; }
done
store="$TESELA_PYTHON has no xarray, zarr, pyproj (requirements.txt)"
"$TESELA_PYTHON" -c 'import dask, numpy, pyproj, xarray, zarr' 2> /dev/null && store=
if [ -n "$store" ]; then absent pyqgis_check "$store"
elif [ -n "$qgis" ]; then one pyqgis_check "$qgis" "$here/pyqgis_check.py" "$url" "$cube" "$out/pyqgis"
else absent pyqgis_check "PyQGIS is not installed (Debian: python3-qgis)"; fi
if [ -n "$store" ]; then absent gdal_check "$store"
elif command -v gdal_translate > /dev/null; then one gdal_check "$TESELA_PYTHON" "$here/gdal_check.py" "$url" "$cube" "$out/gdal"
else absent gdal_check "GDAL is not installed (Debian: gdal-bin)"; fi
if [ -n "$store" ]; then absent xarray_check "$store"
else one xarray_check "$TESELA_PYTHON" "$here/xarray_check.py" "$cube"; fi
if [ -n "$store" ]; then absent zarr_view_check "$store"
else one zarr_view_check "$TESELA_PYTHON" "$here/zarr_view_check.py" "$url" "$cube" "$out"; fi
researcher=$store
"$TESELA_PYTHON" -c 'import pandas, requests, rioxarray' 2> /dev/null || researcher=${store:-"$TESELA_PYTHON has no pandas, requests, rioxarray (requirements.txt)"}
if [ -n "$researcher" ]; then absent researcher_check "$researcher"
else one researcher_check "$TESELA_PYTHON" "$here/researcher_check.py" "$url" "$cube" "$out"; fi
one ogc_check "$TESELA_PYTHON" "$here/ogc_check.py" "$url"

tail=; [ $skipped = 0 ] || tail=", $skipped skipped"
echo "$passed passed, $failed failed$tail"
[ $failed = 0 ]
