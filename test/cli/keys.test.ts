import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hash as bcrypt } from '@node-rs/bcrypt';
import { describe, expect, it } from 'vitest';
import { createCommandLine } from '../support/command-line.js';
import { createTestFolder } from '../support/folder.js';

interface Listed<T> {
  data: T[];
  next_cursor: string | null;
}

interface Made {
  id: string;
  key: string;
  customer: string;
  expires_at: string | null;
}

async function ready(customers = 1) {
  const folder = createTestFolder();
  const line = createCommandLine(folder);
  await line.json(['init', '--product', 'Fire API', '--unit', 'call', '--price', '0.05']);
  const ids: string[] = [];
  for (let count = 0; count < customers; count += 1) {
    ids.push((await line.json<{ id: string }>(`customers create --email c${count}@example.com`)).id);
  }
  const [customer = '', other = ''] = ids;
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  return { folder, ...line, customer, other, write };
}

describe('the terms of a key', () => {
  it('are set, shown, changed and cleared', async () => {
    const { json, run, customer } = await ready();
    const terms =
      '--name ci --scope read --scope write --ip 192.0.2.0/24 --ip ::1 --metadata team=a --metadata x=';
    const made = await json<Made>(`keys create --customer ${customer} ${terms}`);
    const row = {
      name: 'ci',
      scopes: ['read', 'write'],
      ip_allow: ['192.0.2.0/24', '::1/128'],
      metadata: { team: 'a' },
    };
    expect(await json(`keys show ${made.id}`)).toMatchObject({ id: made.id, status: 'active', ...row });
    expect((await run(`keys show ${made.id}`)).out).toMatch(
      /used from\s+192.0.2.0\/24, ::1\/128[\s\S]*team=a/,
    );
    const update = `keys update ${made.id} --name new --expires 30d --metadata team= --metadata b=c --clear scopes ip`;
    expect(await json(update)).toMatchObject({
      name: 'new',
      scopes: [],
      ip_allow: [],
      metadata: { b: 'c' },
      expires_at: expect.any(String),
    });
    expect(await json(`keys update ${made.id} --clear expires name`)).toMatchObject({
      name: null,
      expires_at: null,
    });
  });

  it('are shown with the limits that hold for the key', async () => {
    const { json, run, customer } = await ready();
    const made = await json<Made>(`keys create --customer ${customer} --rate 5/s --quota 1000/month`);
    const show = `keys show ${made.id}`;
    expect(await json(show)).toMatchObject({ rate: '5/s', quota: '1000/month', max_in_flight: null });
    await json(`limits set --key ${made.id} --rate none --max-in-flight 2`);
    expect(await json(show)).toMatchObject({ rate: null, quota: '1000/month', max_in_flight: 2 });
    expect((await run(show)).out).toMatch(/quota +1000\/month\nin flight +2\n/);
    expect(await json(`keys update ${made.id} --name x`)).toMatchObject({ quota: '1000/month' });
  });

  it('are not told of a key in the place of a customer, nor is the way to mend it', async () => {
    const { json, run, customer } = await ready();
    const { key } = await json<Made>(`keys create --customer ${customer}`);
    const { code, err } = await run(`keys create --customer cus_${key}`);
    expect(code).toBe(4);
    expect(err).toContain('hint:');
    expect(err).not.toContain(key);
  });

  it.each([
    ['keys create', 2],
    ['keys create --customer cus_1 --ip 192.0.2.0/99', 2],
    ['keys create --customer cus_1 --metadata nonsense', 2],
    ['keys create --customer cus_1 --rate fast', 2],
    ['keys create --customer cus_1 --from a.csv', 2],
    ['keys create --from missing.csv', 4],
    ['keys update key_none', 2],
    ['keys update key_none --name x', 4],
    ['keys update key_none --clear everything', 2],
    ['keys rotate key_none', 4],
    ['keys rotate key_none --grace 1mo', 2],
    ['keys revoke', 2],
    ['keys revoke key_none --customer cus_1', 2],
    ['keys revoke key_none', 4],
    ['keys revoke --customer cus_none', 4],
    ['keys import missing.csv', 4],
    ['keys import --hash md5', 2],
    ['keys scan missing', 4],
    ['audit list --from yesterday', 2],
  ])('%s ends with %d', async (line, code) => {
    const { run } = await ready(0);
    expect(await run(line)).toMatchObject({ code, err: expect.stringMatching(/^error: /) });
  });
});

