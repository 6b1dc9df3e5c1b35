/** Finds the calls that a customer has open: they count against its limits, whichever process runs them. */

/** Few rows are open at a time, so this costs a call next to nothing. */
export const openCallsSql = `
CREATE INDEX open_calls_of_customer ON open_calls (customer_no);
`;
