/** The line under the map: where the pointer is, in degrees and on the product's grid, and the snapshot answered from. */
import { currentSnapshot, events } from './api.js';
import { currentProduct } from './catalog.js';
import { byId } from './dom.js';
import { gridPlace } from './grid.js';
import { fixed, number, t } from './i18n.js';
import { bindPointer } from './map.js';
import { toast } from './toasts.js';

/**
 * @param {any} map
 * @param {import('./state.js').State} state
 */
export function createStatusBar(map, state) {
  /** @type {number[]|null} */
  let pointer = null;

  function drawPlace() {
    const centre = state.get('lon') === null ? null : [state.get('lon'), state.get('lat')];
    const lonLat = pointer ?? centre;
    byId('place-kind').textContent = t(pointer ? 'place.pointer' : 'place.centre');
    byId('place-degrees').textContent = lonLat ? `${fixed(lonLat[1], 5)}, ${fixed(lonLat[0], 5)}` : '';
    const place = lonLat && gridPlace(currentProduct(state)?.['tesela:grid'], lonLat);
    byId('place-grid').textContent = place ? `${place.crs}  x ${number(Math.round(place.x), 9)}  y ${number(Math.round(place.y), 9)}` : '';
    byId('place-tile').textContent = place ? t('place.tile', { tile: place.tile.join(', '), col: place.col, row: place.row }) : '';
  }

  function drawSnapshot() {
    byId('snapshot').textContent = currentSnapshot() ? t('snapshot.label', { n: currentSnapshot() }) : '';
  }

  bindPointer(map, (lonLat) => {
    pointer = lonLat;
    drawPlace();
  });
  events.addEventListener('snapshot', ({ detail }) => {
    if (state.get('strings')) drawSnapshot();
    if (detail.previous) toast(t('snapshot.newer'), { action: { label: t('snapshot.reload'), run: () => location.reload() } });
  });
  state.on(['strings'], drawSnapshot);
  state.on(['strings', 'lon', 'lat', 'product', 'catalog'], drawPlace);
}
