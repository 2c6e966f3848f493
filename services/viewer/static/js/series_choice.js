/** What a pixel's chart can show: a band of the product, a spectral index of its bands, or an expression. */
import { bandsOf, favouriteBand } from './catalog.js';
import { t } from './i18n.js';
import { indicesFor } from './indices.js';

export const EXPRESSION = 'expr:';
const INDEX = 'index:';

/** @param {any} product */
const indices = (product) => indicesFor(bandsOf(product).map((band) => band.name));

/**
 * Options of the chooser.
 * @param {any} product
 */
export function seriesOptions(product) {
  return [
    ...bandsOf(product).map((band) => ({ value: band.name, label: band.title ?? band.name, group: t('series.bands') })),
    ...indices(product).map(({ name }) => ({ value: INDEX + name, label: name.toUpperCase(), group: t('series.indices') })),
    { value: EXPRESSION, label: t('series.expression'), group: t('series.own') },
  ];
}

/**
 * The chosen series if the product has it, else one that suits the style.
 * @param {any} product
 * @param {string|null} style
 * @param {string|null} chosen
 * @returns {string}
 */
export function validSeries(product, style, chosen) {
  const names = [...bandsOf(product).map((band) => band.name), ...indices(product).map(({ name }) => INDEX + name)];
  if (chosen && (chosen.startsWith(EXPRESSION) || names.includes(chosen))) return chosen;
  const favourite = favouriteBand(product, style);
  const ndvi = `${INDEX}ndvi`;
  const colourPicture = !bandsOf(product).some((band) => band.name === 'ndvi') && names.includes(ndvi);
  return colourPicture && favourite === names[0] ? ndvi : (favourite ?? '');
}

/**
 * The part of the request that names the values.
 * @param {any} product
 * @param {string} series
 * @returns {{bands?: string, expression?: string}}
 */
export function seriesQuery(product, series) {
  if (series.startsWith(EXPRESSION)) return { expression: series.slice(EXPRESSION.length) };
  if (series.startsWith(INDEX)) return { expression: indices(product).find(({ name }) => INDEX + name === series)?.expression };
  return { bands: series };
}

/** What to call it in a title. @param {any} product @param {string} series */
export function seriesTitle(product, series) {
  if (series.startsWith(EXPRESSION)) return series.slice(EXPRESSION.length);
  if (series.startsWith(INDEX)) return series.slice(INDEX.length).toUpperCase();
  return bandsOf(product).find((band) => band.name === series)?.title ?? series;
}
