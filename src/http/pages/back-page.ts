/** The step between Stripe's billing page and the portal. */

import { html } from '../../lib/html.js';
import type { Page } from './layout.js';

/** The page that leads on by itself. */
export const backPage: Page = {
  title: 'Your account',
  content: html`<p><a href="/portal">Back to your account</a></p>`,
};
