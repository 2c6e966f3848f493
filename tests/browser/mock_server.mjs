// A stand-in for `tesela serve`: the viewer's files and plausible invented answers, for working on the viewer and for its test.
// usage: node mock_server.mjs [PORT] [--empty]
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BBOX, BLOCKS, CLASSES, DATES, NDVI_STOPS, classOf, collections, lambert, pixel, statRow, value } from './mock_data.mjs';
import { encodePng } from './mock_png.mjs';

const STATIC = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../services/viewer/static');
const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.json': 'application/json', '.svg': 'image/svg+xml' };
const ZONE_SET = 'manzanas@2020';
const TILE = 256;

class Problem extends Error {
  constructor(status, title, detail) {
    super(title);
    Object.assign(this, { status, title, detail });
  }
}

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const CLASS_RGB = Object.fromEntries(CLASSES.map(({ value: v, color }) => [v, rgb(color)]));

function ndviColor(v) {
  const stops = NDVI_STOPS;
  const i = Math.max(1, stops.findIndex((stop) => v <= stop.value) + 1 || stops.length) - 1;
  const [a, b] = [stops[Math.max(0, i - 1)], stops[Math.min(i, stops.length - 1)]];
  const f = b.value > a.value ? Math.max(0, Math.min(1, (v - a.value) / (b.value - a.value))) : 0;
  return rgb(a.color).map((c, k) => Math.round(c + (rgb(b.color)[k] - c) * f));
}

function tile(z, x, y, style, datetime) {
  const n = 2 ** z;
  const rgba = new Uint8Array(TILE * TILE * 4);
  const year = Number(datetime.slice(0, 4));
  let any = false;
  for (let j = 0; j < TILE; j++) {
    const lat = (Math.atan(Math.sinh(Math.PI * (1 - (2 * (y + (j + 0.5) / TILE)) / n))) * 180) / Math.PI;
    if (lat < BBOX[1] || lat > BBOX[3]) continue;
    for (let i = 0; i < TILE; i++) {
      const p = pixel(((x + (i + 0.5) / TILE) / n) * 360 - 180, lat, year);
      if (!p) continue;
      any = true;
      const color = style === 'ndvi' ? ndviColor(p.ndvi) : style === 'classes' ? CLASS_RGB[classOf(p)] : [p.red, p.green, p.blue].map((v) => Math.min(255, (v / 0.3) * 255));
      rgba.set([...color, 255], (j * TILE + i) * 4);
    }
  }
  return any ? encodePng(TILE, rgba) : null;
}

/** The few expressions that the viewer offers, on a pixel's bands. */
function evaluate(expression, band) {
  if (!/^[\w+\-*/(). ]+$/.test(expression)) throw new Problem(400, 'Bad expression', expression);
  const filled = expression.replace(/[a-z_]\w*/g, (name) => {
    const v = band(name);
    if (v === null) throw new Problem(400, 'Unknown band', name);
    return `(${v})`;
  });
  return Number(Function(`return ${filled}`)().toFixed(6));
}

function series(q) {
  const [lon, lat] = [Number(q.get('lon')), Number(q.get('lat'))];
  const product = q.get('product');
  const [w, s, e, n] = BBOX;
  if (!(lon >= w && lon <= e && lat >= s && lat <= n)) throw new Problem(404, 'No data here', 'The point lies outside the product.');
  const expression = q.get('expression');
  const names = expression ? ['expression'] : q.get('bands').split(',');
  const read = (name, datetime) => (expression ? (pixel(lon, lat, 2020) ? evaluate(expression, (b) => value(b, lon, lat, datetime)) : null) : value(name, lon, lat, datetime));
  const observations = DATES[product].map(({ datetime, platform, clear_fraction: clear }) => {
    const used = clear === null || clear > 0.45;
    const values = Object.fromEntries(names.map((name) => [name, read(name, datetime)]));
    return { datetime, platform, values, used, reason: used ? null : clear > 0.25 ? 'cloud_shadow' : 'cloud' };
  });
  const [x, y] = lambert(lon, lat);
  const place = { tile: [x, y].map((c) => Math.floor(c / 61440)), col: Math.floor((x % 61440) / 30), row: 2047 - Math.floor((y % 61440) / 30) };
  return { product, snapshot: 7, location: { lon, lat, crs: 'EPSG:6372', x, y, ...place }, bands: names.map((name) => ({ name, unit: '1' })), observations };
}

function csv(rows) {
  const names = Object.keys(rows[0] ?? {});
  return [names.join(','), ...rows.map((row) => names.map((name) => row[name] ?? '').join(','))].join('\n');
}

