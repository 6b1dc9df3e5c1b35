/** `/c/pay/:id`: the page that a Checkout session's `url` leads to. */

import type { Account } from '../account.js';
import { type Buyer, completeSession } from '../billing/checkout-completion.js';
import type { CheckoutSession } from '../billing/checkout-session.js';
import type { PageAnswer, PageRequest, PageRoute } from '../page-route.js';
import { type CheckoutDraft, checkoutPage, knownEmail, mayGoWithout } from './checkout-page.js';
import { notice } from './layout.js';
import { chosenMethod, withoutMethod } from './method-choice.js';

/** What to show again, with what was wrong. */
type Refusal = CheckoutDraft & { error: string };

/** A plain check: something, an at sign, a domain. The mail itself would be the real one. */
const emailPattern = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

function show(account: Account, request: PageRequest): PageAnswer {
  const session = account.objects.get('checkout_session', request.path.id ?? '');
  return closedAnswer(account, session) ?? openPage(account, session);
}

/** Submits the page. Submitting a second time leads to the same place and changes nothing. */
function submit(account: Account, request: PageRequest): PageAnswer {
  const session = account.objects.get('checkout_session', request.path.id ?? '');
  if (session?.status === 'complete') return { location: successUrl(session) };
  const closed = closedAnswer(account, session);
  if (closed || !session) return closed ?? unknownSession();
  const form = readForm(account, session, request.form);
  if ('error' in form) return refused(account, session, form);
  return { location: successUrl(completeSession(account, session, form)) };
}

/** The buyer in a form, or the draft to show again with what is wrong. */
function readForm(account: Account, session: CheckoutSession, form: Record<string, string>): Buyer | Refusal {
  const email = knownEmail(account, session) ?? (form.email ?? '').trim();
  const name = (form.name ?? '').trim();
  const choice = form.payment_method;
  const draft: CheckoutDraft = { email, name, method: choice };
  if (!emailPattern.test(email)) {
    return { ...draft, error: 'Please enter your email address, such as you@example.com.', field: 'email' };
  }
  const buyer = { email, name: name || null };
  if (choice === withoutMethod && mayGoWithout(session)) return { ...buyer, method: undefined };
  const method = chosenMethod(choice);
  if (!method) return { ...draft, error: 'Please choose a payment method.', field: 'payment_method' };
  const { failure } = method;
  const takenNow = method.type === 'card' && (session.amount_total ?? 0) > 0;
  if (failure && (failure.when === 'attach' || takenNow)) {
    return { ...draft, error: `${failure.message} Please try another one.`, field: 'payment_method' };
  }
  return { ...buyer, method };
}

function refused(account: Account, session: CheckoutSession, draft: Refusal): PageAnswer {
  const status = draft.field === 'payment_method' ? 402 : 422;
  return { status, html: checkoutPage(account, session, draft) };
}

function openPage(account: Account, session: CheckoutSession | undefined): PageAnswer {
  return session ? { status: 200, html: checkoutPage(account, session) } : unknownSession();
}

/** What is said of a session that can no longer be completed, or never could. */
function closedAnswer(account: Account, session: CheckoutSession | undefined): PageAnswer | undefined {
  if (!session) return unknownSession();
  if (session.status === 'complete') {
    const text = 'This order has been placed already. There is nothing left to do here.';
    return notice(200, 'You are all done', text, { label: 'Continue', href: successUrl(session) });
  }
  if (session.status === 'open' && session.expires_at > account.clock.nowSec()) return undefined;
  const back = session.cancel_url ? { label: 'Back', href: session.cancel_url } : undefined;
  return notice(410, 'This page has expired', 'Please go back to where you came from and start again.', back);
}

function unknownSession(): PageAnswer {
  return notice(
    404,
    'There is no such page',
    'The link is incomplete or was made by another Stripe. Please start again.',
  );
}

/** The merchant's page for afterwards; the placeholder becomes the session's id. Stripe: stripe-facts 5. */
function successUrl(session: CheckoutSession): string {
  return (session.success_url ?? '').replaceAll('{CHECKOUT_SESSION_ID}', session.id);
}

/** The Checkout page and its form. */
export const checkoutPageRoutes: readonly PageRoute[] = [
  { method: 'get', path: '/c/pay/:id', handle: show },
  { method: 'post', path: '/c/pay/:id', handle: submit },
];
