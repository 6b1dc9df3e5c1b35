/** Many calls of the paid endpoint at once. */

import { Agent, request } from 'node:http';

/** Makes so many calls over this many kept connections, and counts the statuses. */
export async function flood(
  url: string,
  key: string,
  { calls, connections }: { calls: number; connections: number },
): Promise<Record<number, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const statuses: Record<number, number> = {};
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const sent = request(`${url}/api`, { agent, headers: { 'x-api-key': key } }, (answer) => {
        const status = answer.statusCode ?? 0;
        statuses[status] = (statuses[status] ?? 0) + 1;
        answer.resume().on('end', resolve);
      });
      sent.on('error', reject).end();
    });
  await Promise.all(Array.from({ length: calls }, one));
  agent.destroy();
  return statuses;
}
