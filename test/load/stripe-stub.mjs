/** Stripe's meter events and nothing else, in a process of its own: takes each, after a while, and counts them when it is asked. */

import { createServer } from 'node:http';

const latencyMs = Number(process.argv[2]);
const identifiers = new Set();
let events = 0;

const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    const identifier = new URLSearchParams(body).get('identifier');
    identifiers.add(identifier);
    events += 1;
    setTimeout(() => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ object: 'billing.meter_event', identifier }));
    }, latencyMs);
  });
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', () => process.send({ events, identifiers: identifiers.size }));
