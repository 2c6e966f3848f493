// The viewer in a real browser, against TESELA_URL or, when that is unset, the mock server beside this file.
// Run: npm install && node --test        (CHROMIUM, SCREENSHOT_DIR: see viewer_page.mjs)
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startMock } from './mock_server.mjs';
import { launch, openViewer } from './viewer_page.mjs';

const mocked = !process.env.TESELA_URL;
let mock, browser, base;
/** What the tests are about: taken from the server. */
let product, style, band, dates, zoneSet, point;

const json = async (path) => {
  const response = await fetch(base + path);
  assert.ok(response.ok, `${response.status} ${path}`);
  return response.json();
};
const bboxOf = (one) => one.extent.spatial.bbox[0];
const seriesOf = (lon, lat, name = band) => json(`/v1/series?lon=${lon}&lat=${lat}&product=${product.id}&bands=${name}&masked=keep`);

/** A place with data: the middle of the product, or the nearest of a few others. */
async function placeWithData() {
  const [w, s, e, n] = bboxOf(product);
  for (const [fx, fy] of [[0.5, 0.5], [0.45, 0.55], [0.55, 0.45], [0.4, 0.4], [0.6, 0.6], [0.3, 0.6], [0.7, 0.3]]) {
    const place = [w + (e - w) * fx, s + (n - s) * fy].map((v) => Number(v.toFixed(5)));
    const answer = await fetch(`${base}/v1/series?lon=${place[0]}&lat=${place[1]}&product=${product.id}&bands=${band}&masked=keep`);
    if (answer.ok && (await answer.json()).observations.some((one) => Number.isFinite(one.values[band]))) return place;
  }
  return assert.fail('no place with data');
}

before(async () => {
  mock = mocked ? await startMock() : null;
  base = (mock?.url ?? process.env.TESELA_URL).replace(/\/$/, '');
  browser = await launch();
  const { collections } = await json('/collections?lang=en');
  const derived = collections.filter((one) => one['tesela:kind'] === 'derived');
  const ramped = (one) => one['tesela:styles'].find((s) => s.legend.type === 'ramp' && one['tesela:bands'].some((b) => b.name === s.legend.band));
  product = derived.find(ramped) ?? derived[0];
  assert.ok(product, 'the server has a derived product');
  style = (ramped(product) ?? product['tesela:styles'][0]).name;
  band = ramped(product)?.legend.band ?? product['tesela:bands'][0].name;
  dates = (await json(`/v1/products/${product.id}/dates`)).dates.map((one) => one.datetime);
  zoneSet = (await json('/v1/zones?lang=en')).zone_sets[0];
  point = await placeWithData();
});

after(async () => {
  await browser?.close();
  mock?.close();
});

/** Opens a view, and when the work is done demands silence: nothing asked elsewhere, nothing in the console. */
async function withViewer(options, work) {
  const viewer = await openViewer(browser, base, options);
  try {
    await work(viewer);
    assert.deepEqual(viewer.strangers(), [], 'requests to other hosts');
    assert.deepEqual(viewer.complaints, [], 'console messages');
  } finally {
    await viewer.close();
  }
}

const near = (a, b, tolerance, what) => assert.ok(Math.abs(a - b) <= tolerance, `${what}: ${a} against ${b}`);

/** The circles of a chart against rows of {datetime, value, used}. */
function sameSeries(circles, rows) {
  const expected = rows.filter((row) => Number.isFinite(row.value));
  assert.equal(circles.length, expected.length);
  assert.ok(expected.length > 0);
  circles.forEach((circle, i) => {
    assert.equal(circle.datetime, expected[i].datetime);
    assert.equal(Number(circle.value), expected[i].value);
    assert.equal(circle.used, String(expected[i].used));
    assert.equal(circle.hollow, !expected[i].used);
  });
}

test('opens on the whole product, in the language of the browser', async () => {
  await withViewer({ locale: 'es-MX' }, async ({ page, state, tilesDigest, shot }) => {
    const viewed = await state();
    assert.equal(viewed.lang, 'es');
    assert.equal(await page.getAttribute('html', 'lang'), 'es');
    assert.ok((await tilesDigest()).painted > 1000, 'a picture is drawn');
    const synthetic = (await json('/collections')).collections.some((one) => one['tesela:synthetic']);
    assert.equal(await page.isVisible('#synthetic'), synthetic);
    const shown = (await json('/collections')).collections.find((one) => one.id === viewed.product);
    assert.equal(shown['tesela:styles'].find((one) => one.default).legend.type, 'rgb', 'opens on a picture, not on classes');
    await shot('desktop-start');
  });
});

