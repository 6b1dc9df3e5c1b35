/** Portal configurations: what customers may do by themselves. */

import type { z } from 'zod';
import type { Account } from '../account.js';
import type { Stored } from '../object-kinds.js';
import { mergeMetadata } from '../parameters.js';
import type { configurationUpdate } from './portal-parameters.js';

/** A stored configuration. */
export type PortalConfiguration = Stored<'portal_configuration'>;
type Asked = z.output<typeof configurationUpdate>;
type Features = PortalConfiguration['features'];

/** A new configuration. Only one that is saved in the Dashboard, which there is none of here, is an account's default. */
export function createConfiguration(account: Account, asked: Asked): PortalConfiguration {
  const now = account.clock.nowSec();
  const blank: PortalConfiguration = {
    id: account.newId('bpc'),
    object: 'billing_portal.configuration',
    active: true,
    application: null,
    business_profile: { headline: null, privacy_policy_url: null, terms_of_service_url: null },
    created: now,
    default_return_url: null,
    features: noFeatures,
    is_default: false,
    livemode: false,
    login_page: { enabled: false, url: null },
    metadata: {},
    name: null,
    updated: now,
  };
  const configuration = account.objects.put('portal_configuration', changed(blank, asked, now));
  account.emit('billing_portal.configuration.created', configuration);
  return configuration;
}

/** The configuration with what was asked for put in. */
export function changed(before: PortalConfiguration, asked: Asked, now: number): PortalConfiguration {
  const { business_profile: profile, features, metadata, login_page: login, ...fields } = asked;
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return {
    ...before,
    ...given,
    business_profile: {
      headline: profile?.headline === undefined ? before.business_profile.headline : profile.headline,
      privacy_policy_url: profile?.privacy_policy_url ?? before.business_profile.privacy_policy_url,
      terms_of_service_url: profile?.terms_of_service_url ?? before.business_profile.terms_of_service_url,
    },
    features: changedFeatures(before.features, features),
    login_page: login ? { enabled: login.enabled, url: null } : before.login_page,
    metadata: mergeMetadata(before.metadata ?? {}, metadata),
    updated: now,
  };
}

/** The configuration a session uses: the one named, or the default. One that is switched off is none. */
export function configurationFor(account: Account, id: string | undefined): PortalConfiguration | undefined {
  const named = id === undefined ? undefined : account.objects.get('portal_configuration', id);
  if (id !== undefined) return named?.active ? named : undefined;
  return account.objects
    .all('portal_configuration', { where: (each) => each.is_default && each.active })
    .at(0);
}

function changedFeatures(before: Features, asked: Asked['features']): Features {
  if (!asked) return before;
  const { customer_update: update, subscription_cancel: cancel, subscription_update: change } = asked;
  return {
    customer_update: {
      enabled: update?.enabled ?? before.customer_update.enabled,
      allowed_updates: update?.allowed_updates ?? before.customer_update.allowed_updates,
    },
    invoice_history: { enabled: asked.invoice_history?.enabled ?? before.invoice_history.enabled },
    payment_method_update: {
      enabled: asked.payment_method_update?.enabled ?? before.payment_method_update.enabled,
      payment_method_configuration: null,
    },
    subscription_cancel: {
      cancellation_reason: {
        enabled:
          cancel?.cancellation_reason?.enabled ?? before.subscription_cancel.cancellation_reason.enabled,
        feedback_options: null,
        options:
          cancel?.cancellation_reason?.options ?? before.subscription_cancel.cancellation_reason.options,
      },
      enabled: cancel?.enabled ?? before.subscription_cancel.enabled,
      mode: cancel?.mode ?? before.subscription_cancel.mode,
      proration_behavior: cancel?.proration_behavior ?? before.subscription_cancel.proration_behavior,
    },
    subscription_pause: before.subscription_pause,
    subscription_update: {
      ...before.subscription_update,
      enabled: change?.enabled ?? before.subscription_update.enabled,
      default_allowed_updates:
        change?.default_allowed_updates ?? before.subscription_update.default_allowed_updates,
    },
  };
}

const noFeatures: Features = {
  customer_update: { allowed_updates: [], enabled: false },
  invoice_history: { enabled: false },
  payment_method_update: { enabled: false, payment_method_configuration: null },
  subscription_cancel: {
    cancellation_reason: {
      enabled: false,
      feedback_options: null,
      options: ['too_expensive', 'missing_features', 'switched_service', 'unused', 'other'],
    },
    enabled: false,
    mode: 'at_period_end',
    proration_behavior: 'none',
  },
  subscription_pause: { duration: { interval_options: [], type: 'indefinite' }, enabled: false },
  subscription_update: {
    billing_cycle_anchor: null,
    default_allowed_updates: [],
    enabled: false,
    proration_behavior: 'none',
    schedule_at_period_end: { conditions: [] },
    trial_update_behavior: 'end_trial',
  },
};
