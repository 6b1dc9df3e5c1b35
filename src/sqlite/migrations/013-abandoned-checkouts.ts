/** Checkout sessions that nobody completed can be found without reading all orders. */

/** By the time at which they were started. */
export const abandonedCheckoutsSql = `
CREATE INDEX checkouts_abandoned ON checkouts (created_at_ms) WHERE provisioned_at_ms IS NULL;
`;
