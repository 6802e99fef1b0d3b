// The browser of this machine, if it has one.
import fs from 'node:fs';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Path of a Chromium: `$CHROMIUM`, or where systems put it; `null` when there is none. */
export function findChromium(): string | null {
  return [process.env.CHROMIUM ?? '', ...PLACES].find((place) => place !== '' && fs.existsSync(place)) ?? null;
}

/** What it is started with: no window, no calls home, and no sandbox for root, who cannot have one. */
export const CHROMIUM_FLAGS = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
