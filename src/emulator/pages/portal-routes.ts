/** `/p/session/:id`: the customer portal and what can be done there. */

import type { Account } from '../account.js';
import { endSubscription } from '../billing/cancellation.js';
import { attachPaymentMethod, createPaymentMethod, makeDefault } from '../billing/payment-method.js';
import { isLive, periodEndOf, type Subscription, updateSubscription } from '../billing/subscription.js';
import { hourSec, timeOf } from '../billing/timeline.js';
import type { PageAnswer, PageRequest, PageRoute } from '../page-route.js';
import { notice } from './layout.js';
import { chosenMethod } from './method-choice.js';
import { cancelPage, type PortalView, portalPage } from './portal-page.js';

/** What the home page says after something was done: `?done=renewed`. */
const messages: Record<string, string> = {
  canceled: 'Your subscription will be canceled.',
  renewed: 'Your subscription goes on.',
  saved: 'Your payment method has been saved.',
};

/** The view behind a link, or the page that says why there is none. */
function open(account: Account, request: PageRequest): PortalView | PageAnswer {
  const session = account.objects.get('portal_session', request.path.id ?? '');
  const configuration = session && account.objects.get('portal_configuration', session.configuration);
  const customer = session && account.objects.get('customer', session.customer);
  if (!session || !configuration || !customer) {
    return notice(404, 'There is no such page', 'The link is incomplete or was made by another Stripe.');
  }
  if (account.clock.nowSec() > session.created + hourSec) {
    const back = session.return_url ? { label: 'Return', href: session.return_url } : undefined;
    return notice(
      410,
      'This page has expired',
      'Please go back to where you came from and open it again.',
      back,
    );
  }
  const done = messages[request.query.done ?? ''];
  return { session, configuration, customer, message: done ? { text: done, good: true } : undefined };
}

/** Runs `work` with the view of a link, where it leads to one. */
function inPortal(work: (account: Account, view: PortalView, request: PageRequest) => PageAnswer) {
  return (account: Account, request: PageRequest): PageAnswer => {
    const view = open(account, request);
    return 'session' in view ? work(account, view, request) : view;
  };
}

function home(account: Account, view: PortalView, request: PageRequest): PageAnswer {
  const wanted = view.session.flow?.subscription_cancel?.subscription;
  if (wanted && request.query.home === undefined && request.query.done === undefined) {
    return confirm(account, view, wanted);
  }
  return { status: 200, html: portalPage(account, view) };
}

function confirm(account: Account, view: PortalView, id: string): PageAnswer {
  const subscription = ownSubscription(account, view, id);
  return subscription
    ? { status: 200, html: cancelPage(view, subscription) }
    : { status: 200, html: portalPage(account, view) };
}

/**
 * Cancels at the end of the period. The portal sets `cancel_at` alone: `cancel_at_period_end` stays false on flexible
 * subscriptions. Stripe: stripe-facts 1.
 */
function cancel(account: Account, view: PortalView, request: PageRequest): PageAnswer {
  const subscription = ownSubscription(account, view, request.form.subscription);
  const { enabled, mode, proration_behavior: proration } = view.configuration.features.subscription_cancel;
  if (!subscription || !enabled) return toHome(view);
  const now = timeOf(account, subscription.test_clock);
  if (mode === 'immediately') {
    endSubscription(account, subscription, {
      billUsage: proration !== 'none',
      reason: 'cancellation_requested',
    });
  } else {
    updateSubscription(account, subscription, {
      cancel_at: periodEndOf(subscription),
      canceled_at: subscription.canceled_at ?? now,
      cancellation_details: {
        comment: null,
        feedback: null,
        feedback_option: null,
        reason: 'cancellation_requested',
      },
    });
  }
  const after = view.session.flow?.after_completion.redirect?.return_url;
  return after ? { location: after } : toHome(view, 'canceled');
}

function renew(account: Account, view: PortalView, request: PageRequest): PageAnswer {
  const subscription = ownSubscription(account, view, request.form.subscription);
  if (!subscription || !view.configuration.features.subscription_cancel.enabled) return toHome(view);
  updateSubscription(account, subscription, {
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
  });
  return toHome(view, 'renewed');
}

function savePaymentMethod(account: Account, view: PortalView, request: PageRequest): PageAnswer {
  const method = chosenMethod(request.form.payment_method);
  if (!method || !view.configuration.features.payment_method_update.enabled) return toHome(view);
  if (method.failure?.when === 'attach') {
    const text = `${method.failure.message} Please choose another payment method.`;
    return { status: 402, html: portalPage(account, { ...view, message: { text, good: false } }) };
  }
  const { customer } = view;
  const owner = { name: customer.name ?? null, email: customer.email };
  const saved = attachPaymentMethod(account, createPaymentMethod(account, method, owner), customer.id);
  makeDefault(account, customer, saved.id);
  for (const subscription of account.objects.all('subscription', { fields: { customer: customer.id } })) {
    if (isLive(subscription)) updateSubscription(account, subscription, { default_payment_method: saved.id });
  }
  return toHome(view, 'saved');
}

function ownSubscription(
  account: Account,
  view: PortalView,
  id: string | undefined,
): Subscription | undefined {
  const subscription = account.objects.get('subscription', id ?? '');
  return subscription?.customer === view.customer.id && isLive(subscription) ? subscription : undefined;
}

function toHome(view: PortalView, done?: keyof typeof messages): PageAnswer {
  return { location: `/p/session/${view.session.id}${done ? `?done=${done}` : '?home=1'}` };
}

/** The portal's pages and forms. */
export const portalPageRoutes: readonly PageRoute[] = [
  { method: 'get', path: '/p/session/:id', handle: inPortal(home) },
  {
    method: 'get',
    path: '/p/session/:id/cancel/:subscription',
    handle: inPortal((account, view, request) => confirm(account, view, request.path.subscription ?? '')),
  },
  { method: 'post', path: '/p/session/:id/cancel', handle: inPortal(cancel) },
  { method: 'post', path: '/p/session/:id/renew', handle: inPortal(renew) },
  { method: 'post', path: '/p/session/:id/payment_method', handle: inPortal(savePaymentMethod) },
];
