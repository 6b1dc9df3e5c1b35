/** What all the servers answer, so that they differ by what they do for it alone. */

/** The body that `res.json` gets where no usage is told. */
export const plainAnswer = { data: '🔥'.repeat(8) };
