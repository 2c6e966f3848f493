/**
 * `window.tesela`: a read-only view of the viewer for tests and for curious readers. Documented in services/viewer/README.md.
 */
import { pendingRequests } from './api.js';
import { currentProduct } from './catalog.js';
import { renderComplete } from './frames.js';
import { gridPlace } from './grid.js';
import { zoneColor } from './zone_stats.js';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @param {any} map
 * @param {import('./state.js').State} state
 * @param {{settled: () => Promise<void>}} frames
 */
export function exposeHook(map, state, frames) {
  window.tesela = Object.freeze({
    /** The OpenLayers map. */
    map,
    /** A frozen copy of the view: what the permalink holds. */
    get state() {
      return state.view();
    },
    /** Dates of the slider. */
    get dates() {
      return (state.get('dates')?.entries ?? []).map((entry) => entry.datetime);
    },
    /** Colour of a zone on the map as #rrggbb, null when zones are outlines only. */
    zoneColor: (key) => zoneColor(state, key),
    /** The zone's row of the loaded statistics table, or null. */
    zoneRow: (key) => structuredClone(state.get('zoneStats')?.rows.get(key) ?? null),
    /** Where a place lies on the current product's grid: {crs, x, y, tile, col, row}, or null. */
    gridPlace: (lon, lat) => gridPlace(currentProduct(state)?.['tesela:grid'], [lon, lat]),
    /** Resolves once no request is under way and everything has been drawn. */
    async idle() {
      do {
        await sleep(400);
        await frames.settled();
        await renderComplete(map);
      } while (pendingRequests() > 0);
    },
  });
}
