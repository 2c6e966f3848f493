// A small invented landscape: reflectances and NDVI of any place and year around a city, its blocks, and the cube's catalogue.

export const BBOX = [-102.44, 21.76, -102.16, 22.02];
export const CITY = [-102.3, 21.885];
const FIRST = 1994;
const LAST = 2024;
const PIXEL = 0.00028; // degrees, about 30 m

const clamp = (v, lo, hi) => Math.max(lo, Math.min(hi, v));
const hash = (a, b, c = 0) => {
  const x = Math.sin(a * 127.1 + b * 311.7 + c * 74.7) * 43758.5453;
  return x - Math.floor(x);
};
/** Smooth noise, 0..1. */
function noise(x, y, seed) {
  const [ix, iy] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - ix, y - iy].map((f) => f * f * (3 - 2 * f));
  const at = (dx, dy) => hash(ix + dx, iy + dy, seed);
  return (at(0, 0) * (1 - fx) + at(1, 0) * fx) * (1 - fy) + (at(0, 1) * (1 - fx) + at(1, 1) * fx) * fy;
}

/** Values of the pixel that holds a place; null outside the data. */
export function pixel(lon, lat, year) {
  const [w, s, e, n] = BBOX;
  if (lon < w || lon > e || lat < s || lat > n) return null;
  const [px, py] = [Math.floor(lon / PIXEL) * PIXEL, Math.floor(lat / PIXEL) * PIXEL];
  if (noise(px * 60, py * 60, 9) < 0.08) return null;
  const distance = Math.hypot((px - CITY[0]) * 0.93, py - CITY[1]);
  const radius = 0.045 + 0.0016 * (year - FIRST);
  const urban = clamp((radius + 0.03 * (noise(px * 40, py * 40, 1) - 0.5) - distance) / 0.012, 0, 1);
  const hills = noise(px * 18, py * 18, 2) * 0.7 + noise(px * 90, py * 90, 3) * 0.3;
  const field = hash(Math.floor(px / (PIXEL * 14)), Math.floor(py / (PIXEL * 9)), 4);
  const wet = 0.5 + 0.5 * Math.sin(year * 2.1) * Math.cos(year * 0.7);
  const grain = (hash(px * 1e4, py * 1e4, year) - 0.5) * 0.03;
  const ndvi = clamp((1 - urban) * (0.18 + 0.45 * hills * field + 0.14 * wet) + urban * (0.09 + 0.08 * hash(px, py, 5)) + grain, -0.1, 0.9);
  const bright = urban * 0.06 + 0.05 * (1 - hills);
  const red = clamp(0.17 - 0.16 * ndvi + bright, 0.01, 0.4);
  const nir = (red * (1 + ndvi)) / (1 - ndvi);
  return { red, green: clamp(0.11 - 0.05 * ndvi + bright, 0.01, 0.4), blue: clamp(0.08 - 0.06 * ndvi + bright, 0.01, 0.4), nir, ndvi, urban };
}

export const NDVI_STOPS = [
  { value: -0.1, color: '#a9714b' }, { value: 0.1, color: '#e3d3a4' }, { value: 0.25, color: '#d9e69a' },
  { value: 0.4, color: '#8fc765' }, { value: 0.6, color: '#3b9144' }, { value: 0.8, color: '#0b5a2a' },
];
export const CLASSES = [
  { value: 1, color: '#b8463f', es: 'Urbano', en: 'Built-up' }, { value: 2, color: '#e5c86b', es: 'Agrícola', en: 'Cropland' },
  { value: 3, color: '#4f8f4b', es: 'Vegetación natural', en: 'Natural vegetation' }, { value: 4, color: '#cdbca6', es: 'Suelo desnudo', en: 'Bare soil' },
];
export const classOf = (p) => (p.urban > 0.5 ? 1 : p.ndvi > 0.42 ? 3 : p.ndvi > 0.26 ? 2 : 4);

/** EPSG:6372: Lambert conformal conic with two standard parallels on GRS80 (Snyder 1987, equations 15-7 to 15-11). */
export function lambert(lon, lat) {
  const rad = Math.PI / 180;
  const e = Math.sqrt(0.00669438002290);
  const m = (phi) => Math.cos(phi) / Math.sqrt(1 - (e * Math.sin(phi)) ** 2);
  const t = (phi) => Math.tan(Math.PI / 4 - phi / 2) / ((1 - e * Math.sin(phi)) / (1 + e * Math.sin(phi))) ** (e / 2);
  const [phi0, phi1, phi2] = [12 * rad, 17.5 * rad, 29.5 * rad];
  const n = (Math.log(m(phi1)) - Math.log(m(phi2))) / (Math.log(t(phi1)) - Math.log(t(phi2)));
  const scale = (6378137 * m(phi1)) / (n * t(phi1) ** n);
  const rho = (phi) => scale * t(phi) ** n;
  const theta = n * (lon + 102) * rad;
  return [2500000 + rho(lat * rad) * Math.sin(theta), rho(phi0) - rho(lat * rad) * Math.cos(theta)];
}

