/** The view in the URL's fragment: `#lon=…&lat=…&zoom=…&product=…`. Values that equal their default are left out. */
import { VIEW_DEFAULTS } from './state.js';
import { debounce } from './dom.js';

const text = { read: (raw) => raw, write: (value) => value };
const number = (digits) => ({
  read: (raw) => (raw !== '' && Number.isFinite(Number(raw)) ? Number(raw) : undefined),
  write: (value) => String(Number(value.toFixed(digits))),
});
const flag = { read: (raw) => raw === '1', write: (value) => (value ? '1' : '0') };
const pair = (digits) => ({
  read: (raw) => {
    const values = raw.split(',').map(Number);
    return values.length === 2 && values.every(Number.isFinite) ? values : undefined;
  },
  write: (values) => values.map((value) => String(Number(value.toPrecision(digits)))).join(','),
});
const unit = { read: (raw) => (raw !== '' && raw >= 0 && raw <= 1 ? Number(raw) : undefined), write: number(2).write };

/** State key → [name in the URL, codec]; the order is the order in the URL. */
const FIELDS = {
  lon: ['lon', number(7)],
  lat: ['lat', number(7)],
  zoom: ['zoom', number(4)],
  product: ['product', text],
  style: ['style', text],
  date: ['date', text],
  opacity: ['opacity', unit],
  lang: ['lang', text],
  zoneSet: ['zones', text],
  zoneBand: ['zband', text],
  zoneStat: ['stat', text],
  zoneRange: ['range', pair(6)],
  zoneOpacity: ['zopacity', unit],
  zone: ['zone', text],
  point: ['point', pair(10)],
  tab: ['tab', { read: (raw) => (raw === 'pixel' || raw === 'zone' ? raw : undefined), write: text.write }],
  series: ['series', text],
  masked: ['masked', flag],
  graticule: ['grid', flag],
};

/**
 * @param {string} hash `location.hash`
 * @returns {Record<string, any>} the view keys that the link names
 */
export function parse(hash) {
  const query = new URLSearchParams(hash.replace(/^#/, ''));
  /** @type {Record<string, any>} */
  const patch = {};
  for (const [key, [name, codec]] of Object.entries(FIELDS)) {
    const raw = query.get(name);
    const value = raw === null ? undefined : codec.read(raw);
    if (value !== undefined) patch[key] = value;
  }
  return patch;
}

/**
 * @param {Record<string, any>} view
 * @returns {string} the fragment, with its `#`
 */
export function format(view) {
  const parts = [];
  for (const [key, [name, codec]] of Object.entries(FIELDS)) {
    if (view[key] === VIEW_DEFAULTS[key] || view[key] === null) continue;
    const value = encodeURIComponent(codec.write(view[key])).replace(/%(2C|40|3A|2F)/g, decodeURIComponent);
    parts.push(`${name}=${value}`);
  }
  return `#${parts.join('&')}`;
}

/**
 * Keeps the address bar in step with the state, and the state with links pasted into the address bar.
 * @param {import('./state.js').State} state
 */
export function bindPermalink(state) {
  const write = () => {
    const hash = format(state.view());
    if (hash !== location.hash) history.replaceState(null, '', hash);
  };
  state.on(Object.keys(VIEW_DEFAULTS), debounce(write, 150));
  window.addEventListener('hashchange', () => state.set({ ...VIEW_DEFAULTS, ...current(state), ...parse(location.hash) }));
}

/** What a pasted link that says nothing about it does not change. */
function current(state) {
  const { lon, lat, zoom, lang, product, style, date } = state.view();
  return { lon, lat, zoom, lang, product, style, date };
}
