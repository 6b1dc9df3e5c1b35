/** Whether an answer has a body at all. */

/** None follows the head of an answer to HEAD, of 204 and of 304 (RFC 9110 6.4.1). Others may have one, if an empty one. */
export function hasBody(method: string | undefined, status: number): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304;
}
