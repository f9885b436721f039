/** Chromium as it is used here: no network but this machine's, no windows, no sound. */

import { chromium, type Browser, type Page } from 'playwright-core';

import { PAGES, pageOf } from './pages.js';

/** A page that does not come over the network would not be let to a server of this machine. */
const FLAGS = [
  ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ['--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets'],
  ['--disable-component-update', '--disable-sync', '--mute-audio', '--autoplay-policy=no-user-gesture-required'],
].flat();

export const PLAYERS = ['hls', 'socket'] as const;
export type PlayerName = (typeof PLAYERS)[number];

export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}

/** The page's files come from here, whichever server it looks at: to the browser they are of its origin. */
export async function bring(page: Page): Promise<void> {
  await page.route(`**${PAGES}**`, async (route) => {
    const found = await pageOf(new URL(route.request().url()).pathname);
    await route.fulfill(found ? { status: 200, contentType: found.type, body: found.body } : { status: 404 });
  });
}

/** A page that plays `stream` of the server at `base`; what is thrown in it is put into `thrown`. */
export async function open(browser: Browser, base: string, query: string, thrown: string[]): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1000, height: 760 } });
  await bring(page);
  page.on('pageerror', (error) => thrown.push(error.message));
  await page.goto(`${base}${PAGES}page/index.html?${query}`);
  return page;
}