test('the chart holds the values of /v1/series for the clicked pixel', async () => {
  await withViewer({ hash: { product: product.id, style, lon: point[0], lat: point[1], zoom: 14, zones: '', series: band } }, async (viewer) => {
    await viewer.clickMap(...point);
    const clicked = (await viewer.state()).point;
    near(clicked[0], point[0], 2e-4, 'longitude');
    near(clicked[1], point[1], 2e-4, 'latitude');
    const answer = await seriesOf(...clicked);
    sameSeries(await viewer.circles('pixel'), answer.observations.map((one) => ({ datetime: one.datetime, value: one.values[band], used: one.used })));
    const place = await viewer.page.evaluate(([lon, lat]) => window.tesela.gridPlace(lon, lat), clicked);
    assert.equal(place.crs, answer.location.crs);
    assert.deepEqual([...place.tile, place.col, place.row], [...answer.location.tile, answer.location.col, answer.location.row]);
    const csv = await viewer.page.getAttribute('#pixel-csv', 'href');
    assert.ok(csv.startsWith(`${base}/v1/series?`) && csv.includes('f=csv'));
    await viewer.shot('desktop-pixel');
  });
});

test('observations of scenes carry their platform, and masked ones are hollow', async (t) => {
  const scenes = (await json('/collections')).collections.find((one) => one['tesela:kind'] === 'scenes' && one.extent?.temporal?.interval?.[0]?.[0]);
  if (!scenes) return t.skip('no product of scenes');
  const name = scenes['tesela:bands'][0].name;
  await withViewer({ hash: { product: scenes.id, series: name, point: point.join(','), tab: 'pixel', zones: '' } }, async (viewer) => {
    const answer = await json(`/v1/series?lon=${point[0]}&lat=${point[1]}&product=${scenes.id}&bands=${name}&masked=keep`);
    const rows = answer.observations.map((one) => ({ datetime: one.datetime, value: one.values[name], used: one.used }));
    sameSeries(await viewer.circles('pixel'), rows);
    assert.deepEqual((await viewer.circles('pixel')).map((one) => one.platform), answer.observations.filter((one) => Number.isFinite(one.values[name])).map((one) => one.platform ?? ''));
    await viewer.shot('desktop-scenes');
    if (!rows.some((row) => !row.used)) return;
    await viewer.page.uncheck('#masked');
    sameSeries(await viewer.circles('pixel'), rows.filter((row) => row.used));
  });
});

/** Colour of zones without a value. */
const NO_DATA = '#c9d0d3';

/** The test's own reading of a legend: linear between stops, clamped. */
function legendColor(stops, v) {
  const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  if (v <= stops[0].value) return rgb(stops[0].color);
  for (let i = 1; i < stops.length; i++) {
    const [a, b] = [stops[i - 1], stops[i]];
    if (v <= b.value) return rgb(a.color).map((c, k) => Math.round(c + ((rgb(b.color)[k] - c) * (v - a.value)) / (b.value - a.value)));
  }
  return rgb(stops.at(-1).color);
}

/** Zones on screen of which a square of some pixels around an inner point lies inside: [key, colour painted there]. */
const paintedZones = (page) =>
  page.evaluate(() => {
    const { map } = window.tesela;
    const layer = map.getLayers().getArray().find((one) => one.getClassName() === 'layer-zones');
    const canvas = document.querySelector('.layer-zones canvas');
    const context = canvas.getContext('2d');
    const [width, height] = map.getSize();
    const scale = canvas.width / width;
    const margin = 5 * map.getView().getResolution();
    const found = [];
    layer.getSource().forEachFeatureInExtent(map.getView().calculateExtent(), (feature) => {
      const geometry = feature.getGeometry();
      const polygon = geometry.getType() === 'MultiPolygon' ? geometry.getPolygon(0) : geometry;
      const [x, y] = polygon.getInteriorPoint().getCoordinates();
      const inside = [-1, 0, 1].every((dx) => [-1, 0, 1].every((dy) => geometry.intersectsCoordinate([x + dx * margin, y + dy * margin])));
      const [px, py] = map.getPixelFromCoordinate([x, y]);
      if (!inside || px < 20 || py < 20 || px > width - 20 || py > height - 20) return;
      found.push([String(feature.getId()), [...context.getImageData(Math.round(px * scale), Math.round(py * scale), 1, 1).data]]);
    });
    return found;
  });

