/** Short messages over the map: errors of the server in its own words, and notices. */
import { byId, h, icon } from './dom.js';
import { ApiError } from './api.js';
import { t } from './i18n.js';

const LIFE_MS = 9000;

/**
 * @param {string} title
 * @param {{detail?: string, kind?: 'error'|'info', action?: {label: string, run: () => void}}} [options]
 */
export function toast(title, { detail = '', kind = 'info', action } = {}) {
  const holder = byId('toasts');
  const text = `${title}\n${detail}`;
  for (const shown of holder.children) if (shown.dataset.text === text) return;
  const close = () => box.remove();
  const box = h(
    'div',
    { class: `toast toast-${kind}`, role: kind === 'error' ? 'alert' : 'status', data: { text } },
    h('div', { class: 'toast-text' }, h('strong', {}, title), detail && h('span', {}, detail)),
    action && h('button', { type: 'button', class: 'button', on: { click: action.run } }, action.label),
    h('button', { type: 'button', class: 'icon-button', 'aria-label': t('close'), on: { click: close } }, icon('close')),
  );
  holder.append(box);
  if (!action) setTimeout(close, LIFE_MS);
}

/**
 * Shows what went wrong; what is not a server's or network's fault is rethrown.
 * @param {unknown} error
 */
export function toastError(error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 0) toast(t('error.network'), { kind: 'error' });
  else toast(error.title, { detail: error.detail, kind: 'error' });
}
