/**
 * One observable store. *View* keys make the permalink; *data* keys hold what the server answered and are derived from them.
 */

/** The view: everything that a permalink restores. */
export const VIEW_DEFAULTS = Object.freeze({
  lang: /** @type {string|null} */ (null),
  lon: /** @type {number|null} */ (null),
  lat: /** @type {number|null} */ (null),
  zoom: /** @type {number|null} */ (null),
  product: /** @type {string|null} */ (null),
  style: /** @type {string|null} */ (null),
  date: /** @type {string|null} */ (null),
  opacity: 1,
  graticule: true,
  /** Zone set: null = not chosen yet, '' = none. */
  zoneSet: /** @type {string|null} */ (null),
  zoneBand: /** @type {string|null} */ (null),
  /** Statistic that colours the zones; '' = outlines only. */
  zoneStat: '',
  /** Ends of the zones' colour scale; null = the style's own ramp. */
  zoneRange: /** @type {[number, number]|null} */ (null),
  zoneOpacity: 1,
  /** Key of the chosen zone. */
  zone: /** @type {string|null} */ (null),
  /** Chosen point, [lon, lat]. */
  point: /** @type {[number, number]|null} */ (null),
  /** Open page of the lower panel. */
  tab: /** @type {'pixel'|'zone'|null} */ (null),
  /** What the pixel's chart shows: a band, `index:NAME` or `expr:EXPRESSION`. */
  series: /** @type {string|null} */ (null),
  /** Whether the chart shows masked observations. */
  masked: true,
});

const DATA_DEFAULTS = {
  /** @type {import('./catalog.js').Catalog|null} */ catalog: null,
  /** Texts of the current language. @type {Record<string, string>|null} */ strings: null,
  /** @type {{product: string, entries: object[]}|null} */ dates: null,
  /** @type {{key: string, subject: string, rows: Map<string, object>}|null} */ zoneStats: null,
  /** @type {import('./zone_scale.js').Scale|null} */ zoneScale: null,
  playing: false,
};

/** @param {any} a @param {any} b */
const same = (a, b) => a === b || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((value, i) => value === b[i]));

export class State {
  #values = { ...VIEW_DEFAULTS, ...DATA_DEFAULTS };
  /** @type {{keys: Set<string>, listener: () => void}[]} */
  #listeners = [];

  /** @param {string} key */
  get(key) {
    return this.#values[key];
  }

  /** A frozen copy of the view keys. */
  view() {
    return Object.freeze(Object.fromEntries(Object.keys(VIEW_DEFAULTS).map((key) => [key, this.#values[key]])));
  }

  /**
   * Takes the values that differ and tells each listener that cares, once.
   * @param {Record<string, any>} patch
   */
  set(patch) {
    const changed = Object.keys(patch).filter((key) => !same(this.#values[key], patch[key]));
    if (changed.length === 0) return;
    for (const key of changed) this.#values[key] = patch[key];
    for (const { keys, listener } of this.#listeners) if (changed.some((key) => keys.has(key))) listener();
  }

  /**
   * @param {string[]} keys
   * @param {() => void} listener
   */
  on(keys, listener) {
    this.#listeners.push({ keys: new Set(keys), listener });
  }
}