describe('the end of a key', () => {
  it('is a time that can be written, and read again by an import', async () => {
    const { json, run, customer } = await ready();
    for (const expires of ['999999mo', '999999w']) {
      const made = await run(`keys create --customer ${customer} --expires ${expires} --json`);
      expect(made).toMatchObject({ code: 2, out: expect.stringContaining('year 9999') });
    }
    const last = '9999-12-31T23:59:59.999Z';
    const made = await json<Made>(`keys create --customer ${customer} --expires ${last}`);
    expect((await run(`keys update ${made.id} --expires 999999mo`)).code).toBe(2);
    expect(await json(`keys rotate ${made.id} --grace 999999w`)).toMatchObject({
      expires_at: last,
      old: { ends_at: last },
    });
    const { out } = await run('keys export');
    expect(await json('keys import', { input: out })).toEqual({ imported: 0, known: 2 });
  });

  it('is not set and taken away at once', async () => {
    const { json, run, customer } = await ready();
    const made = await json<Made>(`keys create --customer ${customer} --expires 30d`);
    const update = (words: string) => run(`keys update ${made.id} ${words}`);
    expect(await update('--expires 60d --clear name expires')).toMatchObject({ code: 2 });
    expect((await update('--name a --clear name')).err).toContain('name is both set and cleared');
    expect(await json(`keys show ${made.id}`)).toMatchObject({ name: null, expires_at: made.expires_at });
  });
});

describe('a rotation', () => {
  it('gives a key of the same terms; the old one ends with its grace', async () => {
    const { json, run, customer } = await ready();
    const old = await json<Made>(
      `keys create --customer ${customer} --name ci --scope read --rate 5/s --expires 90d`,
    );
    const rotated = await json<Made & { old: { id: string; ends_at: string } }>(
      `keys rotate ${old.id} --grace 24h`,
    );
    expect(rotated).toMatchObject({
      key: expect.stringMatching(/^mk_test_/),
      ...{ customer, name: 'ci', scopes: ['read'] },
      old: { id: old.id, ends_at: expect.any(String) },
      in_use: [],
    });
    expect(Date.parse(rotated.expires_at ?? '')).toBeGreaterThanOrEqual(Date.parse(old.expires_at ?? ''));
    const ends = Date.parse(rotated.old.ends_at) - Date.now();
    expect(ends).toBeGreaterThan(86_000_000);
    expect(ends).toBeLessThanOrEqual(86_400_000);
    for (const input of [old.key, rotated.key]) expect((await run('keys verify', { input })).code).toBe(0);
    expect(await json(`keys list --expiring 2d`)).toMatchObject({ data: [{ id: old.id, status: 'active' }] });
    expect((await run(`keys rotate ${old.id}`)).code).toBe(6);
    const now = await run(`keys rotate ${rotated.id} --grace 0s`);
    expect(now.out).toMatch(/^mk_test_\w+\n$/);
    expect((await run('keys verify', { input: rotated.key })).code).toBe(3);
    expect((await run('keys verify', { input: now.out })).code).toBe(0);
  });
});

describe('all keys of a customer', () => {
  it('are revoked at once', async () => {
    const { json, run, customer, other } = await ready(2);
    const mine = [
      await json<Made>(`keys create --customer ${customer}`),
      await json<Made>(`keys create --customer ${customer}`),
    ];
    const spared = await json<Made>(`keys create --customer ${other}`);
    const revoked = await json<Listed<Made>>(`keys revoke --customer ${customer}`);
    expect(revoked.data.map(({ id }) => id).sort()).toEqual(mine.map(({ id }) => id).sort());
    for (const { key: input } of mine) expect((await run('keys verify', { input })).code).toBe(3);
    expect((await run('keys verify', { input: spared.key })).code).toBe(0);
    expect((await run(`keys revoke --customer ${customer}`)).out).toBe(`Revoked 0 keys of ${customer}.\n`);
  });
});

