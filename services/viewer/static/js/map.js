/** The map: its view tied to the state, the graticule, the chosen pixel, and what a click or Enter picks. */
import { Feature, Graticule, Map, Polygon, Point, ScaleLine, Stroke, Style, CircleStyle, Fill, Text, VectorLayer, VectorSource, View, defaultInteractions, fromLonLat, toLonLat, transformExtent } from '../vendor/ol.js';
import { bboxOf, currentProduct } from './catalog.js';
import { debounce } from './dom.js';
import { pixelRing } from './grid.js';

/** Drawing order. */
export const Z = { tiles: 10, zones: 20, graticule: 25, chosenZone: 30, point: 40 };

const MARK = '#d1495b';
const round = (value, digits) => Number(value.toFixed(digits));

/** @param {number[]} bbox [w, s, e, n], kept inside what Web Mercator can show */
const mercatorExtent = ([w, s, e, n]) => transformExtent([w, Math.max(s, -85), e, Math.min(n, 85)], 'EPSG:4326', 'EPSG:3857');

/** Degrees for the graticule's labels, as `21.5° N`. */
const degrees = (positive, negative) => (value) => `${Number(Math.abs(value).toFixed(4))}°${value === 0 ? '' : ` ${value > 0 ? positive : negative}`}`;

function graticuleLayer() {
  const label = () => new Text({ font: '11px system-ui, sans-serif', fill: new Fill({ color: '#33484f' }), stroke: new Stroke({ color: 'rgba(255,255,255,0.85)', width: 3 }) });
  const lon = label();
  lon.setTextBaseline('top');
  const lat = label();
  lat.setTextAlign('start');
  return new Graticule({
    zIndex: Z.graticule,
    wrapX: false,
    showLabels: true,
    targetSize: 140,
    strokeStyle: new Stroke({ color: 'rgba(51,72,79,0.3)', width: 1 }),
    lonLabelStyle: lon,
    latLabelStyle: lat,
    lonLabelPosition: 0.992,
    latLabelPosition: 0.006,
    lonLabelFormatter: degrees('E', 'W'),
    latLabelFormatter: degrees('N', 'S'),
    intervals: [90, 45, 30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001],
  });
}

/** @param {import('./state.js').State} state */
function pointLayer(state) {
  const source = new VectorSource();
  const marker = new Style({ image: new CircleStyle({ radius: 7, stroke: new Stroke({ color: '#fff', width: 3 }), fill: new Fill({ color: MARK }) }) });
  const outline = new Style({ stroke: new Stroke({ color: MARK, width: 2 }) });
  state.on(['point', 'product', 'catalog'], () => {
    source.clear();
    const point = state.get('point');
    if (!point) return;
    const ring = pixelRing(currentProduct(state)?.['tesela:grid'], point);
    if (ring) source.addFeature(new Feature(new Polygon([ring.map((lonLat) => fromLonLat(lonLat))])));
    source.addFeature(new Feature(new Point(fromLonLat(point))));
  });
  /** The dot gives way to the pixel's outline once that can be seen. */
  const style = (feature, resolution) => (feature.getGeometry().getType() === 'Point' ? (resolution > 4 ? marker : undefined) : outline);
  return new VectorLayer({ source, style, zIndex: Z.point, className: 'layer-point' });
}

/**
 * @param {HTMLElement} target
 * @param {import('./state.js').State} state
 */
export function createMap(target, state) {
  const view = new View({ center: fromLonLat([-102, 23.5]), zoom: 5, minZoom: 2, maxZoom: 20, enableRotation: false });
  const graticule = graticuleLayer();
  const map = new Map({
    target,
    view,
    layers: [graticule, pointLayer(state)],
    controls: [new ScaleLine({ minWidth: 70 })],
    interactions: defaultInteractions({ altShiftDragRotate: false, pinchRotate: false }),
  });

  map.on('moveend', () => {
    if (state.get('lon') === null) return; // nothing has been placed yet
    const [lon, lat] = toLonLat(view.getCenter());
    state.set({ lon: round(lon, 7), lat: round(lat, 7), zoom: round(view.getZoom(), 4) });
  });
  state.on(['lon', 'lat', 'zoom'], () => {
    const [lon, lat, zoom] = ['lon', 'lat', 'zoom'].map((key) => state.get(key));
    if (lon === null || lat === null || zoom === null) return;
    const [atLon, atLat] = toLonLat(view.getCenter());
    if (round(atLon, 7) === lon && round(atLat, 7) === lat && round(view.getZoom(), 4) === zoom) return;
    view.setCenter(fromLonLat([lon, lat]));
    view.setZoom(zoom);
  });
  state.on(['graticule'], () => graticule.setVisible(state.get('graticule')));
  return map;
}

/**
 * Moves the view so that a box fills it.
 * @param {Map} map
 * @param {import('./state.js').State} state
 * @param {number[]|null} bbox [w, s, e, n]
 */
export function fitTo(map, state, bbox) {
  const view = map.getView();
  map.updateSize();
  if (bbox) view.fit(mercatorExtent(bbox), { size: map.getSize(), padding: [24, 24, 24, 24], maxZoom: 15 });
  const [lon, lat] = toLonLat(view.getCenter());
  state.set({ lon: round(lon, 7), lat: round(lat, 7), zoom: round(view.getZoom(), 4) });
}

/** @param {Map} map @returns {number[]} [w, s, e, n] of what is on screen, 4 decimals */
export const viewBbox = (map) => transformExtent(map.getView().calculateExtent(map.getSize()), 'EPSG:3857', 'EPSG:4326').map((value) => round(value, 4));

/**
 * The zoom and fit buttons over the map.
 * @param {Map} map
 * @param {import('./state.js').State} state
 */
export function bindMapButtons(map, state) {
  const zoomBy = (delta) => map.getView().animate({ zoom: map.getView().getZoom() + delta, duration: 160 });
  const actions = { 'zoom-in': () => zoomBy(1), 'zoom-out': () => zoomBy(-1), 'zoom-fit': () => fitTo(map, state, bboxOf(currentProduct(state))) };
  for (const [id, run] of Object.entries(actions)) document.getElementById(id).addEventListener('click', run);
}

/**
 * Calls `pick` with longitude, latitude and the screen pixel, for a click and for Enter on the focused map (its centre).
 * @param {Map} map
 * @param {(lonLat: [number, number], pixel: number[]) => void} pick
 */
export function bindPicking(map, pick) {
  const place = (coordinate) => toLonLat(coordinate).map((value) => round(value, 6));
  map.on('singleclick', (event) => pick(place(event.coordinate), event.pixel));
  map.getTargetElement().addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.target !== map.getTargetElement()) return;
    const [width, height] = map.getSize();
    pick(place(map.getView().getCenter()), [width / 2, height / 2]);
  });
}

/**
 * Calls `show` with the pointer's longitude and latitude, at most once a frame, and with null when it leaves.
 * @param {Map} map
 * @param {(lonLat: number[]|null) => void} show
 */
export function bindPointer(map, show) {
  map.on('pointermove', (event) => !event.dragging && show(toLonLat(event.coordinate)));
  map.getViewport().addEventListener('pointerleave', () => show(null));
}

/** Calls `fn` when the view has come to rest. @param {Map} map @param {() => void} fn */
export function onRest(map, fn) {
  map.on('moveend', debounce(fn, 350));
}
