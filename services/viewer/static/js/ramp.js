/** Colours from values: piecewise linear between stops in sRGB, clamped at the ends. */

/** @typedef {{value: number, color: string}} Stop */

/** @param {string} hex #rrggbb @returns {number[]} */
const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

/** @param {number[]} rgb @returns {string} #rrggbb */
const toHex = (rgb) => `#${rgb.map((c) => Math.round(c).toString(16).padStart(2, '0')).join('')}`;

/**
 * @param {Stop[]} stops ascending
 * @param {number} value
 * @returns {string} #rrggbb
 */
export function colorAt(stops, value) {
  if (value <= stops[0].value) return stops[0].color.slice(0, 7);
  const upper = stops.findIndex((stop) => value <= stop.value);
  if (upper < 0) return stops.at(-1).color.slice(0, 7);
  const [a, b] = [stops[upper - 1], stops[upper]];
  const share = (value - a.value) / (b.value - a.value);
  const [from, to] = [channels(a.color), channels(b.color)];
  return toHex(from.map((c, i) => c + (to[i] - c) * share));
}

/**
 * The same colours between other ends.
 * @param {Stop[]} stops
 * @param {[number, number]} range
 * @returns {Stop[]}
 */
export function stretch(stops, [low, high]) {
  const [first, last] = [stops[0].value, stops.at(-1).value];
  const scale = last > first ? (high - low) / (last - first) : 0;
  return stops.map(({ value, color }) => ({ value: low + (value - first) * scale, color }));
}

/**
 * Stops of equal spacing.
 * @param {string[]} colors
 * @param {[number, number]} range
 * @returns {Stop[]}
 */
export function spread(colors, [low, high]) {
  return colors.map((color, i) => ({ value: low + ((high - low) * i) / (colors.length - 1), color }));
}

/**
 * A CSS gradient, left to right.
 * @param {Stop[]} stops
 */
export function gradient(stops) {
  const [first, last] = [stops[0].value, stops.at(-1).value];
  const at = (value) => (last > first ? (100 * (value - first)) / (last - first) : 0);
  return `linear-gradient(to right, ${stops.map(({ value, color }) => `${color} ${at(value).toFixed(2)}%`).join(', ')})`;
}

/**
 * Round numbers that divide a range, ends included when they are round.
 * @param {number} low
 * @param {number} high
 * @param {number} wanted about how many
 * @returns {number[]}
 */
export function ticks(low, high, wanted) {
  if (!(high > low)) return [low];
  const rough = (high - low) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((f) => f * power).find((candidate) => candidate >= rough * 0.999);
  const out = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) out.push(Number((i * step).toPrecision(12)));
  return out;
}
