/** Small helpers to build HTML and SVG without a framework. */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * The element with this id; the page's skeleton is fixed, so a missing one is a programming error.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found;
}

/**
 * Applies attributes: `on` holds listeners, `data` data attributes; false, null and undefined are left out.
 * @param {Element} element
 * @param {Record<string, any>} attributes
 */
function apply(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'on') for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (name === 'data') Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

/**
 * Builds an HTML element.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node|string|null|undefined|false)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  apply(element, attributes);
  element.append(...children.filter((child) => child || child === ''));
  return element;
}

/**
 * Builds an SVG element.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node|string|null|undefined|false)} children
 * @returns {SVGElement}
 */
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  apply(element, attributes);
  element.append(...children.filter((child) => child || child === ''));
  return element;
}

/**
 * An icon of the sprite in index.html.
 * @param {string} name
 */
export function icon(name) {
  return s('svg', { class: 'icon', 'aria-hidden': 'true' }, s('use', { href: `#icon-${name}` }));
}

/**
 * Fills a `<select>`; the element is left alone when its options are already these, so that focus and open lists survive.
 * @param {HTMLSelectElement} select
 * @param {{value: string, label: string, group?: string}[]} options
 * @param {string} value the chosen option
 */
export function fillSelect(select, options, value) {
  const signature = JSON.stringify(options);
  if (select.dataset.signature !== signature) {
    select.dataset.signature = signature;
    const groups = new Map();
    for (const option of options) {
      const list = groups.get(option.group ?? '') ?? [];
      list.push(h('option', { value: option.value }, option.label));
      groups.set(option.group ?? '', list);
    }
    select.replaceChildren(...[...groups].flatMap(([label, list]) => (label ? [h('optgroup', { label }, ...list)] : list)));
  }
  select.value = value;
  select.disabled = options.length === 0;
}

/**
 * Calls `fn` once things have been quiet for `ms`.
 * @param {() => void} fn
 * @param {number} ms
 */
export function debounce(fn, ms) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = window.setTimeout(fn, ms);
  };
}
