/** The servers behind the gateway: connections that are kept, and which of several is well. The one home of undici. */

import { type Dispatcher, Pool } from 'undici';
import type { Clock, Log } from '../../lib/host.js';
import { createLoop } from '../../lib/loop.js';
import { turn } from '../../lib/turn.js';

/** Where calls go, and how long that may take. */
export interface UpstreamSettings {
  /** Base URLs without a trailing slash; a path is put before every call's own. At least one. */
  urls: readonly string[];
  /** From the end of the request to the head of the answer. */
  headTimeoutMs: number;
  /** Between two pieces of an answer's body. */
  idleTimeoutMs: number;
  /** Asked of every upstream now and then: below 400 is well. `null`: only failed connections tell. */
  healthPath: string | null;
}

/** One server. */
export interface Upstream {
  readonly url: string;
  /** Sends `path` below the base URL. `handler` hears everything else. `anew`: over a connection that is made for it. */
  dispatch(
    options: Required<Pick<Dispatcher.DispatchOptions, 'method' | 'path' | 'headers' | 'body' | 'upgrade'>>,
    handler: Dispatcher.DispatchHandler,
    anew: boolean,
  ): void;
  /** Notes how it went: what cannot be connected to is left alone for a while. */
  noteUp(): void;
  noteDown(error: Error): void;
}

/** All of them. */
export interface Upstreams {
  start(): void;
  /** The next in turn of those that are well and not in `tried`; of those that are not well when there is no other. */
  choose(tried: readonly Upstream[]): Upstream | undefined;
  /** Resolves once what has come from them is heard. */
  heard(): Promise<void>;
  /** Ends connections at once; what still runs fails. */
  close(): Promise<void>;
}

const connectTimeoutMs = 5_000;
const healthIntervalMs = 5_000;
const healthTimeoutMs = 5_000;

/** How long a server is left alone after it could not be reached: doubled each time, up to the last. */
const restFirstMs = 1_000;
const restLastMs = 30_000;

interface Server extends Upstream {
  /** Until then it is left alone, because it could not be reached. */
  downUntilMs: number;
  /** Whether its health was bad when it was asked last. That it can be reached does not mend that. */
  isSick: boolean;
  check(path: string): Promise<void>;
  close(): Promise<void>;
}

/** Nothing is connected before the first call. */
export function openUpstreams(settings: UpstreamSettings, deps: { clock: Clock; log: Log }): Upstreams {
  const servers = settings.urls.map((url) => openServer(url, settings, deps));
  let next = 0;
  const { healthPath } = settings;
  const health = createLoop({
    name: 'upstream health',
    ...deps,
    intervalMs: healthIntervalMs,
    async tick() {
      if (healthPath !== null) await Promise.all(servers.map((server) => server.check(healthPath)));
    },
  });
  return {
    start() {
      if (healthPath !== null) health.start();
    },
    choose(tried) {
      const nowMs = deps.clock.nowMs();
      next = (next + 1) % servers.length;
      let unwell: Server | undefined;
      for (let offset = 0; offset < servers.length; offset += 1) {
        const server = servers[(next + offset) % servers.length];
        if (!server || tried.includes(server)) continue;
        if (!server.isSick && server.downUntilMs <= nowMs) return server;
        unwell ??= server;
      }
      return unwell;
    },
    heard: () => turn(deps.clock),
    async close() {
      await health.close();
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

function openServer(
  url: string,
  settings: UpstreamSettings,
  { clock, log }: { clock: Clock; log: Log },
): Server {
  const { origin, pathname } = new URL(url);
  const prefix = pathname === '/' ? '' : pathname;
  const options: Pool.Options = {
    connect: { timeout: connectTimeoutMs },
    headersTimeout: settings.headTimeoutMs,
    bodyTimeout: settings.idleTimeoutMs,
  };
  const pool = new Pool(origin, options);
  // Without pipelining undici keeps no connection.
  const newConnections = new Pool(origin, { ...options, pipelining: 0 });
  let failures = 0;
  const server: Server = {
    url,
    downUntilMs: 0,
    isSick: false,
    dispatch(request, handler, anew) {
      const dispatcher = anew ? newConnections : pool;
      const { method, path, headers, body, upgrade } = request;
      dispatcher.dispatch({ method, path: prefix + path, headers, body, upgrade }, handler);
    },
    noteUp() {
      if (failures > 0) log.info('an upstream can be reached again', { url });
      failures = 0;
      server.downUntilMs = 0;
    },
    noteDown(error) {
      if (failures === 0) log.warn('an upstream cannot be reached', { url, reason: error.message });
      server.downUntilMs = clock.nowMs() + Math.min(restLastMs, restFirstMs * 2 ** Math.min(failures, 10));
      failures += 1;
    },
    async check(path) {
      const problem = await problemOf(pool, prefix + path);
      if (problem === undefined) server.noteUp();
      if (server.isSick === (problem !== undefined)) return;
      server.isSick = !server.isSick;
      if (problem === undefined) log.info('the health of an upstream is good again', { url });
      else log.warn('the health of an upstream is bad', { url, reason: problem });
    },
    async close() {
      await pool.destroy();
      await newConnections.destroy();
    },
  };
  return server;
}

/** What is wrong with the health of a server; `undefined` when it is well. */
async function problemOf(pool: Pool, path: string): Promise<string | undefined> {
  try {
    const timeouts = { headersTimeout: healthTimeoutMs, bodyTimeout: healthTimeoutMs };
    const answer = await pool.request({ method: 'GET', path, ...timeouts });
    await answer.body.dump();
    return answer.statusCode < 400 ? undefined : `${path} answered ${answer.statusCode}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