const GRID = {
  id: 'mx6372_30', crs: 'EPSG:6372', resolution_m: 30, tile_size_px: 2048, origin: [0, 0],
  proj4: '+proj=lcc +lat_0=12 +lon_0=-102 +lat_1=17.5 +lat_2=29.5 +x_0=2500000 +y_0=0 +ellps=GRS80 +units=m +no_defs +type=crs',
};
const reflectance = (name, title) => ({ name, title, unit: '1', scale: 2.75e-5, offset: -0.2 });
const trueColor = (title) => ({ name: 'true_color', title, default: true, legend: { type: 'rgb', bands: ['red', 'green', 'blue'], range: [0, 0.3] } });

/** `GET /collections` in a language. */
export function collections(lang) {
  const es = lang === 'es';
  const bands = [reflectance('red', es ? 'Rojo' : 'Red'), reflectance('green', es ? 'Verde' : 'Green'), reflectance('blue', es ? 'Azul' : 'Blue'), reflectance('nir', es ? 'Infrarrojo cercano' : 'Near infrared')];
  const base = (id, title, description, kind, first) => ({
    id, title, description, 'tesela:kind': kind, 'tesela:status': 'experimental', 'tesela:synthetic': true, 'tesela:grid': GRID,
    extent: { spatial: { bbox: [BBOX] }, temporal: { interval: [[`${first}-01-01T00:00:00Z`, '2024-12-31T23:59:59Z']] } }, links: [],
  });
  return [
    {
      ...base('geomedian_annual', es ? 'Geomediana anual Landsat' : 'Landsat annual geomedian', es ? 'Un valor robusto por píxel y año, con sus desviaciones.' : 'One robust value per pixel and year, with its deviations.', 'derived', FIRST),
      'tesela:bands': [...bands, { name: 'ndvi', title: 'NDVI', unit: '1', scale: 1e-4, offset: 0 }, { name: 'emad', title: 'EMAD', unit: '1', scale: 1e-4, offset: 0 }],
      'tesela:styles': [
        trueColor(es ? 'Color natural' : 'True colour'),
        { name: 'ndvi', title: es ? 'Vegetación (NDVI)' : 'Vegetation (NDVI)', legend: { type: 'ramp', band: 'ndvi', unit: '1', stops: NDVI_STOPS } },
      ],
      'tesela:datetime': { default: `${LAST}-01-01` },
    },
    {
      ...base('landcover', es ? 'Cobertura del suelo' : 'Land cover', es ? 'Clases anuales de cobertura.' : 'Yearly classes of cover.', 'derived', 2015),
      'tesela:bands': [{ name: 'class', title: es ? 'Clase' : 'Class', unit: null, scale: 1, offset: 0 }],
      'tesela:styles': [{ name: 'classes', title: es ? 'Clases' : 'Classes', default: true, legend: { type: 'classes', entries: CLASSES.map(({ value, color, ...titles }) => ({ value, color, title: titles[lang] ?? titles.en })) } }],
      'tesela:datetime': { default: `${LAST}-01-01` },
    },
    {
      ...base('landsat_c2_sr', es ? 'Reflectancia Landsat C2' : 'Landsat C2 surface reflectance', es ? 'Escenas tal como se recibieron.' : 'Scenes as received.', 'scenes', 2019),
      'tesela:bands': [...bands, { name: 'qa_pixel', title: 'QA', unit: null, scale: 1, offset: 0 }],
      'tesela:styles': [trueColor(es ? 'Color natural' : 'True colour')],
      'tesela:datetime': { default: '2024-06-03' },
    },
  ];
}

const years = (first) => Array.from({ length: LAST - first + 1 }, (_, i) => ({ datetime: `${first + i}-01-01`, label: String(first + i), platform: null, clear_fraction: null }));

