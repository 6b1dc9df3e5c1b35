/** What every storage engine must do; each engine's test calls it with its own way of opening a store. */

import { describe } from 'vitest';
import type { Store } from '../../src/domain/store.js';
import type { FakeHost } from '../support/host.js';
import { describeAnswerClaims } from './answer-claims.js';
import { describeAnswers } from './answers.js';
import { describeCheckouts } from './checkouts.js';
import { describeCounts } from './counts.js';
import { describeCustomers } from './customers.js';
import { describeDeliveries } from './deliveries.js';
import { describeIdentity } from './identity.js';
import { describeKeyChanges } from './key-changes.js';
import { describeKeyTransfer } from './key-transfer.js';
import { describeKeys } from './keys.js';
import { describeLimits } from './limits.js';
import { describeOpenCalls } from './open-calls.js';
import { describeReconciliation } from './reconciliation.js';
import { describeReopening } from './reopening.js';
import { describeReports } from './reports.js';
import { describeRoom } from './room.js';
import { describeUsage } from './usage.js';
import { describeVoids } from './voids.js';
import { describeWebhooks } from './webhooks.js';

/** A fresh store with the machine it runs on. Whoever opens it also sees to it that it is closed. */
interface StoreUnderTest {
  store: Store;
  host: FakeHost;
  /** Opens the same database once more, as another process would. */
  openAnother(): Promise<Store>;
}

/** Opens a fresh store, inside a test. */
export type OpenStore = () => Promise<StoreUnderTest>;

/** The whole suite for one engine. */
export function describeStore(engine: string, open: OpenStore): void {
  describe(`the ${engine} store`, () => {
    describeIdentity(open);
    describeCustomers(open);
    describeKeys(open);
    describeKeyChanges(open);
    describeKeyTransfer(open);
    describeUsage(open);
    describeOpenCalls(open);
    describeCounts(open);
    describeRoom(open);
    describeReports(open);
    describeDeliveries(open);
    describeReconciliation(open);
    describeReopening(open);
    describeVoids(open);
    describeCheckouts(open);
    describeWebhooks(open);
    describeAnswers(open);
    describeAnswerClaims(open);
    describeLimits(open);
  });
}
