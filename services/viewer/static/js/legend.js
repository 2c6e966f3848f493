/** Legends: a colour ramp, classes, or the bands of an RGB picture. */
import { h } from './dom.js';
import { number, t, unitText } from './i18n.js';
import { gradient, ticks } from './ramp.js';

/** Share of the bar that the numbers at its ends need. */
const ROOM = 0.22;

/**
 * A colour bar with its numbers. The stops are also in `data-stops`.
 * @param {import('./ramp.js').Stop[]} stops
 * @param {string} title
 */
export function rampLegend(stops, title) {
  const [low, high] = [stops[0].value, stops.at(-1).value];
  const bar = h('div', { class: 'ramp', role: 'img', 'aria-label': t('legend.range', { title, low: number(low), high: number(high) }), data: { stops: JSON.stringify(stops) } });
  bar.style.background = gradient(stops);
  const inner = ticks(low, high, 4).filter((value) => value > low + (high - low) * ROOM && value < high - (high - low) * ROOM);
  const scale = h('div', { class: 'ramp-scale', 'aria-hidden': 'true' });
  for (const value of [low, ...inner, high]) {
    const text = h('span', {}, number(value, 3));
    text.style.left = `${high > low ? (100 * (value - low)) / (high - low) : 0}%`;
    scale.append(text);
  }
  return h('figure', { class: 'legend' }, h('figcaption', {}, title), bar, scale);
}

/** @param {string} color @param {string} title */
export function swatch(color, title) {
  const box = h('span', { class: 'swatch' });
  box.style.background = color;
  return h('li', {}, box, h('span', {}, title));
}

/** @param {any} legend */
function rgbLegend(legend) {
  const channels = ['red', 'green', 'blue'];
  const rows = legend.bands.map((band, i) => h('li', {}, h('span', { class: `channel channel-${channels[i]}` }), h('span', {}, `${t(`legend.${channels[i]}`)}: `, h('b', {}, band))));
  const [low, high] = legend.range ?? [];
  return h('figure', { class: 'legend' }, h('ul', { class: 'swatches' }, ...rows), low !== undefined && h('p', { class: 'hint' }, t('legend.stretch', { low: number(low), high: number(high) })));
}

/**
 * @param {any} legend `tesela:styles[].legend`
 * @param {any[]} bands `tesela:bands`
 * @returns {HTMLElement|null}
 */
export function legendOf(legend, bands) {
  if (legend?.type === 'ramp') {
    const band = bands.find((one) => one.name === legend.band);
    return rampLegend(legend.stops, `${band?.title ?? legend.band}${unitText(legend.unit)}`);
  }
  if (legend?.type === 'classes') return h('figure', { class: 'legend' }, h('ul', { class: 'swatches' }, ...legend.entries.map((entry) => swatch(entry.color, entry.title ?? String(entry.value)))));
  if (legend?.type === 'rgb') return rgbLegend(legend);
  return null;
}