describe('keys from a file', () => {
  it('are made for every row of a CSV file, in its order', async () => {
    const { run, json, customer, other, write } = await ready(2);
    const rows = [
      'customer,name,expires,scopes,ip_allow,rate,metadata.team',
      `${customer},"a, b",90d,read write,192.0.2.0/24,5/s,x`,
      `${other},,,,,,`,
    ];
    write('customers.csv', `\ufeff${rows.join('\r\n')}\r\n`);
    const { out, code } = await run('keys create --from customers.csv');
    expect(code).toBe(0);
    const [head, first, second] = out.split('\n');
    expect(head).toBe('customer,id,key,name,expires_at');
    expect(first).toMatch(new RegExp(`^${customer},key_\\w+,mk_test_\\w+,"a, b",20`));
    expect(second).toMatch(new RegExp(`^${other},key_\\w+,mk_test_\\w+,,$`));
    const { data } = await json<Listed<object>>(`keys list --customer ${customer}`);
    expect(data).toMatchObject([
      { name: 'a, b', scopes: ['read', 'write'], ip_allow: ['192.0.2.0/24'], metadata: { team: 'x' } },
    ]);
    expect((await run('keys verify', { input: second?.split(',')[2] ?? '' })).code).toBe(0);
  });

  it('are made from NDJSON on stdin', async () => {
    const { json, customer } = await ready();
    const rows = [
      { customer, scopes: ['a', 'b'], metadata: { n: 1 } },
      { customer, expires: '2099-01-01' },
    ];
    const input = rows.map((row) => `${JSON.stringify(row)}\n`).join('\n');
    const { data } = await json<Listed<Made>>('keys create --from -', { input });
    expect(data).toMatchObject([
      { customer, scopes: ['a', 'b'], metadata: { n: '1' }, key: expect.stringMatching(/^mk_test_/) },
      { customer, expires_at: '2099-01-01T00:00:00Z' },
    ]);
  });

  it.each([
    ['customer,nam\ncus_1,x', 'Line 1: there is no field nam. Did you mean name?'],
    ['customer,name,customer\nCUSTOMER,x,cus_1', 'Line 1: the field customer stands there twice'],
    ['customer,name\nCUSTOMER,x\n,y', 'Line 3: customer is missing'],
    ['customer,expires\nCUSTOMER,soon', 'Line 2: expires: It must be a time'],
    ['customer,name\nCUSTOMER,x,y', 'line 2 does not fit'],
    ['customer,ip_allow\nCUSTOMER,here', 'Line 2: ip_allow: It must be an IP address'],
    ['customer,expires\nCUSTOMER,2020-01-01', 'Line 2: expires: It must lie in the future'],
    ['customer,name\nCUSTOMER,x\ncus_other,y', 'There is no customer cus_other'],
    ['{"customer":"CUSTOMER"}\n[]', 'Line 2 is no JSON object'],
    ['{"customer":"CUSTOMER","metadata":[]}', 'Line 1: metadata: It must be a JSON object'],
    ['', 'no row'],
  ])('are all refused for %j', async (text, message) => {
    const { run, json, customer } = await ready();
    const { code, err } = await run('keys create --from -', { input: text.replaceAll('CUSTOMER', customer) });
    expect([2, 4]).toContain(code);
    expect(err).toContain(message);
    expect(await json('keys list')).toEqual({ data: [], next_cursor: null });
  });
});

