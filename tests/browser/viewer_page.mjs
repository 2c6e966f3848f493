// Opens the viewer in Chromium, records what it requests and complains about, and reads what it shows.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const SHOTS = process.env.SCREENSHOT_DIR ?? fs.mkdtempSync(path.join(os.tmpdir(), 'tesela-viewer-'));

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: FLAGS });

/**
 * @param {import('playwright-core').Browser} browser
 * @param {string} base the server
 * @param {{hash?: Record<string, any>, width?: number, height?: number, locale?: string}} [options]
 */
export async function openViewer(browser, base, { hash = {}, width = 1400, height = 900, locale = 'en-US' } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, locale });
  const page = await context.newPage();
  /** @type {string[]} */ const requests = [];
  /** @type {string[]} */ const complaints = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  const idle = () => page.evaluate(() => window.tesela.idle());
  await page.goto(`${base}/#${new URLSearchParams(hash)}`);
  await page.waitForFunction(() => window.tesela);
  await idle();
  return {
    page,
    requests,
    complaints,
    idle,
    state: () => page.evaluate(() => ({ ...window.tesela.state })),
    /** Requests that left the server. */
    strangers: () => requests.filter((url) => !url.startsWith('data:') && !url.startsWith(`blob:${base}`) && new URL(url).origin !== new URL(base).origin),
    /** Observations in an open chart: 'pixel' or 'zone'. */
    circles: (panel) => page.$$eval(`#${panel}-chart circle[data-datetime]`, (all) => all.map((one) => ({ ...one.dataset, hollow: one.getAttribute('fill') === 'none' }))),
    /** A digest of the pixels of the product's layer. */
    tilesDigest: () =>
      page.$eval('.layer-tiles canvas', (canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let digest = 0;
        let painted = 0;
        for (let i = 0; i < data.length; i += 4) {
          if (data[i + 3] > 0) painted++;
          digest = (Math.imul(digest, 31) + data[i] + (data[i + 1] << 8) + (data[i + 2] << 16)) | 0;
        }
        return { digest, painted };
      }),
    /** Clicks a place on the map. */
    async clickMap(lon, lat) {
      const [x, y] = await page.evaluate(([lon, lat]) => {
        const mercator = [(lon * 20037508.342789244) / 180, Math.log(Math.tan(((90 + lat) * Math.PI) / 360)) * 6378137];
        const box = window.tesela.map.getTargetElement().getBoundingClientRect();
        const [px, py] = window.tesela.map.getPixelFromCoordinate(mercator);
        return [box.x + px, box.y + py];
      }, [lon, lat]);
      await page.mouse.click(x, y);
      await idle();
    },
    async shot(name) {
      await page.waitForTimeout(250); // the progress line goes
      await page.screenshot({ path: path.join(SHOTS, `${name}.png`) });
    },
    close: () => context.close(),
  };
}