/** Passes of three platforms, each 16 days. */
function passes() {
  const out = [];
  for (const [platform, first, until, start] of [['landsat-7', 2019, 2022.3, 3], ['landsat-8', 2019, 2025, 11], ['landsat-9', 2021, 2025, 7]]) {
    for (let day = start; ; day += 16) {
      const date = new Date(Date.UTC(first, 0, day));
      const datetime = date.toISOString().slice(0, 10);
      if (date.getUTCFullYear() + date.getUTCMonth() / 12 >= until) break;
      const rainy = Math.max(0, Math.sin(((date.getUTCMonth() - 4) / 6) * Math.PI));
      out.push({ datetime, label: datetime, platform, clear_fraction: Number(clamp(1 - hash(day, first, platform.length) ** 2 * (0.4 + 0.8 * rainy), 0.02, 1).toFixed(3)) });
    }
  }
  return out.sort((a, b) => (a.datetime < b.datetime ? -1 : 1));
}

/** Dates of each product. */
export const DATES = { geomedian_annual: years(FIRST), landcover: years(2015), landsat_c2_sr: passes() };

/** Physical value of a band at a place and date; scenes have seasons. */
export function value(band, lon, lat, datetime) {
  const year = Number(datetime.slice(0, 4));
  const p = pixel(lon, lat, year);
  if (!p) return null;
  const season = datetime.endsWith('-01-01') ? 0 : 0.12 * Math.sin(((Number(datetime.slice(5, 7)) + Number(datetime.slice(8)) / 31 - 6) / 6) * Math.PI) + 0.05 * (hash(lon, lat, Date.parse(datetime) / 864e5) - 0.5);
  const ndvi = clamp(p.ndvi + season, -0.2, 0.95);
  const all = { ...p, ndvi, nir: (p.red * (1 + ndvi)) / (1 - ndvi), emad: 0.02 + 0.05 * hash(Math.floor(lon / PIXEL), Math.floor(lat / PIXEL), year), class: classOf(p), qa_pixel: 21824 };
  return band in all ? Number(all[band].toFixed(6)) : null;
}

/** Census blocks: a street grid turned a little, each block with its own size. */
function blocks() {
  const [columns, rows, step, turn] = [29, 28, 0.0042, 0.16];
  const out = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const x = (column - columns / 2) * step;
      const y = (row - rows / 2) * step * 0.92;
      const gap = (i) => step * (0.04 + 0.08 * hash(column, row, i));
      const corners = [[gap(1), gap(2)], [step - gap(3), gap(2)], [step - gap(3), step * 0.92 - gap(4)], [gap(1), step * 0.92 - gap(4)]];
      const ring = corners.map(([dx, dy]) => {
        const [u, v] = [x + dx, y + dy];
        return [Number((CITY[0] + u * Math.cos(turn) - v * Math.sin(turn)).toFixed(7)), Number((CITY[1] + u * Math.sin(turn) + v * Math.cos(turn)).toFixed(7))];
      });
      const key = `01001${String(row).padStart(4, '0')}${String(column).padStart(3, '0')}`;
      out.push({ type: 'Feature', id: key, geometry: { type: 'Polygon', coordinates: [[...ring, ring[0]]] }, properties: { CVEGEO: key } });
    }
  }
  return out;
}
export const BLOCKS = blocks();

/** One row of the statistics table. */
export function statRow(feature, band, datetime) {
  const ring = feature.geometry.coordinates[0].slice(0, 4);
  const centre = [0, 1].map((axis) => ring.reduce((sum, c) => sum + c[axis], 0) / 4);
  const samples = [centre, ...ring.map((c) => c.map((v, i) => (v + centre[i]) / 2))].map(([lon, lat]) => value(band, lon, lat, datetime)).filter((v) => v !== null);
  const area = Math.abs(ring.reduce((sum, [x, y], i) => sum + x * ring[(i + 1) % 4][1] - ring[(i + 1) % 4][0] * y, 0) / 2) * 111000 * 103000;
  const coverage = samples.length / 5;
  const common = { key: feature.id, datetime, count: Number((area / 900).toFixed(2)), coverage, valid_area_m2: Number((area * coverage).toFixed(1)), area_m2: Number(area.toFixed(1)), clear_obs_mean: Number((8 + 9 * hash(centre[0], centre[1], 3)).toFixed(2)), emad_mean: 0.031, method: 'exact_coverage', status: 'experimental' };
  if (coverage < 0.5) return { ...common, mean: null, sd: null, min: null, max: null, median: null, reason: 'coverage below 0.5' };
  const sorted = samples.toSorted((a, b) => a - b);
  const mean = samples.reduce((a, b) => a + b, 0) / samples.length;
  const sd = Math.sqrt(samples.reduce((a, b) => a + (b - mean) ** 2, 0) / samples.length);
  return { ...common, mean: Number(mean.toFixed(6)), sd: Number(sd.toFixed(6)), min: sorted[0], max: sorted.at(-1), median: sorted[Math.floor(sorted.length / 2)], reason: null };
}
