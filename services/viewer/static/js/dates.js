/** The dates of the current product. For products of scenes they are those of the scenes in view. */
import { getJson, latestOnly, segment } from './api.js';
import { currentProduct, isScenes } from './catalog.js';
import { onRest, viewBbox } from './map.js';
import { toastError } from './toasts.js';

/** @typedef {{datetime: string, label: string, platforms: string[], clear: number|null}} DateEntry */

/**
 * One entry per date: two platforms on one day share it.
 * @param {any[]} answered
 * @returns {DateEntry[]}
 */
function merge(answered) {
  /** @type {Map<string, DateEntry>} */
  const byDate = new Map();
  for (const { datetime, label, platform, clear_fraction: clear = null } of answered) {
    const entry = byDate.get(datetime) ?? { datetime, label: label ?? datetime, platforms: [], clear: null };
    if (platform) entry.platforms.push(platform);
    if (clear !== null) entry.clear = Math.max(entry.clear ?? 0, clear);
    byDate.set(datetime, entry);
  }
  return [...byDate.values()];
}

/**
 * The wanted date, else the nearest earlier one, else the first.
 * @param {DateEntry[]} entries
 * @param {string|null|undefined} wanted ISO date; null = the newest
 */
function pick(entries, wanted) {
  if (!wanted) return entries.at(-1)?.datetime ?? null;
  return (entries.find((entry) => entry.datetime === wanted) ?? entries.findLast((entry) => entry.datetime <= wanted) ?? entries[0])?.datetime ?? null;
}

/** Place of the current date in the list, −1 when it has none. @param {import('./state.js').State} state */
export const dateIndex = (state) => (state.get('dates')?.entries ?? []).findIndex((entry) => entry.datetime === state.get('date'));

/** The date after the current one; after the last comes the first. @param {import('./state.js').State} state */
export function nextDate(state) {
  const entries = state.get('dates')?.entries ?? [];
  return entries[(dateIndex(state) + 1) % entries.length]?.datetime ?? null;
}

/** The label of a date, or the date itself. @param {import('./state.js').State} state @param {string} datetime */
export const dateLabel = (state, datetime) => state.get('dates')?.entries.find((entry) => entry.datetime === datetime)?.label ?? datetime.slice(0, 10);

/**
 * Keeps `state.dates` and `state.date` in step with the product, and for scenes with the view.
 * @param {any} map
 * @param {import('./state.js').State} state
 */
export function bindDates(map, state) {
  const latest = latestOnly();

  async function load() {
    const product = currentProduct(state);
    if (!product) return state.set({ dates: { product: null, entries: [] } });
    const bbox = isScenes(product) ? viewBbox(map).join(',') : null;
    try {
      const answer = await latest((signal) => getJson(`v1/products/${segment(product.id)}/dates`, { bbox }, signal));
      if (!answer) return;
      const entries = merge(answer.dates ?? []);
      const current = state.get('date');
      const moved = state.get('dates')?.product === product.id;
      if (moved && current && !entries.some((entry) => entry.datetime === current)) {
        // Panning away from a date's scenes does not change what the reader chose.
        entries.push({ datetime: current, label: dateLabel(state, current), platforms: [], clear: null });
        entries.sort((a, b) => (a.datetime < b.datetime ? -1 : 1));
      }
      state.set({ date: pick(entries, current ?? product['tesela:datetime']?.default), dates: { product: product.id, entries } });
    } catch (error) {
      toastError(error);
      state.set({ dates: { product: product.id, entries: [] } });
    }
  }

  let loadedFor = '';
  state.on(['catalog', 'product'], () => {
    const product = state.get('product');
    if (!state.get('catalog') || (loadedFor === product && state.get('dates'))) return;
    loadedFor = product;
    load();
  });
  onRest(map, () => isScenes(currentProduct(state)) && state.get('dates')?.product === state.get('product') && load());
}
