/** The date slider with its bars of clear share, and play / pause. */
import { byId, h, s } from './dom.js';
import { dateIndex, nextDate } from './dates.js';
import { percent, t } from './i18n.js';

const FRAME_MS = 900;
const MAX_MARKS = 10;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A few dates to write under the slider: the first of each year, thinned.
 * @param {import('./dates.js').DateEntry[]} entries
 * @param {number} limit
 * @returns {{index: number, text: string}[]}
 */
function marks(entries, limit) {
  const years = [];
  entries.forEach(({ datetime }, index) => {
    const text = datetime.slice(0, 4);
    if (years.at(-1)?.text !== text) years.push({ index, text });
  });
  const every = Math.ceil(years.length / limit);
  return years.filter((_, i) => i % every === 0);
}

/**
 * @param {import('./state.js').State} state
 * @param {{settled: () => Promise<void>}} frames
 */
export function createTimeline(state, frames) {
  const root = byId('timeline');
  const slider = /** @type {HTMLInputElement} */ (byId('date-slider'));
  const label = byId('date-label');
  const note = byId('date-note');
  const play = byId('play');
  const entries = () => state.get('dates')?.entries ?? [];

  /** @param {number} index */
  const go = (index) => {
    const entry = entries()[Math.max(0, Math.min(entries().length - 1, index))];
    if (entry) state.set({ date: entry.datetime });
  };
  const stop = () => state.set({ playing: false });

  /** Where a thumb at `index` has its centre, as a CSS length. */
  const offset = (index) => `calc(var(--thumb) / 2 + (100% - var(--thumb)) * ${entries().length > 1 ? index / (entries().length - 1) : 0.5})`;

  function drawTicks() {
    const limit = Math.max(2, Math.min(MAX_MARKS, Math.floor(slider.clientWidth / 56)));
    byId('date-ticks').replaceChildren(
      ...marks(entries(), limit).map(({ index, text }) => {
        const mark = h('span', {}, text);
        mark.style.left = offset(index);
        return mark;
      }),
    );
  }

  function drawBars() {
    const holder = byId('date-bars');
    const list = entries();
    const known = list.some((entry) => entry.clear !== null);
    holder.toggleAttribute('hidden', !known);
    if (!known) return;
    const chart = s('svg', { viewBox: `0 0 ${list.length} 1`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    list.forEach((entry, i) => entry.clear !== null && chart.append(s('rect', { x: i + 0.1, y: 1 - entry.clear, width: 0.8, height: entry.clear })));
    holder.replaceChildren(chart);
  }

  function drawList() {
    const list = entries();
    root.hidden = list.length === 0 && state.get('dates') !== null;
    slider.max = String(Math.max(0, list.length - 1));
    slider.disabled = list.length < 2;
    for (const id of ['play', 'previous', 'next']) byId(id).toggleAttribute('disabled', list.length < 2);
    drawTicks();
    drawBars();
    drawDate();
  }

  function drawDate() {
    const index = dateIndex(state);
    const entry = entries()[index];
    slider.value = String(index);
    label.textContent = entry?.label ?? '';
    const parts = [entry?.platforms.join(', '), entry && entry.clear !== null && t('timeline.clear', { share: percent(entry.clear) })];
    note.textContent = parts.filter(Boolean).join(' · ');
    slider.setAttribute('aria-valuetext', [label.textContent, note.textContent].filter(Boolean).join(', '));
  }

  function drawPlay() {
    const playing = state.get('playing');
    const text = t(playing ? 'timeline.pause' : 'timeline.play');
    play.setAttribute('aria-label', text);
    play.title = text;
    play.classList.toggle('playing', playing);
  }

  let running = false;

  async function run() {
    if (running) return;
    running = true;
    while (state.get('playing')) {
      state.set({ date: nextDate(state) });
      await Promise.all([frames.settled(), sleep(FRAME_MS)]);
    }
    running = false;
  }

  slider.addEventListener('input', () => {
    stop();
    go(Number(slider.value));
  });
  byId('previous').addEventListener('click', () => (stop(), go(dateIndex(state) - 1)));
  byId('next').addEventListener('click', () => (stop(), go(dateIndex(state) + 1)));
  play.addEventListener('click', () => state.set({ playing: !state.get('playing') }));

  state.on(['playing'], () => {
    drawPlay();
    if (state.get('playing')) run();
  });
  state.on(['product'], stop);
  state.on(['dates', 'strings'], drawList);
  state.on(['date'], drawDate);
  state.on(['strings'], drawPlay);
  new ResizeObserver(drawTicks).observe(slider);
}
