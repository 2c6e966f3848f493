/** The chosen pixel: where it is, and its time series. */
import { getJson, latestOnly, url } from './api.js';
import { currentProduct, isScenes } from './catalog.js';
import { createChart } from './chart.js';
import { dateLabel } from './dates.js';
import { byId, fillSelect, h } from './dom.js';
import { date, fixed, number, t, unitText } from './i18n.js';
import { platformColors } from './platforms.js';
import { EXPRESSION, seriesOptions, seriesQuery, seriesTitle, validSeries } from './series_choice.js';
import { toastError } from './toasts.js';

/** Where a pixel lies on its grid, in words. @param {any} place `location` of the server's answer */
function placeText({ lon, lat, crs, x, y, tile, col, row }) {
  const parts = [`${fixed(lat, 5)}, ${fixed(lon, 5)}`];
  if (crs) parts.push(`${crs}  x ${number(Math.round(x), 9)}  y ${number(Math.round(y), 9)}`);
  if (tile) parts.push(t('place.tile', { tile: tile.join(', '), col, row }));
  return parts.join('   ·   ');
}

/** @param {import('./state.js').State} state */
export function createPixelPanel(state) {
  const chooser = /** @type {HTMLSelectElement} */ (byId('series'));
  const expression = /** @type {HTMLInputElement} */ (byId('expression'));
  const masked = /** @type {HTMLInputElement} */ (byId('masked'));
  const chart = createChart(byId('pixel-chart'));
  const latest = latestOnly();
  let answer = null;
  let refusal = '';
  let askedFor = '';
  let editing = false;

  const series = () => validSeries(currentProduct(state), state.get('style'), state.get('series'));

  function address() {
    const product = currentProduct(state);
    const [lon, lat] = state.get('point');
    return ['v1/series', { lon, lat, product: product.id, ...seriesQuery(product, series()), masked: 'keep' }];
  }

  async function load() {
    if (state.get('tab') !== 'pixel' || !state.get('point') || !currentProduct(state)) return;
    const [path, query] = address();
    const key = url(path, query);
    if (key === askedFor) return drawChart();
    askedFor = key;
    try {
      const next = await latest((signal) => getJson(path, query, signal));
      if (next === undefined) return;
      answer = next;
      refusal = '';
    } catch (error) {
      answer = null;
      refusal = error.status === 0 ? t('error.network') : error.message;
      askedFor = '';
      toastError(error);
    }
    drawChart();
  }

  /** @returns {import('./chart.js').ChartPoint[]} */
  function points() {
    const name = answer.bands[0].name;
    const unit = unitText(answer.bands[0].unit);
    const shown = answer.observations.filter((one) => Number.isFinite(one.values[name]) && (one.used || state.get('masked')));
    const colors = platformColors(answer.observations.map((one) => one.platform));
    const scenes = isScenes(currentProduct(state));
    return shown.map(({ datetime, platform, values, used, reason }) => ({
      datetime,
      value: values[name],
      used,
      platform,
      color: colors.get(platform),
      lines: [
        scenes ? date(datetime) : dateLabel(state, datetime),
        `${number(values[name], 5)}${unit}`,
        ...(platform ? [platform] : []),
        ...(used ? [] : [t('series.unused', { reason: reason ?? t('series.masked') })]),
      ],
    }));
  }

  function drawKey(list) {
    const platforms = platformColors(list.map((point) => point.platform));
    const items = [...platforms].filter(([name]) => name).sort().map(([name, color]) => {
      const dot = h('span', { class: 'dot' });
      dot.style.background = color;
      return h('li', {}, dot, name);
    });
    if (list.some((point) => !point.used)) items.push(h('li', {}, h('span', { class: 'dot dot-hollow' }), t('series.masked')));
    byId('pixel-key').replaceChildren(...items);
  }

  function drawChart() {
    const product = currentProduct(state);
    const list = answer && product ? points() : [];
    byId('pixel-place').textContent = answer ? placeText(answer.location) : '';
    byId('pixel-empty').hidden = list.length > 0 || !(answer || refusal);
    byId('pixel-empty').textContent = refusal || t('series.none');
    byId('pixel-chart').hidden = list.length === 0;
    drawKey(list);
    byId('masked-label').hidden = !answer?.observations.some((one) => !one.used);
    if (!product || !state.get('point')) return chart.draw(null);
    byId('pixel-csv').setAttribute('href', url(...withCsv(address())));
    const title = `${seriesTitle(product, series())}${unitText(answer?.bands[0].unit)}`;
    byId('pixel-title').textContent = title;
    chart.draw({ points: list, title: t('series.chart', { title, n: list.length }), connect: true, current: state.get('date'), choose: (datetime) => choose(datetime) });
  }

  const withCsv = ([path, query]) => /** @type {[string, Record<string, any>]} */ ([path, { ...query, f: 'csv' }]);

  /** Shows the map of an observation's date, when the slider has it. */
  function choose(datetime) {
    if (state.get('dates')?.entries.some((entry) => entry.datetime === datetime)) state.set({ date: datetime });
  }

  function drawForm() {
    const product = currentProduct(state);
    if (!product || !state.get('strings')) return;
    const current = series();
    const own = editing || current.startsWith(EXPRESSION);
    fillSelect(chooser, seriesOptions(product), own ? EXPRESSION : current);
    expression.hidden = !own;
    if (current.startsWith(EXPRESSION)) expression.value = current.slice(EXPRESSION.length);
    masked.checked = state.get('masked');
  }

  chooser.addEventListener('change', () => {
    editing = chooser.value === EXPRESSION;
    if (!editing) return state.set({ series: chooser.value });
    drawForm();
    expression.focus();
  });
  expression.addEventListener('change', () => expression.value.trim() && state.set({ series: EXPRESSION + expression.value.trim() }));
  masked.addEventListener('change', () => state.set({ masked: masked.checked }));

  state.on(['product'], () => (editing = false));
  state.on(['catalog', 'product', 'style', 'series', 'strings', 'masked'], drawForm);
  state.on(['catalog', 'product', 'style', 'series', 'point', 'tab'], load);
  state.on(['masked', 'date', 'dates', 'strings'], drawChart);
}
