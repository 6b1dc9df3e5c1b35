/** `GET /` and `GET /error`: the pages around Checkout that need nothing but the settings. */

import type { RequestHandler } from 'express';
import { errorPage } from '../pages/error-page.js';
import { homePage, type Offer } from '../pages/home-page.js';
import { sendPage } from '../pages/layout.js';

/** What these pages need. */
export interface HomeDeps {
  offer: Offer;
  /** Where `POST /checkout` leads a browser, as sources of a Content-Security-Policy. */
  checkoutSources: readonly string[];
  baseUrl(): string;
}

/** The start page. */
export function home(deps: HomeDeps): RequestHandler {
  return function home(_req, res) {
    sendPage(res, deps.offer, 200, homePage(deps.offer, deps.baseUrl(), deps.checkoutSources));
  };
}

/** The page of an abandoned Checkout. */
export function abandoned(deps: HomeDeps): RequestHandler {
  return function abandoned(_req, res) {
    sendPage(res, deps.offer, 200, errorPage(deps.checkoutSources));
  };
}
