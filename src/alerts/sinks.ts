/** Where alerts go, as the settings say. */

import type { AlertSink } from '../domain/alert.js';
import { MeterctlError } from '../domain/error.js';
import type { Host } from '../lib/host.js';
import { createCommandSink } from './command-sink.js';
import { createWebhookSink, type DeliverAlert } from './webhook-sink.js';

/** Where alerts may go. */
export interface AlertSettings {
  url: string | null;
  secret: string | null;
  command: readonly string[] | null;
}

/** The places, each with its way. `machine` has the machine's own time. Throws `invalid` for a URL without a secret. */
export function createSinks(
  { url, secret, command }: AlertSettings,
  machine: Host,
): ReadonlyMap<AlertSink, DeliverAlert> {
  const sinks = new Map<AlertSink, DeliverAlert>();
  if (url !== null) {
    if (secret === null) {
      throw new MeterctlError('invalid', 'alerts.url is set, but there is no secret to sign alerts with.', {
        hint: 'Put METERCTL_ALERT_SECRET into .env: whsec_ followed by what "openssl rand -base64 32" prints.',
      });
    }
    sinks.set('webhook', createWebhookSink({ url, secret }, machine));
  }
  if (command !== null) sinks.set('command', createCommandSink(command, machine.clock));
  return sinks;
}
