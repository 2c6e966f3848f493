/** Product, style, opacity and legend. */
import { bandsOf, currentProduct, currentStyle, stylesOf, validChoices } from './catalog.js';
import { byId, fillSelect, h } from './dom.js';
import { has, percent, t } from './i18n.js';
import { legendOf } from './legend.js';

/** @param {any} product */
function badges(product) {
  const status = product?.['tesela:status'];
  const grid = product?.['tesela:grid'];
  const texts = [status && (has(`status.${status}`) ? t(`status.${status}`) : status), grid && `${grid.resolution_m} m`, grid?.crs];
  return texts.filter(Boolean).map((text, i) => h('span', { class: `badge ${i === 0 && status ? `badge-${status}` : ''}` }, text));
}

/** @param {import('./state.js').State} state */
export function createProductPanel(state) {
  const product = /** @type {HTMLSelectElement} */ (byId('product'));
  const style = /** @type {HTMLSelectElement} */ (byId('style'));
  const opacity = /** @type {HTMLInputElement} */ (byId('opacity'));

  product.addEventListener('change', () => {
    const choices = validChoices(state.get('catalog'), { ...state.view(), product: product.value, style: null });
    state.set({ ...choices, series: null, zoneRange: null });
  });
  style.addEventListener('change', () => state.set({ style: style.value }));
  opacity.addEventListener('input', () => state.set({ opacity: Number(opacity.value) }));

  function draw() {
    const catalog = state.get('catalog');
    if (!catalog) return;
    const current = currentProduct(state);
    const kinds = new Set(catalog.products.map((one) => one['tesela:kind']));
    fillSelect(
      product,
      catalog.products.map((one) => ({ value: one.id, label: one.title ?? one.id, group: kinds.size > 1 ? t(`kind.${one['tesela:kind']}`) : '' })),
      state.get('product') ?? '',
    );
    fillSelect(style, stylesOf(current).map((one) => ({ value: one.name, label: one.title ?? one.name })), state.get('style') ?? '');
    byId('product-badges').replaceChildren(...badges(current));
    byId('product-about').textContent = current?.description ?? '';
    byId('product-panel').hidden = catalog.products.length === 0;
    byId('legend').replaceChildren(legendOf(currentStyle(state)?.legend, bandsOf(current)) ?? '');
  }

  function drawOpacity() {
    opacity.value = String(state.get('opacity'));
    byId('opacity-value').textContent = percent(state.get('opacity'));
  }

  state.on(['catalog', 'product', 'style', 'strings'], draw);
  state.on(['opacity', 'strings'], drawOpacity);
}
