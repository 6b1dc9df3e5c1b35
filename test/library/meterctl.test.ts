/** Opening meterctl in a program: what it takes, and what it says to what it does not take. */

import express from 'express';
import { describe, expect, it } from 'vitest';
import { MeterctlError, type MeterctlOptions, meterctl, type Price } from '../../src/meterctl.js';
import { createTestFolder } from '../support/folder.js';
import { openShop, serve } from '../support/library.js';

const noEnv = { env: {} };

describe('meterctl()', () => {
  it.each<[unknown, string, string | undefined]>([
    [{ databse: 'x.db' }, 'meterctl(): databse is no option.', 'Did you mean database?'],
    [{ url: 'example' }, 'meterctl(): url must be', undefined],
    [{ log: { info: 1 } }, 'meterctl(): log must have the methods debug, info, warn and error', undefined],
    ['.', 'meterctl(): what is given must be an object of options.', undefined],
  ])('refuses %j', async (options, message, hint) => {
    // What plain JavaScript may hand over.
    const opening = meterctl(options as MeterctlOptions);
    const error = await opening.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MeterctlError);
    expect(error).toMatchObject({ code: 'invalid', message: expect.stringContaining(message) });
    if (hint !== undefined) expect(error).toMatchObject({ hint });
  });

  it('says that init was not run, and where', async () => {
    const folder = createTestFolder();
    await expect(meterctl({ folder, ...noEnv })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(folder),
      hint: 'Run meterctl init first.',
    });
  });

  it('closes twice, and refuses to show pages that nobody could come back to', async () => {
    const { shop, open } = await openShop();
    expect(() => shop.pages()).toThrow(/how buyers reach this app/);
    const other = await open({ url: 'https://api.example.com' });
    expect(other.pages()).toBeTypeOf('function');
    await Promise.all([shop.close(), shop.close()]);
    await shop.close();
  });

  it('sends usage to Stripe before it ends', async () => {
    const { shop, key, json } = await openShop();
    const sold = shop.fetch({ units: 4 }, () => new Response('ok'));
    await sold(new Request('http://localhost/', { headers: { 'x-api-key': key } }));
    await shop.close();
    expect(await json('outbox status')).toMatchObject({ pending: 0, delivered: 1 });
  });

  it.each<[unknown, string]>([
    [{ unit: 1 }, 'unit is no option'],
    [{ units: -1 }, 'units must be a whole number'],
    [{ onAbort: 'never' }, 'onAbort must be delivered, upstream or none'],
    [{ counts: ['2x'] }, 'must be a status such as 404'],
  ])('knows no price such as %j', async (price, message) => {
    const { shop } = await openShop();
    // As above.
    expect(() => shop.express(price as Price)).toThrow(message);
    expect(() => shop.fetch(price as Price, () => new Response())).toThrow(message);
  });

  it('says how it is used where it is used in another way', async () => {
    const { shop, key } = await openShop();
    const app = express();
    // Without its brackets, which types let pass.
    app.get('/', shop.express, (_req, res) => res.end('ok'));
    app.use(((error, _req, res, _next) => res.json([error.code, error.hint])) as express.ErrorRequestHandler);
    expect(await (await fetch(await serve(app))).json()).toEqual([
      'invalid',
      expect.stringContaining('shop.express()'),
    ]);
    const sold = shop.fetch(async (_request, meter) => {
      // As plain JavaScript may.
      const said = meter.units('3' as unknown as number);
      return new Response(
        await said.then(
          () => 'taken',
          (error: Error) => error.message,
        ),
      );
    });
    const context = { req: { raw: new Request('http://x/') } } as unknown as Request;
    await expect(sold(context)).rejects.toMatchObject({
      code: 'invalid',
      hint: expect.stringContaining('c.req.raw'),
    });
    const answer = await sold(new Request('http://x/', { headers: { 'x-api-key': key } }));
    expect(await answer.text()).toMatch(/, not a string\.$/);
  });
});
