/** Starts the viewer: language, permalink, map, panels, then the catalogue. */
import { latestOnly } from './api.js';
import { bboxOf, currentProduct, loadCatalog, validChoices } from './catalog.js';
import { bindDates } from './dates.js';
import { createDock } from './dock.js';
import { byId } from './dom.js';
import { createFrames } from './frames.js';
import { createHeader } from './header.js';
import { exposeHook } from './hook.js';
import * as i18n from './i18n.js';
import { bindMapButtons, bindPicking, createMap, fitTo } from './map.js';
import { bindPermalink, parse } from './permalink.js';
import { createPixelPanel } from './pixel_panel.js';
import { createProductPanel } from './product_panel.js';
import { State } from './state.js';
import { createStatusBar } from './status_bar.js';
import { createTimeline } from './timeline.js';
import { toastError } from './toasts.js';
import { createZoneDetail } from './zone_detail.js';
import { createZoneLayer } from './zone_layer.js';
import { createZonePanel } from './zone_panel.js';
import { bindZoneStats } from './zone_stats.js';

const state = new State();
const latestCatalog = latestOnly();

/** Loads texts and catalogue of the current language; titles come from the server in that language. */
async function refresh() {
  const lang = state.get('lang');
  state.set({ strings: await i18n.load(lang) });
  const catalog = await latestCatalog(() => loadCatalog(lang));
  if (catalog) state.set({ ...validChoices(catalog, state.view()), catalog });
}

/** @param {unknown} error */
function startFailed(error) {
  byId('failed').hidden = false;
  toastError(error);
}

async function start() {
  const link = parse(location.hash);
  const languages = await i18n.languages();
  const lang = languages.includes(link.lang) ? link.lang : i18n.preferred(languages);

  const map = createMap(byId('map'), state);
  const zones = createZoneLayer(map, state);
  const frames = createFrames(map, state);
  createProductPanel(state);
  createTimeline(state, frames);
  createZonePanel(state, zones);
  createStatusBar(map, state);
  createDock(state);
  createPixelPanel(state);
  createZoneDetail(state);
  bindZoneStats(state);
  bindDates(map, state);
  bindMapButtons(map, state);
  bindPicking(map, (point, pixel) => {
    if (!currentProduct(state)) return;
    const zone = zones.keyAt(pixel);
    state.set({ point, zone, tab: zone && state.get('zoneStat') ? 'zone' : 'pixel' });
  });
  exposeHook(map, state, frames);

  state.set({ ...link, lang });
  createHeader(state, languages);
  bindPermalink(state);
  await refresh();
  if (state.get('zoom') === null || state.get('lon') === null || state.get('lat') === null) fitTo(map, state, bboxOf(currentProduct(state)));
  state.on(['lang'], () => refresh().catch(toastError));
}

byId('retry').addEventListener('click', () => location.reload());
start().catch(startFailed);
