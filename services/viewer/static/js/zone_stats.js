/** The statistics table of the chosen zone set, product, band and date, and the colour scale for it. */
import { getJson, latestOnly, segment } from './api.js';
import { currentProduct } from './catalog.js';
import { toastError } from './toasts.js';
import { makeScale, usualRange } from './zone_scale.js';

/**
 * Path and query of a table; also what the CSV link asks for.
 * @param {import('./state.js').State} state
 * @returns {[string, Record<string, any>]}
 */
export function statsAddress(state) {
  const { zoneSet, product, zoneBand, date } = state.view();
  return [`v1/zones/${segment(zoneSet)}/stats`, { product, band: zoneBand, datetime: date }];
}

/** @param {import('./state.js').State} state */
export function bindZoneStats(state) {
  const latest = latestOnly();

  async function load() {
    const { zoneSet, product, zoneBand, zoneStat, date } = state.view();
    const subject = JSON.stringify([zoneSet, product, zoneBand]);
    if (state.get('zoneStats') && state.get('zoneStats').subject !== subject) state.set({ zoneStats: null });
    if (!zoneSet || !zoneStat || !zoneBand || !date) {
      latest(async () => undefined);
      return state.set({ zoneStats: null });
    }
    if (state.get('dates')?.product !== product) return;
    const [path, query] = statsAddress(state);
    const key = JSON.stringify([path, query]);
    if (state.get('zoneStats')?.key === key) return;
    try {
      const answer = await latest((signal) => getJson(path, { ...query, f: 'json' }, signal));
      if (answer) state.set({ zoneStats: { key, subject, rows: new Map(answer.rows.map((row) => [row.key, row])) } });
    } catch (error) {
      toastError(error);
      state.set({ zoneStats: null });
    }
  }

  function rescale() {
    const stats = state.get('zoneStats');
    const { zoneBand, zoneStat, zoneRange } = state.view();
    if (!stats || !zoneStat) return state.set({ zoneScale: null });
    const scale = makeScale(currentProduct(state), zoneBand, zoneStat, zoneRange);
    if (scale) return state.set({ zoneScale: scale });
    const range = rangeOfValues(state);
    if (range) state.set({ zoneRange: range });
    else state.set({ zoneScale: null });
  }

  state.on(['catalog', 'zoneSet', 'product', 'zoneBand', 'zoneStat', 'date', 'dates'], load);
  state.on(['zoneStats', 'zoneBand', 'zoneStat', 'zoneRange', 'catalog'], rescale);
}

/**
 * The usual range of the chosen statistic in the loaded table.
 * @param {import('./state.js').State} state
 * @returns {[number, number]|null}
 */
export function rangeOfValues(state) {
  const rows = [...(state.get('zoneStats')?.rows.values() ?? [])];
  const values = rows.map((row) => row[state.get('zoneStat')]).filter((value) => Number.isFinite(value));
  return values.length ? usualRange(values) : null;
}

/**
 * The colour a zone has on the map; null when zones are outlines only.
 * @param {import('./state.js').State} state
 * @param {string} key
 */
export function zoneColor(state, key) {
  const scale = state.get('zoneScale');
  const stats = state.get('zoneStats');
  if (!scale || !stats) return null;
  return scale.color(stats.rows.get(key)?.[state.get('zoneStat')]);
}
