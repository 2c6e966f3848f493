/**
 * What the cube holds: products with their styles, and zone sets.
 * @typedef {{products: any[], zoneSets: any[], synthetic: boolean}} Catalog
 */
import { getJson } from './api.js';

/**
 * @param {string} lang
 * @returns {Promise<Catalog>}
 */
export async function loadCatalog(lang) {
  const [collections, zones] = await Promise.all([getJson('collections', { lang }), getJson('v1/zones', { lang })]);
  const all = collections.collections ?? [];
  return {
    products: all.filter((collection) => collection['tesela:kind'] !== 'zones'),
    zoneSets: zones.zone_sets ?? [],
    synthetic: all.some((collection) => collection['tesela:synthetic'] === true),
  };
}

/** @param {import('./state.js').State} state */
export const currentProduct = (state) => state.get('catalog')?.products.find((product) => product.id === state.get('product'));

/** @param {any} product */
export const stylesOf = (product) => product?.['tesela:styles'] ?? [];

/** @param {any} product */
export const bandsOf = (product) => product?.['tesela:bands'] ?? [];

/** @param {any} product */
const defaultStyle = (product) => (stylesOf(product).find((style) => style.default) ?? stylesOf(product)[0])?.name ?? null;

/** @param {any} product whether it opens as a picture in colours of its own, not as classes or a ramp */
const opensAsPicture = (product) => stylesOf(product).find((style) => style.name === defaultStyle(product))?.legend?.type === 'rgb';

/** What a newcomer sees: a composite of a period, else anything computed, else scenes. */
function openingProduct(products) {
  const derived = products.filter((product) => product['tesela:kind'] === 'derived');
  return derived.find(opensAsPicture) ?? derived[0] ?? products[0];
}

/** @param {import('./state.js').State} state */
export function currentStyle(state) {
  return stylesOf(currentProduct(state)).find((style) => style.name === state.get('style'));
}

/** @param {any} product @returns {number[]|null} [west, south, east, north], east past 180 where the box crosses it */
export function bboxOf(product) {
  const [w, s, e, n] = product?.extent?.spatial?.bbox?.[0] ?? [];
  return w === undefined ? null : [w, s, w > e ? e + 360 : e, n];
}

/** @param {any} product whether it holds one raster per acquisition */
export const isScenes = (product) => product?.['tesela:kind'] === 'scenes';

/** @param {import('./state.js').State} state */
export const currentZoneSet = (state) => state.get('catalog')?.zoneSets.find((set) => set.id === state.get('zoneSet'));

/** Sets no larger than this are drawn without being asked for. */
const OUTLINES_BY_DEFAULT = 2000;

/**
 * The choices that are missing or no longer possible in this catalogue, put right.
 * @param {Catalog} catalog
 * @param {Record<string, any>} view
 */
export function validChoices(catalog, view) {
  const product = catalog.products.find((one) => one.id === view.product) ?? openingProduct(catalog.products);
  const style = stylesOf(product).some((one) => one.name === view.style) ? view.style : defaultStyle(product);
  let zoneSet = view.zoneSet;
  if (zoneSet === null) zoneSet = catalog.zoneSets.find((set) => set.zones <= OUTLINES_BY_DEFAULT)?.id ?? '';
  else if (!catalog.zoneSets.some((set) => set.id === zoneSet)) zoneSet = '';
  const zoneBand = bandsOf(product).some((band) => band.name === view.zoneBand) ? view.zoneBand : favouriteBand(product, style);
  return { product: product?.id ?? null, style, zoneSet, zoneBand, zone: zoneSet ? view.zone : null };
}

/**
 * The band that a style is about, else the product's first.
 * @param {any} product
 * @param {string|null} styleName
 */
export function favouriteBand(product, styleName) {
  const names = bandsOf(product).map((band) => band.name);
  const legend = stylesOf(product).find((style) => style.name === styleName)?.legend;
  const ramps = stylesOf(product).map((style) => style.legend?.band);
  return [legend?.band, ...ramps, names[0]].find((name) => names.includes(name)) ?? null;
}
