/** Texts, numbers and dates in the reader's language. A language is one file in `i18n/`; the server lists the files. */
import { getJson, setLanguage } from './api.js';

const FALLBACK = 'en';

/** @type {Record<string, string>} */
let strings = {};
let locale = FALLBACK;

/**
 * The text of `key`, with `{name}` filled from `values`.
 * @param {string} key
 * @param {Record<string, any>} [values]
 */
export function t(key, values = {}) {
  return (strings[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Whether the current language has a text for `key`. @param {string} key */
export const has = (key) => key in strings;

/**
 * @param {number|null|undefined} value
 * @param {number} [significant] digits
 */
export function number(value, significant = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  return new Intl.NumberFormat(locale, { maximumSignificantDigits: significant, useGrouping: Math.abs(value) >= 10000 }).format(value);
}

/** @param {number} value @param {number} digits after the point */
export function fixed(value, digits) {
  return new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

/** @param {number|null|undefined} value 0..1 */
export function percent(value) {
  if (value === null || value === undefined) return '–';
  return new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }).format(value);
}

/** @param {number|string} time milliseconds or ISO text @param {Intl.DateTimeFormatOptions} [options] */
export function date(time, options = { dateStyle: 'medium' }) {
  return new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options }).format(new Date(time));
}

/** A unit as it is written after a number; the dimensionless "1" is not. @param {string|null|undefined} unit */
export const unitText = (unit) => (unit && unit !== '1' ? ` ${unit}` : '');

/** @returns {Promise<string[]>} codes of the languages there are */
export const languages = () => getJson('viewer/i18n/languages.json');

/** The language's own name. @param {string} code */
export function languageName(code) {
  const name = new Intl.DisplayNames([code], { type: 'language' }).of(code) ?? code;
  return name.charAt(0).toLocaleUpperCase(code) + name.slice(1);
}

/**
 * The best of `available` for the browser's languages.
 * @param {string[]} available
 */
export function preferred(available) {
  for (const tag of navigator.languages ?? [navigator.language]) {
    const code = tag.toLowerCase().split('-')[0];
    if (available.includes(code)) return code;
  }
  return available.includes(FALLBACK) ? FALLBACK : available[0];
}

/**
 * Loads a language and writes the page's fixed texts.
 * @param {string} code
 * @returns {Promise<Record<string, string>>}
 */
export async function load(code) {
  strings = await getJson(`viewer/i18n/${code}.json`);
  locale = strings.locale ?? code;
  setLanguage(code);
  document.documentElement.lang = code;
  document.title = t('app.title');
  for (const element of document.querySelectorAll('[data-i18n]')) element.textContent = t(element.dataset.i18n);
  for (const element of document.querySelectorAll('[data-i18n-label]')) {
    element.setAttribute('aria-label', t(element.dataset.i18nLabel));
    if (element.tagName === 'BUTTON') element.title = t(element.dataset.i18nLabel);
  }
  for (const element of document.querySelectorAll('[data-i18n-placeholder]')) element.placeholder = t(element.dataset.i18nPlaceholder);
  return strings;
}
