/** Messages from Stripe that were applied long ago can be found without reading all of them. */

/** By the time of arrival. */
export const oldMessagesSql = `
CREATE INDEX webhooks_applied ON webhooks (received_at_ms, created_at_ms) WHERE state = 'applied';
`;
