/** Talks to the server: same origin only, JSON in, problem+json errors out. */

const BASE = new URL('.', document.baseURI);

/** What the server refused or failed to do. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 = no answer at all
   * @param {string} title
   * @param {string} [detail]
   */
  constructor(status, title, detail = '') {
    super(detail ? `${title}: ${detail}` : title);
    this.status = status;
    this.title = title;
    this.detail = detail;
  }
}

/** Tells `snapshot` (a newer commit was seen) and `busy` (requests under way: 0 or more). */
export const events = new EventTarget();

let snapshot = 0;
let pending = 0;
let language = 'en';

/** @param {string} lang used for `Accept-Language` in every request */
export function setLanguage(lang) {
  language = lang;
}

/** @param {number} change */
function count(change) {
  pending += change;
  events.dispatchEvent(new CustomEvent('busy', { detail: pending }));
}

/** The newest commit seen, 0 = none yet. */
export const currentSnapshot = () => snapshot;

/** How many requests are under way. */
export const pendingRequests = () => pending;

/**
 * @param {string} path without leading slash
 * @param {Record<string, any>} [params] null, undefined and '' are left out
 * @returns {string}
 */
export function url(path, params = {}) {
  const target = new URL(path, BASE);
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== '') target.searchParams.set(name, String(value));
  }
  return target.href;
}

/** @param {string} segment one part of a path */
export const segment = (segment) => encodeURIComponent(segment).replaceAll('%40', '@');

/** @param {Response} response */
function noteSnapshot(response) {
  const seen = Number(response.headers.get('tesela-snapshot'));
  if (!(seen > snapshot)) return;
  const previous = snapshot;
  snapshot = seen;
  events.dispatchEvent(new CustomEvent('snapshot', { detail: { snapshot, previous } }));
}

/** @param {Response} response */
async function failure(response) {
  const problem = await response.json().catch(() => null);
  return new ApiError(response.status, problem?.title ?? `HTTP ${response.status}`, problem?.detail ?? '');
}

/**
 * @param {string} address from `url`
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>} an answer with a good status
 */
export async function request(address, signal) {
  count(1);
  try {
    const response = await fetch(address, { signal, headers: { 'Accept-Language': language } });
    noteSnapshot(response);
    if (!response.ok) throw await failure(response);
    return response;
  } catch (error) {
    if (error instanceof ApiError || error.name === 'AbortError') throw error;
    throw new ApiError(0, 'network', error.message);
  } finally {
    count(-1);
  }
}

/**
 * @param {string} path
 * @param {Record<string, any>} [params]
 * @param {AbortSignal} [signal]
 */
export async function getJson(path, params, signal) {
  return (await request(url(path, params), signal)).json();
}

/**
 * For work where only the newest run counts: each call aborts the one before. The promise gives undefined when aborted.
 * @returns {<T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T|undefined>}
 */
export function latestOnly() {
  let controller = new AbortController();
  return async (work) => {
    controller.abort();
    const mine = (controller = new AbortController());
    try {
      const result = await work(mine.signal);
      return mine.signal.aborted ? undefined : result;
    } catch (error) {
      if (mine.signal.aborted) return undefined;
      throw error;
    }
  };
}
