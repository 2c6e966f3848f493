/** The lower panel with its two tabs: pixel and zone. */
import { byId } from './dom.js';

const TABS = /** @type {const} */ (['pixel', 'zone']);

/** @param {import('./state.js').State} state */
export function createDock(state) {
  const root = byId('dock');

  function draw() {
    const { tab, point, zone } = state.view();
    const open = (tab === 'pixel' && point !== null) || (tab === 'zone' && zone !== null);
    root.hidden = !open;
    byId('tab-zone').hidden = zone === null;
    byId('tab-pixel').hidden = point === null;
    for (const name of TABS) {
      const selected = name === tab;
      byId(`tab-${name}`).setAttribute('aria-selected', String(selected));
      byId(`tab-${name}`).tabIndex = selected ? 0 : -1;
      byId(`page-${name}`).hidden = !selected;
    }
  }

  for (const name of TABS) byId(`tab-${name}`).addEventListener('click', () => state.set({ tab: name }));
  byId('tabs').addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    const other = state.get('tab') === 'pixel' ? 'zone' : 'pixel';
    if (byId(`tab-${other}`).hidden) return;
    state.set({ tab: other });
    byId(`tab-${other}`).focus();
  });
  byId('dock-close').addEventListener('click', () => {
    state.set({ tab: null, point: null, zone: null });
    byId('map').focus();
  });

  state.on(['tab', 'point', 'zone'], draw);
}
