/** A colour per platform, the same everywhere; the palette can be told apart by colour-blind readers (Okabe and Ito). */

const KNOWN = { 'landsat-4': '#56b4e9', 'landsat-5': '#0072b2', 'landsat-7': '#e69f00', 'landsat-8': '#009e73', 'landsat-9': '#cc79a7' };
const OTHERS = ['#d55e00', '#7a5195', '#5b8c5a', '#8c564b'];

/** Observations that are not of one platform, as in composites. */
export const COMPOSITE = '#0f5c63';

/**
 * @param {(string|null)[]} platforms those in one chart
 * @returns {Map<string|null, string>}
 */
export function platformColors(platforms) {
  const unknown = [...new Set(platforms)].filter((name) => name && !(name in KNOWN)).sort();
  return new Map([...new Set(platforms)].map((name) => [name, name ? (KNOWN[name] ?? OTHERS[unknown.indexOf(name) % OTHERS.length]) : COMPOSITE]));
}
