/**
 * A time chart in SVG. Every observation is a circle that carries `data-datetime`, `data-value`, `data-used` and
 * `data-platform`; masked ones are hollow. Pointer or arrow keys read values; a click or Enter chooses the date.
 *
 * @typedef {{datetime: string, value: number, used: boolean, platform: string|null, color: string, lines: string[]}} ChartPoint
 * @typedef {{points: ChartPoint[], title: string, connect: boolean, current: string|null, choose: (datetime: string) => void}} ChartData
 */
import { timeRange, timeTicks, valueRange } from './chart_scale.js';
import { h, s } from './dom.js';
import { date, number } from './i18n.js';
import { ticks } from './ramp.js';

const MARGIN = { top: 12, right: 16, bottom: 26, left: 52 };
const NEAR_PX = 30;

/** @param {HTMLElement} holder emptied and filled by each `draw` */
export function createChart(holder) {
  /** @type {ChartData|null} */
  let data = null;
  const tip = h('div', { class: 'chart-tip', hidden: true });
  const spoken = h('p', { class: 'visually-hidden', 'aria-live': 'polite' });
  const plot = h('div', { class: 'chart-plot' });
  holder.append(plot, tip, spoken);

  /** Pixel positions of the drawn points, in date order. @type {{point: ChartPoint, x: number, y: number}[]} */
  let placed = [];
  let focus = -1;
  let ring = null;

  function axes(x, y, [t0, t1], [v0, v1], width, height) {
    const group = s('g', { class: 'chart-axes', 'aria-hidden': 'true' });
    for (const value of ticks(v0, v1, Math.max(2, Math.floor(height / 32))).filter((one) => one >= v0 && one <= v1)) {
      group.append(
        s('line', { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value), class: value === 0 ? 'zero' : '' }),
        s('text', { x: MARGIN.left - 8, y: y(value) + 4, 'text-anchor': 'end' }, number(value, 5)),
      );
    }
    for (const { time, format } of timeTicks(t0, t1, Math.max(2, Math.floor(width / 84)))) {
      group.append(
        s('line', { x1: x(time), x2: x(time), y1: height - MARGIN.bottom, y2: height - MARGIN.bottom + 5, class: 'tick' }),
        s('text', { x: x(time), y: height - 6, 'text-anchor': 'middle' }, date(time, format)),
      );
    }
    return group;
  }

  /** @param {number} index */
  function read(index) {
    focus = index;
    const at = placed[index];
    tip.hidden = !at;
    ring?.setAttribute('visibility', at ? 'visible' : 'hidden');
    if (!at) return;
    ring.setAttribute('cx', at.x);
    ring.setAttribute('cy', at.y);
    const [head, ...rest] = at.point.lines;
    tip.replaceChildren(h('strong', {}, head), ...rest.map((line) => h('span', {}, line)));
    const right = at.x > plot.clientWidth / 2;
    tip.style.left = right ? '' : `${at.x + 14}px`;
    tip.style.right = right ? `${plot.clientWidth - at.x + 14}px` : '';
    tip.style.top = `${Math.max(0, Math.min(at.y - 24, plot.clientHeight - tip.offsetHeight))}px`;
  }

  /** @param {PointerEvent} event */
  function nearest(event) {
    const box = plot.getBoundingClientRect();
    const [px, py] = [event.clientX - box.left, event.clientY - box.top];
    let best = -1;
    let bestDistance = NEAR_PX;
    placed.forEach(({ x, y }, i) => {
      const distance = Math.hypot(x - px, (y - py) / 2);
      if (distance < bestDistance) [best, bestDistance] = [i, distance];
    });
    return best;
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const start = focus < 0 ? placed.findIndex(({ point }) => point.datetime === data.current) : focus;
    const moves = { ArrowRight: Math.min(placed.length - 1, start + 1), ArrowLeft: Math.max(0, start - 1), Home: 0, End: placed.length - 1 };
    if (event.key in moves) {
      read(moves[event.key]);
      spoken.textContent = placed[focus]?.point.lines.join(', ') ?? '';
    } else if (event.key === 'Enter' && placed[focus]) data.choose(placed[focus].point.datetime);
    else if (event.key === 'Escape') read(-1);
    else return;
    event.preventDefault();
  }

  function render() {
    placed = [];
    plot.replaceChildren();
    read(-1);
    const [width, height] = [plot.clientWidth, plot.clientHeight];
    if (!data || data.points.length === 0 || width < 80 || height < 60) return;
    const [t0, t1] = timeRange(data.points.map((point) => Date.parse(point.datetime)));
    const [v0, v1] = valueRange(data.points.map((point) => point.value));
    const x = (time) => MARGIN.left + ((time - t0) / (t1 - t0)) * (width - MARGIN.left - MARGIN.right);
    const y = (value) => height - MARGIN.bottom - ((value - v0) / (v1 - v0)) * (height - MARGIN.top - MARGIN.bottom);
    placed = data.points.map((point) => ({ point, x: x(Date.parse(point.datetime)), y: y(point.value) }));

    const svg = s('svg', { class: 'chart', width, height, role: 'img', tabindex: '0', 'aria-label': data.title, on: { keydown: onKey, blur: () => read(-1) } });
    svg.append(axes(x, y, [t0, t1], [v0, v1], width, height));
    const current = data.current ? x(Date.parse(data.current)) : NaN;
    if (current >= MARGIN.left && current <= width - MARGIN.right) svg.append(s('line', { class: 'now', x1: current, x2: current, y1: MARGIN.top, y2: height - MARGIN.bottom }));
    const used = placed.filter(({ point }) => point.used);
    if (data.connect && used.length > 1) svg.append(s('polyline', { class: 'line', points: used.map((at) => `${at.x.toFixed(1)},${at.y.toFixed(1)}`).join(' ') }));
    const radius = placed.length > 150 ? 3 : 4.5;
    for (const { point, x: cx, y: cy } of placed) {
      const { datetime, value, used: isUsed, platform, color } = point;
      svg.append(s('circle', { class: isUsed ? 'used' : 'masked', cx: cx.toFixed(1), cy: cy.toFixed(1), r: radius, fill: isUsed ? color : 'none', stroke: color, data: { datetime, value, used: isUsed, platform: platform ?? '' } }));
    }
    ring = s('circle', { class: 'ring', r: radius + 4, visibility: 'hidden' });
    svg.append(ring);
    plot.append(svg);
  }

  plot.addEventListener('pointermove', (event) => read(nearest(event)));
  plot.addEventListener('pointerleave', () => read(-1));
  plot.addEventListener('click', (event) => {
    const index = nearest(event);
    if (index >= 0) data.choose(placed[index].point.datetime);
  });
  new ResizeObserver(render).observe(plot);

  return {
    /** @param {ChartData|null} next */
    draw(next) {
      data = next;
      render();
    },
  };
}
