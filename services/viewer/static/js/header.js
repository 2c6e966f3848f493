/** The bar at the top: language, link, layers button on small screens; the notice of synthetic data; the progress line. */
import { events } from './api.js';
import { byId, fillSelect } from './dom.js';
import { languageName, t } from './i18n.js';
import { format } from './permalink.js';
import { toast } from './toasts.js';

/** Requests shorter than this do not show as progress. */
const SHOW_AFTER_MS = 150;

function bindProgress() {
  let timer = 0;
  events.addEventListener('busy', ({ detail }) => {
    clearTimeout(timer);
    const show = () => {
      byId('progress').hidden = detail === 0;
      byId('map').setAttribute('aria-busy', String(detail > 0));
    };
    timer = window.setTimeout(show, SHOW_AFTER_MS);
  });
}

function bindSidebar() {
  const button = byId('layers');
  const set = (open) => {
    document.body.classList.toggle('sidebar-open', open);
    button.setAttribute('aria-expanded', String(open));
  };
  button.addEventListener('click', () => set(!document.body.classList.contains('sidebar-open')));
  byId('sidebar-close').addEventListener('click', () => {
    set(false);
    button.focus();
  });
  byId('sidebar').addEventListener('keydown', (event) => event.key === 'Escape' && byId('sidebar-close').click());
}

/**
 * @param {import('./state.js').State} state
 * @param {string[]} languages
 */
export function createHeader(state, languages) {
  const language = /** @type {HTMLSelectElement} */ (byId('language'));
  fillSelect(language, languages.map((code) => ({ value: code, label: languageName(code) })), state.get('lang'));
  language.addEventListener('change', () => state.set({ lang: language.value }));
  state.on(['lang'], () => (language.value = state.get('lang')));

  byId('share').addEventListener('click', async () => {
    const link = location.href.split('#')[0] + format(state.view());
    try {
      await navigator.clipboard.writeText(link);
      toast(t('share.done'));
    } catch {
      toast(t('share.by_hand'), { detail: link }); // clipboards need a secure origin
    }
  });

  const graticule = /** @type {HTMLInputElement} */ (byId('graticule'));
  graticule.checked = state.get('graticule');
  graticule.addEventListener('change', () => state.set({ graticule: graticule.checked }));
  state.on(['graticule'], () => (graticule.checked = state.get('graticule')));

  state.on(['catalog'], () => {
    byId('synthetic').hidden = !state.get('catalog').synthetic;
    byId('empty').hidden = state.get('catalog').products.length > 0;
  });
  byId('skip').addEventListener('click', (event) => {
    event.preventDefault(); // the fragment belongs to the permalink
    byId('map').focus();
  });
  bindProgress();
  bindSidebar();
}
