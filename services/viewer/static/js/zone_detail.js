/** The chosen zone: its row of the statistics table, and its series over the years. */
import { getJson, latestOnly, segment } from './api.js';
import { bandsOf, currentProduct } from './catalog.js';
import { createChart } from './chart.js';
import { dateLabel } from './dates.js';
import { byId, h } from './dom.js';
import { has, number, percent, t, unitText } from './i18n.js';
import { COMPOSITE } from './platforms.js';
import { toastError } from './toasts.js';
import { statisticUnit } from './zone_scale.js';

const area = (value) => (value === null || value === undefined ? '–' : `${number(value, 6)} m²`);
const plain = (value) => number(value, 5);
const word = (kind) => (value) => (value ? (has(`${kind}.${value}`) ? t(`${kind}.${value}`) : value) : '–');

/** Columns of the row, in this order, with how each is written. */
const COLUMNS = {
  mean: plain, median: plain, min: plain, max: plain, sd: plain, count: plain, coverage: percent,
  valid_area_m2: area, area_m2: area, clear_obs_mean: plain, emad_mean: plain, method: word('method'), status: word('status'),
};

/** @param {import('./state.js').State} state */
export function createZoneDetail(state) {
  const chart = createChart(byId('zone-chart'));
  const latest = latestOnly();
  let answer = null;
  let askedFor = '';

  const statistic = () => state.get('zoneStat') || 'mean';

  async function load() {
    const { tab, zone, zoneSet, zoneBand, product } = state.view();
    if (tab !== 'zone' || !zone || !zoneSet || !zoneBand || !currentProduct(state)) return;
    const asked = JSON.stringify([zoneSet, zone, product, zoneBand]);
    if (asked === askedFor) return draw();
    askedFor = asked;
    try {
      const path = `v1/zones/${segment(zoneSet)}/items/${segment(zone)}/series`;
      const next = await latest((signal) => getJson(path, { product, band: zoneBand }, signal));
      if (next === undefined) return;
      answer = next;
    } catch (error) {
      answer = null;
      askedFor = '';
      toastError(error);
    }
    draw();
  }

  function drawRow() {
    const row = answer?.rows.find((one) => one.datetime === state.get('date'));
    const list = byId('zone-row');
    if (!row) return list.replaceChildren(h('dt', {}, t('zone.no_row')));
    const cells = Object.entries(COLUMNS).filter(([name]) => row[name] !== undefined);
    list.replaceChildren(
      ...cells.map(([name, write]) => h('div', { class: name === statistic() ? 'lead' : '' }, h('dt', {}, t(`stat.${name}`)), h('dd', { data: { stat: name } }, write(row[name])))),
      row.reason ? h('div', { class: 'wide' }, h('dt', {}, t('zone.reason')), h('dd', {}, row.reason)) : '',
    );
  }

  function draw() {
    if (!state.get('strings')) return;
    const product = currentProduct(state);
    const { zone, zoneBand, date } = state.view();
    const bandTitle = bandsOf(product).find((band) => band.name === zoneBand)?.title ?? zoneBand;
    byId('zone-key').textContent = answer?.key ?? zone ?? '';
    byId('zone-title').textContent = `${t(`stat.${statistic()}`)} · ${bandTitle ?? ''}`;
    if (!answer) {
      byId('zone-row').replaceChildren();
      return chart.draw(null);
    }
    drawRow();
    const unit = unitText(statisticUnit(statistic(), product, zoneBand));
    const points = answer.rows
      .filter((row) => Number.isFinite(row[statistic()]))
      .map((row) => ({
        datetime: row.datetime, value: row[statistic()], used: true, platform: null, color: COMPOSITE,
        lines: [dateLabel(state, row.datetime), `${number(row[statistic()], 5)}${unit}`, `${t('stat.coverage')}: ${percent(row.coverage)}`],
      }));
    byId('zone-empty').hidden = points.length > 0;
    byId('zone-chart').hidden = points.length === 0;
    chart.draw({ points, title: t('zone.chart', { zone, title: byId('zone-title').textContent, n: points.length }), connect: true, current: date, choose: (datetime) => state.set({ date: datetime }) });
  }

  state.on(['catalog', 'product', 'zoneSet', 'zoneBand', 'zone', 'tab'], load);
  state.on(['zoneStat', 'date', 'dates', 'strings'], draw);
}
