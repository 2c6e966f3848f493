/** Choice of zone set, band and statistic, and the zones' legend. */
import { url } from './api.js';
import { bandsOf, currentProduct } from './catalog.js';
import { byId, fillSelect, h } from './dom.js';
import { number, percent, t, unitText } from './i18n.js';
import { rampLegend, swatch } from './legend.js';
import { NO_DATA, STATISTICS, hasOwnColors, statisticUnit } from './zone_scale.js';
import { rangeOfValues, statsAddress } from './zone_stats.js';

/**
 * @param {import('./state.js').State} state
 * @param {ReturnType<import('./zone_layer.js').createZoneLayer>} layer
 */
export function createZonePanel(state, layer) {
  const set = /** @type {HTMLSelectElement} */ (byId('zone-set'));
  const band = /** @type {HTMLSelectElement} */ (byId('zone-band'));
  const stat = /** @type {HTMLSelectElement} */ (byId('zone-stat'));
  const opacity = /** @type {HTMLInputElement} */ (byId('zone-opacity'));

  set.addEventListener('change', () => state.set({ zoneSet: set.value, zone: null, zoneRange: null, tab: state.get('tab') === 'zone' ? null : state.get('tab') }));
  band.addEventListener('change', () => state.set({ zoneBand: band.value, zoneRange: null }));
  stat.addEventListener('change', () => state.set({ zoneStat: stat.value, zoneRange: null }));
  opacity.addEventListener('input', () => state.set({ zoneOpacity: Number(opacity.value) }));
  byId('zone-fit').addEventListener('click', () => state.set({ zoneRange: rangeOfValues(state) }));
  byId('zone-reset').addEventListener('click', () => state.set({ zoneRange: null }));

  function draw() {
    const { catalog, zoneSet, zoneBand, zoneStat, zoneRange } = { ...state.view(), catalog: state.get('catalog') };
    if (!catalog) return;
    const product = currentProduct(state);
    const none = catalog.zoneSets.length === 0;
    byId('zones-none').hidden = !none;
    byId('zones-form').hidden = none;
    byId('zones-stat-form').hidden = !zoneSet || !product;
    fillSelect(set, [{ value: '', label: t('zones.no_set') }, ...catalog.zoneSets.map((one) => ({ value: one.id, label: `${one.title ?? one.id} (${number(one.zones, 9)})` }))], zoneSet ?? '');
    fillSelect(stat, [{ value: '', label: t('stat.none') }, ...STATISTICS.map((name) => ({ value: name, label: t(`stat.${name}`) }))], zoneStat);
    fillSelect(band, bandsOf(product).map((one) => ({ value: one.name, label: one.title ?? one.name })), zoneBand ?? '');
    byId('zone-colours').hidden = !zoneStat;
    const own = hasOwnColors(product, zoneBand, zoneStat);
    byId('zone-reset').hidden = !own || zoneRange === null;
    byId('zones-too-many').hidden = !layer.tooMany();
  }

  function drawLegend() {
    const scale = state.get('zoneScale');
    const holder = byId('zone-legend');
    byId('zone-tools').hidden = !scale;
    if (!scale) return holder.replaceChildren();
    const { zoneBand, zoneStat } = state.view();
    const product = currentProduct(state);
    const bandTitle = bandsOf(product).find((one) => one.name === zoneBand)?.title ?? zoneBand;
    const title = `${t(`stat.${zoneStat}`)} · ${bandTitle}${unitText(statisticUnit(zoneStat, product, zoneBand))}`;
    holder.replaceChildren(rampLegend(scale.stops, title), h('ul', { class: 'swatches' }, swatch(NO_DATA, t('legend.no_data'))));
    const [path, query] = statsAddress(state);
    byId('zone-csv').setAttribute('href', url(path, { ...query, f: 'csv' }));
  }

  function drawOpacity() {
    opacity.value = String(state.get('zoneOpacity'));
    byId('zone-opacity-value').textContent = percent(state.get('zoneOpacity'));
  }

  state.on(['catalog', 'strings', 'product', 'zoneSet', 'zoneBand', 'zoneStat', 'zoneRange'], draw);
  state.on(['zoneScale', 'strings', 'date'], drawLegend);
  state.on(['zoneOpacity', 'strings'], drawOpacity);
  layer.onChange(draw);
}