test('zones have the colours of the statistics table through the legend', async (t) => {
  if (!zoneSet) return t.skip('no zones');
  const [w, s, e, n] = zoneSet.bbox ?? bboxOf(product);
  const day = dates.at(-1);
  for (const statistic of ['mean', 'sd']) {
    const hash = { product: product.id, style, date: day, zones: zoneSet.id, zband: band, stat: statistic, lon: (w + e) / 2, lat: (s + n) / 2, zoom: mocked ? 14.5 : 16 };
    await withViewer({ hash }, async ({ page, shot }) => {
      const { rows } = await json(`/v1/zones/${zoneSet.id}/stats?product=${product.id}&band=${band}&datetime=${day}&f=json`);
      const stops = JSON.parse(await page.getAttribute('#zone-legend .ramp', 'data-stops'));
      const shown = await page.evaluate((keys) => keys.map((key) => window.tesela.zoneColor(key)), rows.map((row) => row.key));
      rows.forEach((row, i) => {
        if (row[statistic] === null) return assert.equal(shown[i], NO_DATA, `zone ${row.key}`);
        legendColor(stops, row[statistic]).forEach((channel, k) => near(parseInt(shown[i].slice(1 + 2 * k, 3 + 2 * k), 16), channel, 1, `zone ${row.key}`));
      });
      assert.ok(new Set(shown).size > 1, 'zones differ');
      const painted = await paintedZones(page);
      assert.ok(painted.length >= 3, `${painted.length} zones are large enough to read`);
      const values = new Map(rows.map((row) => [row.key, row[statistic]]));
      for (const [key, rgba] of painted) {
        const value = values.get(key);
        if (value === null || value === undefined) continue;
        legendColor(stops, value).forEach((channel, i) => near(rgba[i], channel, 1, `pixel of zone ${key}`));
        assert.equal(rgba[3], 255);
      }
      await shot(`desktop-zones-${statistic}`);
    });
  }
});

test('a click on a zone shows its row and its series', async (t) => {
  if (!zoneSet) return t.skip('no zones');
  const { features } = await json(`/collections/${zoneSet.id}/items?limit=1000`);
  const feature = features[Math.floor(features.length / 2)];
  const ring = feature.geometry.type === 'MultiPolygon' ? feature.geometry.coordinates[0][0] : feature.geometry.coordinates[0];
  const corners = ring.slice(0, -1);
  const [lon, lat] = [0, 1].map((axis) => corners.reduce((sum, c) => sum + c[axis], 0) / corners.length);
  await withViewer({ hash: { product: product.id, style, zones: zoneSet.id, zband: band, stat: 'mean', lon, lat, zoom: 16 } }, async (viewer) => {
    await viewer.clickMap(lon, lat);
    const { zone, tab, date } = await viewer.state();
    assert.equal(tab, 'zone');
    const { rows } = await json(`/v1/zones/${zoneSet.id}/items/${zone}/series?product=${product.id}&band=${band}`);
    sameSeries(await viewer.circles('zone'), rows.map((row) => ({ datetime: row.datetime, value: row.mean, used: true })));
    const row = rows.find((one) => one.datetime === date);
    near(Number(await viewer.page.textContent('#zone-row [data-stat="mean"]')), row.mean, Math.abs(row.mean) * 1e-3, 'mean in the table');
    await viewer.shot('desktop-zone');
  });
});

test('another year has other pixels, by slider and by play', async (t) => {
  if (dates.length < 2) return t.skip('one date only');
  await withViewer({ hash: { product: product.id, style, date: dates.at(-1), zones: '' } }, async (viewer) => {
    const late = await viewer.tilesDigest();
    await viewer.page.fill('#date-slider', '0');
    await viewer.idle();
    assert.equal((await viewer.state()).date, dates[0]);
    const early = await viewer.tilesDigest();
    assert.ok(early.painted > 1000);
    assert.notEqual(early.digest, late.digest);
    await viewer.page.click('#play');
    await viewer.page.waitForFunction((first) => window.tesela.state.date !== first, dates[0]);
    const ahead = dates[2] ?? dates[0];
    await viewer.page.waitForFunction((wanted) => performance.getEntriesByType('resource').some((one) => one.name.includes(`.png?`) && one.name.includes(`datetime=${wanted}`)), ahead);
    await viewer.page.click('#play');
    await viewer.idle();
    const { date } = await viewer.state();
    await viewer.page.waitForTimeout(1500);
    assert.equal((await viewer.state()).date, date, 'paused');
  });
});

