/** `/v1/billing_portal`: configurations and sessions of the customer portal. Stripe: stripe-facts 8. */

import { z } from 'zod';
import type { Account } from '../account.js';
import { ApiError, missing, noSuch, notFound } from '../api-error.js';
import type { Stored } from '../object-kinds.js';
import { listObjects } from '../pagination.js';
import { type Route, route } from '../router.js';
import { updateObject } from '../update-object.js';
import {
  changed,
  configurationFor,
  createConfiguration,
  type PortalConfiguration,
} from './portal-configuration.js';
import {
  configurationList,
  configurationParameters,
  configurationUpdate,
  sessionParameters,
} from './portal-parameters.js';

/** A stored portal session. */
export type PortalSession = Stored<'portal_session'>;
type AskedSession = z.output<typeof sessionParameters>;

function configurationById(account: Account, id: string): PortalConfiguration {
  const configuration = account.objects.get('portal_configuration', id);
  if (!configuration) throw notFound('portal_configuration', id);
  return configuration;
}

function createSession(account: Account, asked: AskedSession): PortalSession {
  const { customer, configuration: wanted } = asked;
  if (!account.objects.get('customer', customer)) throw noSuch('customer', customer, 'customer');
  const configuration = configurationFor(account, wanted);
  if (!configuration && wanted !== undefined) throw noSuch('portal_configuration', wanted, 'configuration');
  if (!configuration) {
    throw new ApiError(
      'No configuration provided and your test mode default configuration has not been created. Provide a configuration or create your ' +
        'default by saving your customer portal settings in test mode at https://dashboard.stripe.com/test/settings/billing/portal.',
    );
  }
  const id = account.newId('bps');
  const session = account.objects.put('portal_session', {
    id,
    object: 'billing_portal.session',
    configuration: configuration.id,
    created: account.clock.nowSec(),
    customer,
    customer_account: null,
    flow: flowOf(account, asked),
    livemode: false,
    locale: asked.locale ?? null,
    on_behalf_of: null,
    return_url: asked.return_url ?? configuration.default_return_url,
    url: `${account.baseUrl()}/p/session/${id}`,
  });
  account.emit('billing_portal.session.created', session);
  return session;
}

/** A session may lead straight to one thing and back. */
function flowOf(account: Account, asked: AskedSession): PortalSession['flow'] {
  const { flow_data: flow } = asked;
  if (!flow) return null;
  const cancel = flow.subscription_cancel;
  if (flow.type === 'subscription_cancel') {
    if (!cancel) throw missing('flow_data[subscription_cancel]');
    if (account.objects.get('subscription', cancel.subscription)?.customer !== asked.customer) {
      throw noSuch('subscription', cancel.subscription, 'flow_data[subscription_cancel][subscription]');
    }
  }
  const after = flow.after_completion;
  return {
    after_completion: {
      hosted_confirmation: null,
      redirect: after?.redirect ?? null,
      type: after?.type ?? 'portal_homepage',
    },
    customer_update: null,
    subscription_cancel: cancel ? { retention: null, subscription: cancel.subscription } : null,
    subscription_pause: null,
    subscription_update: null,
    subscription_update_confirm: null,
    type: flow.type,
  };
}

/** The portal. */
export const portalRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/billing_portal/configurations',
    parameters: configurationParameters,
    handle: (account, { parameters }) => createConfiguration(account, parameters),
  }),
  route({
    method: 'get',
    path: '/v1/billing_portal/configurations',
    parameters: configurationList,
    handle(account, request) {
      const { active, is_default } = request.parameters;
      return listObjects(account, 'portal_configuration', request, { fields: { active, is_default } });
    },
  }),
  route({
    method: 'get',
    path: '/v1/billing_portal/configurations/:id',
    parameters: z.strictObject({}),
    handle: (account, { path }) => configurationById(account, path.id),
  }),
  route({
    method: 'post',
    path: '/v1/billing_portal/configurations/:id',
    parameters: configurationUpdate,
    handle(account, { path, parameters }) {
      const before = configurationById(account, path.id);
      const after = changed(before, parameters, account.clock.nowSec());
      return updateObject(
        account,
        'portal_configuration',
        before,
        after,
        'billing_portal.configuration.updated',
      );
    },
  }),
  route({
    method: 'post',
    path: '/v1/billing_portal/sessions',
    parameters: sessionParameters,
    handle: (account, { parameters }) => createSession(account, parameters),
  }),
];
