/** The daemon itself, as `meterctl serve` opens it: with its ledger on disk, or with one in memory to compare. */

import type { Settings } from '../../config/settings.js';
import { openApp } from '../../daemon.js';
import type { Store } from '../../domain/store.js';
import type { Host } from '../../lib/host.js';
import type { BenchServer } from './server.js';

/** Serves what the settings say. */
export async function openMetered(
  settings: Settings,
  machine: Host,
  adapt?: (store: Store) => Store,
): Promise<BenchServer> {
  const app = await openApp(settings, machine, adapt);
  const { url } = await app.start();
  return { url, close: () => app.stop() };
}

/**
 * The same database, but usage is only counted: answers go out in the same turn of the event loop as they would after a
 * commit that takes no time. What is left is everything that a paid call costs but its durability.
 */
export function withoutLedger(store: Store): Store {
  let id = 0;
  const periods = new Map<number, number>();
  return {
    ...store,
    recordUsage(usages) {
      return usages.map(({ customerNo, units }) => {
        const periodUnits = (periods.get(customerNo) ?? 0) + units;
        periods.set(customerNo, periodUnits);
        id += 1;
        return { id, recorded: 'new', units, periodUnits };
      });
    },
  };
}