test('a link restores the view, the open chart included', async () => {
  await withViewer({ hash: { lang: 'es' } }, async (viewer) => {
    const { page, idle, state } = viewer;
    await page.selectOption('#product', product.id);
    await page.selectOption('#style', style);
    await page.fill('#date-slider', String(Math.max(0, dates.length - 2)));
    await page.fill('#opacity', '0.8');
    await page.evaluate(([lon, lat]) => {
      const view = window.tesela.map.getView();
      view.setCenter([(lon * 20037508.342789244) / 180, Math.log(Math.tan(((90 + lat) * Math.PI) / 360)) * 6378137]);
      view.setZoom(13.37);
    }, point);
    await idle();
    await viewer.clickMap(...point);
    await page.selectOption('#series', band);
    if (zoneSet) {
      await page.selectOption('#zone-set', zoneSet.id);
      await page.selectOption('#zone-stat', 'sd');
    }
    await idle();
    await page.waitForTimeout(300); // the address follows with a delay
    const seen = { state: await state(), circles: await viewer.circles('pixel'), digest: await viewer.tilesDigest(), link: page.url() };
    assert.ok(seen.circles.length > 0);
    assert.equal(seen.state.product, product.id);
    assert.equal(seen.state.style, style);
    assert.equal(seen.state.date, dates[Math.max(0, dates.length - 2)]);
    assert.deepEqual([seen.state.opacity, seen.state.tab, seen.state.lang], [0.8, 'pixel', 'es']);
    await page.reload();
    await page.waitForFunction(() => window.tesela);
    await idle();
    await page.waitForTimeout(300);
    assert.deepEqual(await state(), seen.state);
    assert.deepEqual(await viewer.circles('pixel'), seen.circles);
    assert.deepEqual(await viewer.tilesDigest(), seen.digest);
    assert.equal(page.url(), seen.link);
    await viewer.shot('desktop-restored');
  });
});

test('the language can be changed, and the server is asked in it', async () => {
  await withViewer({ locale: 'en-US', hash: { product: product.id } }, async ({ page, idle, requests, state }) => {
    const titles = async (lang) => (await json(`/collections?lang=${lang}`)).collections.find((one) => one.id === product.id).title;
    const shown = () => page.$eval('#product', (select) => select.selectedOptions[0].textContent);
    assert.equal(await page.textContent('label[for=style]'), 'Style');
    assert.equal(await shown(), await titles('en'));
    await page.selectOption('#language', 'es');
    await idle();
    assert.equal(await page.textContent('label[for=style]'), 'Estilo');
    assert.equal(await shown(), await titles('es'));
    assert.equal((await state()).lang, 'es');
    assert.ok(requests.some((url) => url.includes('/collections?lang=es')));
    const untranslated = await page.$$eval('[data-i18n]', (all) => all.filter((one) => one.textContent === one.dataset.i18n).map((one) => one.dataset.i18n));
    assert.deepEqual(untranslated, []);
  });
});

test('the keyboard alone can query a pixel and read its chart', async () => {
  await withViewer({ hash: { product: product.id, lon: point[0], lat: point[1], zoom: 14, zones: '', series: band } }, async (viewer) => {
    await viewer.page.focus('#map');
    await viewer.page.keyboard.press('Enter');
    await viewer.idle();
    near((await viewer.state()).point[0], point[0], 1e-5, 'longitude of the centre');
    await viewer.page.focus('#pixel-chart svg');
    await viewer.page.keyboard.press('Home');
    const first = (await viewer.circles('pixel'))[0];
    assert.equal(await viewer.page.isVisible('#pixel-chart .chart-tip'), true);
    await viewer.page.keyboard.press('Enter');
    assert.equal((await viewer.state()).date, first.datetime);
  });
});

test('fits a phone', async () => {
  await withViewer({ width: 400, height: 800, hash: { product: product.id, style, point: point.join(','), tab: 'pixel', series: band, stat: zoneSet ? 'mean' : '' } }, async ({ page, shot }) => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 400, `${wide} px wide`);
    await shot('phone-pixel');
    assert.equal(await page.isVisible('#product'), false);
    await page.click('#layers');
    assert.equal(await page.isVisible('#product'), true);
    await page.waitForTimeout(300);
    await shot('phone-layers');
    await page.keyboard.press('Escape');
    await page.click('#dock-close');
    await shot('phone-map');
  });
});

test('a refusal of the server is told in its own words', { skip: !mocked && 'mock only' }, async () => {
  const viewer = await openViewer(browser, base, { hash: { product: product.id, point: '-100,20', tab: 'pixel' } });
  const text = await viewer.page.textContent('.toast-error');
  assert.ok(text.includes('No data here') && text.includes('The point lies outside the product.'), text);
  await viewer.shot('desktop-error');
  await viewer.close();
});

test('an empty cube is said to be empty', { skip: !mocked && 'mock only' }, async () => {
  const empty = await startMock({ empty: true });
  const viewer = await openViewer(browser, empty.url);
  assert.equal(await viewer.page.isVisible('#empty'), true);
  assert.equal(await viewer.page.isVisible('#zones-none'), true);
  assert.equal(await viewer.page.isVisible('#timeline'), false);
  await viewer.clickMap(-102, 22);
  assert.deepEqual(viewer.complaints, []);
  await viewer.shot('desktop-empty');
  await viewer.close();
  empty.close();
});
