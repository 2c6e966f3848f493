/** Axes of a time chart: value range, round ticks, and ticks at starts of years or months. */
import { ticks } from './ramp.js';

const DAY = 86_400_000;

/**
 * A range that holds all values with some air.
 * @param {number[]} values
 * @returns {[number, number]}
 */
export function valueRange(values) {
  if (values.length === 0) return [0, 1];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const air = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - air, high + air];
}

/**
 * @param {number[]} times milliseconds
 * @returns {[number, number]}
 */
export function timeRange(times) {
  const low = Math.min(...times);
  const high = Math.max(...times);
  const air = Math.max((high - low) * 0.02, 20 * DAY);
  return [low - air, high + air];
}

/**
 * @param {number} low milliseconds
 * @param {number} high milliseconds
 * @param {number} wanted about how many
 * @returns {{time: number, format: Intl.DateTimeFormatOptions}[]}
 */
export function timeTicks(low, high, wanted) {
  const [first, last] = [new Date(low), new Date(high)];
  const years = last.getUTCFullYear() - first.getUTCFullYear();
  const out = [];
  if (years >= 3) {
    const every = Math.max(1, ticks(0, years, wanted)[1] ?? 1);
    const step = Math.ceil(every);
    for (let year = Math.ceil(first.getUTCFullYear() / step) * step; year <= last.getUTCFullYear(); year += step) out.push({ time: Date.UTC(year), format: { year: 'numeric' } });
  } else {
    const months = years * 12 + last.getUTCMonth() - first.getUTCMonth();
    const step = [1, 2, 3, 6, 12].find((candidate) => months / candidate <= wanted) ?? 12;
    for (let month = 0; month <= months + 1; month++) {
      const time = Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + month);
      if (new Date(time).getUTCMonth() % step === 0) out.push({ time, format: { month: 'short', year: '2-digit' } });
    }
  }
  return out.filter(({ time }) => time >= low && time <= high);
}
