/**
 * The product's picture on the map. A *frame* is one tile layer: product, style and date. The shown frame stays until the
 * next one has fully loaded, so that a change never flashes; while playing, the frame after that loads unseen.
 */
import { TileLayer, XYZ, transformExtent, createXYZ } from '../vendor/ol.js';
import { getJson, request, segment, url } from './api.js';
import { bboxOf, currentProduct } from './catalog.js';
import { nextDate } from './dates.js';
import { Z } from './map.js';
import { toastError } from './toasts.js';

const TILE_ERROR = 3;
const TILE_EMPTY = 4;
const MATRIX_SET = 'WebMercatorQuad';

/**
 * @typedef {{product: string, style: string, date: string, crisp: boolean}} Spec
 * @typedef {{layer: TileLayer, ready: Promise<void>, cancel: () => void}} Frame
 * @typedef {{minzoom: number, maxzoom: number, bounds: number[]}} TileInfo
 */

/**
 * Fetches a tile, so that the server's reasons for a refusal can be shown. 204 = nothing there.
 * @param {any} tile @param {string} source @param {AbortSignal} signal
 */
async function loadTile(tile, source, signal) {
  try {
    const response = await request(source, signal);
    if (response.status === 204) return tile.setState(TILE_EMPTY);
    tile.setImage(await createImageBitmap(await response.blob()));
  } catch (error) {
    tile.setState(TILE_ERROR);
    if (error.name !== 'AbortError') toastError(error);
  }
}

/** @type {Map<string, Promise<TileInfo>>} */
const infos = new Map();

/**
 * Zoom levels and bounds of a product's tiles.
 * @param {any} product
 * @returns {Promise<TileInfo>}
 */
function tileInfo(product) {
  if (!infos.has(product.id)) {
    const answer = getJson(`tiles/${segment(product.id)}/${MATRIX_SET}/tilejson.json`).then(
      ({ minzoom = 0, maxzoom = 14, bounds }) => ({ minzoom, maxzoom, bounds: bounds ?? bboxOf(product) ?? [-180, -85, 180, 85] }),
    );
    answer.catch(() => infos.delete(product.id));
    infos.set(product.id, answer);
  }
  return infos.get(product.id);
}

/** @param {Spec} spec @param {TileInfo} info @returns {TileLayer} */
function tileLayer(spec, info, signal) {
  const query = new URLSearchParams({ style: spec.style, datetime: spec.date });
  const [w, s, e, n] = info.bounds;
  return new TileLayer({
    className: 'layer-tiles',
    zIndex: Z.tiles,
    opacity: 0,
    extent: transformExtent([w, Math.max(s, -85), e, Math.min(n, 85)], 'EPSG:4326', 'EPSG:3857'),
    source: new XYZ({
      url: `${url(`tiles/${segment(spec.product)}/${MATRIX_SET}/`)}{z}/{x}/{y}.png?${query}`,
      tileGrid: createXYZ({ minZoom: info.minzoom, maxZoom: info.maxzoom }),
      interpolate: !spec.crisp,
      transition: 0,
      tileLoadFunction: (tile, source) => loadTile(tile, source, signal),
    }),
  });
}

/**
 * Resolves once everything on the map, what was added just now included, has loaded and been drawn.
 * @param {any} map
 * @returns {Promise<void>}
 */
export const renderComplete = (map) =>
  new Promise((resolve) => {
    map.once('postrender', () => map.once('rendercomplete', () => resolve()));
    map.render();
  });

/**
 * @param {any} map
 * @param {import('./state.js').State} state
 * @returns {{settled: () => Promise<void>}} `settled` resolves when the wanted frame is the shown one
 */
export function createFrames(map, state) {
  /** @type {Map<string, Frame>} */
  const pool = new Map();
  let shown = '';
  let wanted = '';
  let settled = Promise.resolve();

  /** @param {Spec} spec @param {TileInfo} info */
  function add(spec, info) {
    const controller = new AbortController();
    const layer = tileLayer(spec, info, controller.signal);
    map.addLayer(layer);
    const ready = renderComplete(map);
    const cancel = () => {
      controller.abort();
      map.removeLayer(layer);
    };
    const frame = { layer, ready, cancel };
    pool.set(JSON.stringify(spec), frame);
    return frame;
  }

  /** @param {string} key @param {string[]} keep */
  function reveal(key, keep = []) {
    shown = key;
    for (const [other, frame] of pool) {
      if (other === key) frame.layer.setOpacity(state.get('opacity'));
      else if (keep.includes(other)) frame.layer.setOpacity(0);
      else {
        pool.delete(other);
        frame.cancel();
      }
    }
  }

  /** @returns {Spec|null} what the state asks for; null while its dates are on their way or when there is nothing to show */
  function spec(date = state.get('date')) {
    const { product, style } = state.view();
    const known = state.get('dates')?.product === product;
    if (!product || !style || !date || !known) return null;
    return { product, style, date, crisp: false };
  }

  async function show() {
    const asked = spec();
    if (!asked) {
      wanted = '';
      if (state.get('dates')?.entries.length === 0 || !state.get('product')) reveal('');
      return;
    }
    const info = await tileInfo(currentProduct(state)).catch(toastError);
    if (!info || JSON.stringify(asked) !== JSON.stringify(spec())) return;
    const sharpen = (one) => ({ ...one, crisp: map.getView().getZoom() > info.maxzoom });
    const key = JSON.stringify(sharpen(asked));
    if (wanted === key) return;
    wanted = key;
    const frame = pool.get(key) ?? add(sharpen(asked), info);
    if (!shown) reveal(key);
    await frame.ready;
    if (wanted !== key) return;
    const next = state.get('playing') ? spec(nextDate(state)) : null;
    const nextKey = next && JSON.stringify(sharpen(next));
    reveal(key, nextKey ? [nextKey] : []);
    if (nextKey && !pool.has(nextKey)) add(sharpen(next), info);
  }

  const update = () => {
    settled = Promise.all([settled, show()]).then(() => undefined);
  };
  state.on(['catalog', 'product', 'style', 'date', 'dates', 'zoom'], update);
  state.on(['opacity'], () => pool.get(shown)?.layer.setOpacity(state.get('opacity')));
  return { settled: () => settled };
}
