import { expect, it } from 'vitest';
import { readResult } from '../../src/bench/wrk.js';

const good = `Running 2s test @ http://127.0.0.1:9101/api
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     4.45ms    8.71ms 117.19ms   95.11%
    Req/Sec    22.51k     3.05k   26.30k    70.00%
  Latency Distribution
     50%    2.52ms
     75%    3.14ms
     90%    6.71ms
     99%   34.05ms
  44874 requests in 2.01s, 27.77MB read
Requests/sec:  22335.80
Transfer/sec:     13.82MB
`;

it('reads what wrk prints', () => {
  expect(readResult(good)).toEqual({ requestsPerSecond: 22335.8, p99Ms: 34.05, answered: 44874, failed: 0 });
  expect(readResult(good.replace('34.05ms', '810.00us')).p99Ms).toBeCloseTo(0.81);
  expect(readResult(good.replace('34.05ms', '1.20s')).p99Ms).toBe(1200);
});

it('counts what failed', () => {
  const bad = `${good}  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 74\n`;
  expect(readResult(bad)).toMatchObject({ answered: 44800, failed: 84 });
});

it('does not guess', () => {
  expect(() => readResult('unable to connect to 127.0.0.1:1 Connection refused')).toThrow('something new');
});
