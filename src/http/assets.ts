/** The few files that pages load: read once, served under addresses that change with their content. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { RequestHandler } from 'express';

const require = createRequire(import.meta.url);

/** Where each file lies: ours in `assets` beside this one, the chart library where npm put it. */
const paths = {
  'style.css': ours('style.css'),
  'icon.svg': ours('icon.svg'),
  'usage-chart.js': ours('usage-chart.js'),
  'uplot.js': require.resolve('uplot/dist/uPlot.iife.min.js'),
  'uplot.css': require.resolve('uplot/dist/uPlot.min.css'),
};

/** A file that pages load. */
export type AssetName = keyof typeof paths;

interface Asset {
  bytes: Buffer;
  version: string;
}

const read = new Map<string, Asset>();

/** The address of a file. It names the content, so that browsers may keep it for ever. */
export function assetUrl(name: AssetName): string {
  return `/assets/${name}?v=${assetOf(name).version}`;
}

/** `GET /assets/:name`. */
export const assets: RequestHandler<{ name: string }> = function assets(req, res, next) {
  const { name } = req.params;
  if (!isAssetName(name)) return next();
  const { bytes, version } = assetOf(name);
  const kept = req.query.v === version ? 'public, max-age=31536000, immutable' : 'no-cache';
  res.type(name).set({ 'Cache-Control': kept, 'X-Content-Type-Options': 'nosniff' }).send(bytes);
};

function isAssetName(name: string): name is AssetName {
  return Object.hasOwn(paths, name);
}

function assetOf(name: AssetName): Asset {
  const known = read.get(name);
  if (known) return known;
  const bytes = readFileSync(paths[name]);
  const asset = { bytes, version: createHash('sha256').update(bytes).digest('hex').slice(0, 12) };
  read.set(name, asset);
  return asset;
}

/** `tsc` copies no such files, so they are read from the sources, which the package carries. */
function ours(name: string): string {
  return fileURLToPath(new URL(`../../src/http/assets/${name}`, import.meta.url));
}