const routes = [
  [/^\/collections$/, (q, _, empty) => ({ collections: empty ? [] : collections(q.get('lang')) })],
  [/^\/v1\/zones$/, (q, _, empty) => ({ zone_sets: empty ? [] : [{ id: ZONE_SET, title: q.get('lang') === 'es' ? 'Manzanas 2020' : 'Census blocks 2020', zones: BLOCKS.length, key_field: 'CVEGEO', bbox: BBOX }] })],
  [/^\/v1\/products\/(\w+)\/dates$/, (_, [product]) => ({ product, snapshot: 7, dates: DATES[product] })],
  [/^\/v1\/series$/, (q) => {
    const answer = series(q);
    return q.get('f') === 'csv' ? csv(answer.observations.map(({ values, ...rest }) => ({ ...rest, ...values }))) : answer;
  }],
  [/^\/tiles\/(\w+)\/WebMercatorQuad\/tilejson\.json$/, (_, [id]) => ({ tilejson: '3.0.0', tiles: [`/tiles/${id}/WebMercatorQuad/{z}/{x}/{y}.png`], minzoom: 4, maxzoom: 14, bounds: BBOX })],
  [/^\/tiles\/\w+\/WebMercatorQuad\/(\d+)\/(\d+)\/(\d+)\.png$/, (q, [z, x, y]) => tile(Number(z), Number(x), Number(y), q.get('style'), q.get('datetime'))],
  [/^\/collections\/manzanas@2020\/items$/, (q) => {
    const [offset, limit] = [Number(q.get('offset') ?? 0), Number(q.get('limit') ?? 10)];
    const features = BLOCKS.slice(offset, offset + limit);
    return { type: 'FeatureCollection', features, numberMatched: BLOCKS.length, numberReturned: features.length, links: [] };
  }],
  [/^\/v1\/zones\/manzanas@2020\/stats$/, (q) => {
    const rows = BLOCKS.map((feature) => statRow(feature, q.get('band'), q.get('datetime')));
    return q.get('f') === 'csv' ? csv(rows) : { zone_set: ZONE_SET, product: q.get('product'), band: q.get('band'), snapshot: 7, rows };
  }],
  [/^\/v1\/zones\/manzanas@2020\/items\/(\w+)\/series$/, (q, [key]) => {
    const feature = BLOCKS.find((block) => block.id === key);
    if (!feature) throw new Problem(404, 'No such zone', key);
    return { zone_set: ZONE_SET, key, product: q.get('product'), band: q.get('band'), snapshot: 7, rows: DATES[q.get('product')].map(({ datetime }) => statRow(feature, q.get('band'), datetime)) };
  }],
];

function file(name) {
  if (name === 'i18n/languages.json') return JSON.stringify(fs.readdirSync(path.join(STATIC, 'i18n')).map((one) => one.replace('.json', '')).sort());
  const full = path.join(STATIC, path.normalize(`/${name}`));
  return fs.existsSync(full) && fs.statSync(full).isFile() ? fs.readFileSync(full) : null;
}

function answer(url, empty) {
  const pathname = decodeURIComponent(url.pathname);
  if (pathname === '/') return { type: TYPES['.html'], body: file('index.html') };
  if (pathname.startsWith('/viewer/')) {
    const body = file(pathname.slice('/viewer/'.length));
    if (body) return { type: TYPES[path.extname(pathname)] ?? 'text/plain', body };
  }
  for (const [pattern, handler] of routes) {
    const match = pattern.exec(pathname);
    if (!match) continue;
    const made = handler(url.searchParams, match.slice(1), empty);
    if (made === null) return { status: 204 };
    if (Buffer.isBuffer(made)) return { type: 'image/png', body: made };
    return typeof made === 'string' ? { type: 'text/csv', body: made } : { type: 'application/json', body: JSON.stringify(made) };
  }
  throw new Problem(404, 'Not found', pathname);
}

/**
 * @param {{port?: number, empty?: boolean}} [options] `empty`: a cube without products and zones
 * @returns {Promise<{url: string, close: () => void}>}
 */
export async function startMock({ port = 0, empty = false } = {}) {
  const server = http.createServer((request, response) => {
    try {
      const { status = 200, type, body } = answer(new URL(request.url, 'http://localhost'), empty);
      response.writeHead(status, { ...(type && { 'content-type': type }), 'tesela-snapshot': '7' });
      response.end(body);
    } catch (error) {
      const status = error.status ?? 500;
      response.writeHead(status, { 'content-type': 'application/problem+json', 'tesela-snapshot': '7' });
      response.end(JSON.stringify({ type: 'about:blank', status, title: error.title ?? 'Failed', detail: error.detail ?? error.message }));
    }
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startMock({ port: Number(process.argv[2] ?? 8090), empty: process.argv.includes('--empty') });
  process.stdout.write(`${url}\n`);
}