describe('export and import', () => {
  it.each(['ndjson', 'csv'])('hand every key over in %s', async (format) => {
    const { json, run, customer } = await ready();
    const made = await json<Made>(
      `keys create --customer ${customer} --name "x --scope a --ip ::1 --metadata a=b --rate 5/s`,
    );
    await json(['keys', 'update', made.id, '--metadata', 'c= d ']);
    await json(`keys revoke ${(await json<Made>(`keys create --customer ${customer}`)).id}`);
    const exported = await run(`keys export --format ${format}`);
    expect(exported.out).not.toContain(made.key);
    const other = '--database other.db';
    await json(`customers import ${customer} ${other}`);
    expect(await json(`keys import ${other}`, { input: exported.out })).toEqual({ imported: 2, known: 0 });
    expect(await json(`keys import ${other}`, { input: exported.out })).toEqual({ imported: 0, known: 2 });
    expect(await run(`keys export --format ${format} ${other}`)).toMatchObject({ out: exported.out });
    expect(await json(`keys list ${other}`)).toEqual(await json('keys list'));
    expect((await run(`keys verify ${other}`, { input: made.key })).code).toBe(0);
    expect(await json<Listed<object>>('keys export')).toMatchObject({
      data: [{ id: made.id, rate: '5/s' }, {}],
    });
  });

  it('take over keys of another system, which keep their form', async () => {
    const { json, run, customer } = await ready();
    const secrets = ['plain-secret-1', 'peppered-secret-2', 'slow-secret-3'];
    const [plain = '', peppered = '', slow = ''] = secrets;
    const hmac = createHash('sha256').update('not used').digest('hex');
    const rows = [
      { customer, hash: createHash('sha256').update(plain).digest('base64'), name: 'old' },
      {
        customer,
        hash: await bcrypt(slow, { cost: 4 }),
        lookup: 'slow-',
        expires_at: '2099-01-01T00:00:00Z',
      },
    ];
    const input = rows.map((row) => JSON.stringify(row)).join('\n');
    expect(await json('keys import', { input })).toEqual({ imported: 2, known: 0 });
    expect(await json('keys import', { input })).toEqual({ imported: 0, known: 2 });
    for (const secret of [plain, slow, slow]) {
      expect((await run('keys verify', { input: secret })).code).toBe(0);
    }
    expect((await run('keys verify', { input: peppered })).code).toBe(3);
    const withoutPepper = await run('keys import', {
      input: JSON.stringify({ customer, hash: `hmac-sha256:${hmac}` }),
    });
    expect(withoutPepper).toMatchObject({ code: 2, err: expect.stringContaining('METERCTL_KEY_PEPPER') });
    const { data } = await json<Listed<{ action: string }>>('audit list');
    const ofKeys = data.map(({ action }) => action).filter((action) => action.startsWith('key.'));
    expect(ofKeys).toEqual(['key.rehashed', 'key.imported', 'key.imported']);
  });

  it('say which line cannot be imported', async () => {
    const { run, customer } = await ready();
    const hash = 'a'.repeat(64);
    const refused = async (row: object) => {
      const input = `${JSON.stringify({ customer, hash })}\n${JSON.stringify(row)}`;
      const { code, err } = await run('keys import', { input });
      return `${code} ${err.split('\n')[0]}`;
    };
    expect(await refused({ customer: 'cus_other', hash: 'b'.repeat(64) })).toContain(
      '4 error: Line 2: there is no customer',
    );
    expect(await refused({ customer, hash: 'nonsense' })).toContain(
      '2 error: Line 2: hash: the hash must be',
    );
    expect(await refused({ customer })).toContain('2 error: Line 2: hash is missing');
  });
});

describe('what is no file of keys', () => {
  it.each([
    ['a JSON array', '[{"customer":"cus_1","hash":"a"}]', /one object a line/],
    ['rows without a header', `cus_1,${'a'.repeat(64)}\n`, /there is no field cus_1/],
    ['a header with a field that is unknown', 'customer,hsh\n', /there is no field hsh. Did you mean hash/],
    ['a field that holds more', '{"customer":"cus_1","hash":["a"]}', /Line 1: hash: .*text/],
  ])('%s is not taken for an empty one', async (_, input, words) => {
    const { run } = await ready(0);
    const { code, err } = await run('keys import', { input });
    expect(err).toMatch(words);
    expect(code).toBe(2);
  });

  it('may be a folder, which is told from a file that is not there', async () => {
    const { run } = await ready(0);
    const folder = await run('keys import .');
    expect([folder.code, folder.err]).toEqual([2, expect.stringContaining('. is a folder')]);
    expect((await run('keys import missing.csv')).code).toBe(4);
  });

  it('is taken as such where it is empty, as an export without keys', async () => {
    const { run, json } = await ready(0);
    const none = { imported: 0, known: 0 };
    expect(await json('keys import', { input: (await run('keys export')).out })).toEqual(none);
    expect(await json('keys import', { input: (await run('keys export --format csv')).out })).toEqual(none);
  });
});

describe('a mistyped key', () => {
  it('is told by its checksum where there is no database, and nothing is set up', async () => {
    const { run } = createCommandLine(createTestFolder());
    const input = `mk_live_${'a'.repeat(24)}_aaaaaa`;
    const { code, out } = await run('keys verify --json', { input });
    expect([code, JSON.parse(out)]).toEqual([3, { valid: false, status: 'malformed', key: null }]);
    const elsewhere = await run('keys verify', { input: 'a-key-from-elsewhere' });
    expect([elsewhere.code, elsewhere.err]).toEqual([2, expect.stringContaining('Nothing is set up here')]);
  });
});

