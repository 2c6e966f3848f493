/**
 * From a statistic's value to a colour. A band that has a ramp style keeps that style's colours, so that zones and picture
 * read alike; anything else gets a neutral ramp over the range of its values, kept in the permalink.
 * @typedef {{stops: import('./ramp.js').Stop[], color: (value: number|null|undefined) => string}} Scale
 */
import { bandsOf, stylesOf } from './catalog.js';
import { colorAt, spread, stretch } from './ramp.js';

export const NO_DATA = '#c9d0d3';

/** Statistics that share the band's own unit and range. */
const BAND_VALUED = new Set(['mean', 'median', 'min', 'max']);

/** Statistics offered, in this order. */
export const STATISTICS = ['mean', 'median', 'min', 'max', 'sd', 'coverage', 'clear_obs_mean', 'emad_mean'];

const NEUTRAL = ['#440154', '#414487', '#2a788e', '#22a884', '#7ad151', '#fde725'];

/** @param {string} statistic @param {any} product @param {string|null} band */
export function statisticUnit(statistic, product, band) {
  if (statistic === 'coverage' || statistic === 'clear_obs_mean') return '';
  return bandsOf(product).find((one) => one.name === band)?.unit ?? '';
}

/** @param {any} product @param {string|null} band @param {string} statistic */
function styleStops(product, band, statistic) {
  if (!BAND_VALUED.has(statistic)) return null;
  return stylesOf(product).find((style) => style.legend?.type === 'ramp' && style.legend.band === band)?.legend.stops ?? null;
}

/**
 * The 2nd and 98th percentiles, so that one odd zone does not flatten the rest.
 * @param {number[]} values
 * @returns {[number, number]}
 */
export function usualRange(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => Number(sorted[Math.round(share * (sorted.length - 1))].toPrecision(3));
  const [low, high] = [at(0.02), at(0.98)];
  return high > low ? [low, high] : [low, low + (Math.abs(low) || 1) * 1e-3];
}

/** Whether the statistic's colours come from a style while no range has been chosen. */
export const hasOwnColors = (product, band, statistic) => styleStops(product, band, statistic) !== null;

/**
 * @param {any} product
 * @param {string|null} band
 * @param {string} statistic
 * @param {[number, number]|null} range
 * @returns {Scale|null} null while neither a style nor a range gives the colours
 */
export function makeScale(product, band, statistic, range) {
  const own = styleStops(product, band, statistic);
  const stops = own ? (range ? stretch(own, range) : own) : range && spread(NEUTRAL, range);
  if (!stops) return null;
  return { stops, color: (value) => (value === null || value === undefined ? NO_DATA : colorAt(stops, value)) };
}
