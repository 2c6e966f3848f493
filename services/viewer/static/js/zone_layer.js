/** The zones' polygons on the map. Large sets are fetched for the view only. */
import { Fill, GeoJSON, Stroke, Style, VectorLayer, VectorSource } from '../vendor/ol.js';
import { getJson, latestOnly, segment } from './api.js';
import { currentZoneSet } from './catalog.js';
import { onRest, viewBbox, Z } from './map.js';
import { toastError } from './toasts.js';
import { zoneColor } from './zone_stats.js';

const PAGE = 1000;
/** More polygons than this are not fetched at once: the reader is asked to zoom in. */
const MOST = 5000;

const format = new GeoJSON({ featureProjection: 'EPSG:3857' });
const THIN_OUTLINE_RESOLUTION = 12;
/** Nearly clear, so that a click anywhere inside an outline finds its zone. */
const clear = new Fill({ color: 'rgba(255,255,255,0.01)' });
const outline = new Style({ stroke: new Stroke({ color: '#33505c', width: 1.25 }), fill: clear });
const thinOutline = new Style({ stroke: new Stroke({ color: 'rgba(51,80,92,0.6)', width: 0.6 }), fill: clear });
const chosen = [new Style({ stroke: new Stroke({ color: '#fff', width: 5 }) }), new Style({ stroke: new Stroke({ color: '#d1495b', width: 2.5 }) })];

/** One style per colour and outline width. */
function styleCache() {
  /** @type {Map<string, Style>} */
  const cache = new Map();
  return (color, thin) => {
    const key = `${color}${thin}`;
    if (!cache.has(key)) cache.set(key, new Style({ fill: new Fill({ color }), stroke: new Stroke({ color: 'rgba(255,255,255,0.75)', width: thin ? 0.3 : 1 }) }));
    return cache.get(key);
  };
}

/**
 * All pages of a set's polygons, in a box if one is given.
 * @param {string} set @param {string|null} bbox @param {AbortSignal} signal
 * @returns {Promise<object[]|null>} null when there are too many
 */
async function fetchZones(set, bbox, signal) {
  const features = [];
  for (;;) {
    const page = await getJson(`collections/${segment(set)}/items`, { limit: PAGE, bbox, offset: features.length || null }, signal);
    const matched = page.numberMatched ?? page.features.length;
    if (matched > MOST) return null;
    features.push(...page.features);
    if (page.features.length === 0 || features.length >= matched) return features;
  }
}

/**
 * @param {any} map
 * @param {import('./state.js').State} state
 * @returns {{keyAt: (pixel: number[]) => string|null, tooMany: () => boolean, onChange: (fn: () => void) => void}}
 */
export function createZoneLayer(map, state) {
  const source = new VectorSource();
  const styleOf = styleCache();
  const style = (feature, resolution) => {
    const color = zoneColor(state, String(feature.getId()));
    const thin = resolution > THIN_OUTLINE_RESOLUTION;
    if (color) return styleOf(color, thin);
    return thin ? thinOutline : outline;
  };
  const layer = new VectorLayer({ source, style, zIndex: Z.zones, className: 'layer-zones' });
  const chosenSource = new VectorSource();
  map.addLayer(layer);
  map.addLayer(new VectorLayer({ source: chosenSource, style: chosen, zIndex: Z.chosenZone, className: 'layer-chosen' }));

  const latest = latestOnly();
  const listeners = [];
  let loadedSet = '';
  let tooMany = false;

  const inViewOnly = () => (currentZoneSet(state)?.zones ?? 0) > MOST;

  function markChosen() {
    const feature = state.get('zone') === null ? null : source.getFeatureById(state.get('zone'));
    chosenSource.clear();
    if (feature) chosenSource.addFeature(feature.clone());
  }

  async function load() {
    const set = currentZoneSet(state);
    const id = set?.id ?? '';
    if (!id) {
      latest(async () => undefined);
      loadedSet = '';
      tooMany = false;
      source.clear();
      markChosen();
      return;
    }
    const bbox = inViewOnly() ? viewBbox(map).join(',') : null;
    try {
      const answer = await latest((signal) => fetchZones(id, bbox, signal));
      if (answer === undefined) return;
      loadedSet = id;
      tooMany = answer === null;
      source.clear(true);
      if (answer) source.addFeatures(format.readFeatures({ type: 'FeatureCollection', features: answer }));
      markChosen();
    } catch (error) {
      toastError(error);
    }
    listeners.forEach((listener) => listener());
  }

  state.on(['catalog', 'zoneSet'], () => {
    if ((currentZoneSet(state)?.id ?? '') !== loadedSet) load();
  });
  onRest(map, () => inViewOnly() && load());
  state.on(['zone'], markChosen);
  state.on(['zoneScale', 'zoneStats', 'zoneStat'], () => layer.changed());
  state.on(['zoneOpacity'], () => layer.setOpacity(state.get('zoneOpacity')));

  return {
    keyAt: (pixel) => map.forEachFeatureAtPixel(pixel, (feature) => String(feature.getId()), { layerFilter: (one) => one === layer }) ?? null,
    tooMany: () => tooMany,
    onChange: (listener) => listeners.push(listener),
  };
}