describe('the audit log', () => {
  it('names who was at the command line, and filters', async () => {
    const { json, run, customer } = await ready();
    const env = { USER: 'ada lovelace' };
    const made = await json<Made>(`keys create --customer ${customer} --name ci`, { env });
    await json(`keys revoke ${made.id}`, { env: { LOGNAME: 'bob' } });
    const { data, next_cursor } = await json<Listed<object>>(`audit list --subject ${made.id}`);
    expect(next_cursor).toBeNull();
    expect(data).toMatchObject([
      { actor: 'cli:bob', action: 'key.revoked', subject: made.id, customer, at: expect.any(String) },
      { actor: 'cli:ada_lovelace', action: 'key.created', details: { name: 'ci' } },
    ]);
    expect(await json('audit list --action key.created --limit 1')).toMatchObject({
      data: [{ subject: made.id }],
    });
    expect(await json('audit list --actor cli:nobody')).toEqual({ data: [], next_cursor: null });
    expect((await run('audit list')).out).toContain('name=ci');
    expect((await run('audit list')).out).not.toContain(made.key);
  });
});

describe('a scan', () => {
  it('prints where keys are, never the keys', async () => {
    const { json, run, customer, folder, write } = await ready();
    const made = await json<Made & { hint: string }>(`keys create --customer ${customer}`);
    expect(await run('keys scan')).toMatchObject({ code: 0, out: '' });
    write('notes.txt', `\nthe key is ${made.key}\n`);
    const plain = await run('keys scan');
    expect(plain.code).toBe(3);
    expect(plain.err).toContain('Found 1 key in ');
    expect(plain.out).toMatch(
      new RegExp(`^notes.txt:2  mk_test_….{4}  ${made.id} of ${customer}, active\n$`),
    );
    const report = await run('keys scan --json');
    expect(JSON.parse(report.out)).toMatchObject({
      findings: [
        { file: 'notes.txt', line: 2, commit: null, owner: 'own', key: { id: made.id, status: 'active' } },
      ],
      scanned: { history: false, skipped: 0 },
    });
    const sarif = await run('keys scan . --sarif');
    expect(sarif.code).toBe(3);
    expect(JSON.parse(sarif.out)).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 'meterctl', rules: [{ id: 'api-key' }] } },
          results: [
            {
              ruleId: 'api-key',
              level: 'error',
              locations: [
                { physicalLocation: { artifactLocation: { uri: 'notes.txt' }, region: { startLine: 2 } } },
              ],
            },
          ],
        },
      ],
    });
    for (const { out, err } of [plain, report, sarif]) expect(out + err).not.toContain(made.key);
    mkdirSync(join(folder, 'src'));
    renameSync(join(folder, 'notes.txt'), join(folder, 'src', 'notes.txt'));
    for (const path of ['src', 'src/notes.txt', join(folder, 'src')]) {
      expect((await run(`keys scan ${path}`)).out).toMatch(/^src\/notes.txt:2 /);
    }
    const elsewhere = createCommandLine(createTestFolder());
    const far = JSON.parse((await elsewhere.run(`keys scan ${folder} --sarif`)).out);
    expect(far.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri).toBe(
      `file://${folder}/src/notes.txt`,
    );
  });

  it('works on a machine that has no database', async () => {
    const { json, customer } = await ready();
    const { key } = await json<Made>(`keys create --customer ${customer}`);
    const folder = createTestFolder();
    writeFileSync(join(folder, 'a'), key);
    const { code, out, err } = await createCommandLine(folder).run('keys scan --json');
    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject({ findings: [{ owner: 'unknown', key: null }] });
    expect(err).toContain('no database');
  });
});

describe('the prefix of keys', () => {
  it("may be the operator's own", async () => {
    const { json, run, customer, folder } = await ready();
    const before = await json<Made>(`keys create --customer ${customer}`);
    const path = join(folder, 'meterctl.json');
    writeFileSync(
      path,
      JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), auth: { keyPrefix: 'acme' } }),
    );
    const after = await json<Made>(`keys create --customer ${customer}`);
    expect(after.key).toMatch(/^acme_test_/);
    for (const { key: input } of [before, after]) expect((await run('keys verify', { input })).code).toBe(0);
  });
});
