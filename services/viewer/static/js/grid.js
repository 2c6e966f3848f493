/** Places on a product's grid: from longitude and latitude to grid coordinates, tile, column and row, and back. */
import { proj4 } from '../vendor/ol.js';

/** @typedef {{crs: string, x: number, y: number, tile: [number, number], col: number, row: number}} GridPlace */

/** @type {Map<string, any>} */
const converters = new Map();

/** @param {any} grid `tesela:grid` @returns {{forward: Function, inverse: Function}|null} null when its CRS cannot be computed here */
function converter(grid) {
  if (!grid?.proj4) return null;
  if (!converters.has(grid.proj4)) {
    let made = null;
    try {
      made = proj4(grid.proj4);
    } catch {
      made = null; // a definition that proj4 does not know: the viewer then shows longitude and latitude only
    }
    converters.set(grid.proj4, made);
  }
  return converters.get(grid.proj4);
}

/**
 * Tile rows grow north, pixel rows grow south; tiles are half-open, lower left corner included.
 * @param {any} grid
 * @param {number[]} lonLat
 * @returns {GridPlace|null}
 */
export function gridPlace(grid, lonLat) {
  const [x, y] = converter(grid)?.forward(lonLat) ?? [NaN, NaN];
  if (!Number.isFinite(x) || !Number.isFinite(y)) return null;
  const pixel = grid.resolution_m;
  const size = pixel * grid.tile_size_px;
  const [ox, oy] = grid.origin ?? [0, 0];
  const ix = Math.floor((x - ox) / size);
  const iy = Math.floor((y - oy) / size);
  const col = Math.floor((x - ox - ix * size) / pixel);
  const row = grid.tile_size_px - 1 - Math.floor((y - oy - iy * size) / pixel);
  return { crs: grid.crs, x, y, tile: [ix, iy], col, row };
}

/**
 * The outline of the pixel at a place, in longitude and latitude.
 * @param {any} grid
 * @param {number[]} lonLat
 * @returns {number[][]|null} closed ring
 */
export function pixelRing(grid, lonLat) {
  const place = gridPlace(grid, lonLat);
  if (!place) return null;
  const pixel = grid.resolution_m;
  const [ox, oy] = grid.origin ?? [0, 0];
  const left = ox + Math.floor((place.x - ox) / pixel) * pixel;
  const bottom = oy + Math.floor((place.y - oy) / pixel) * pixel;
  const corners = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]];
  return corners.map(([dx, dy]) => converter(grid).inverse([left + dx * pixel, bottom + dy * pixel]));
}
