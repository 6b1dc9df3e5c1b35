/** What `init` needs to know: from flags, from meterctl.json, from a person, or from sensible defaults, in this order. */

import { type ConfigFile, rules } from '../config/schema.js';
import type { CatalogSettings, Settings } from '../config/settings.js';
import { MeterctlError } from '../domain/error.js';
import type { Mode } from '../domain/mode.js';
import { minorFromMajor } from '../domain/money.js';
import type { Prompt } from './prompt.js';

/** What the command line says, as text. */
export interface InitFlags {
  product?: string;
  unit?: string;
  price?: string;
  currency?: string;
  interval?: string;
  eventName?: string;
  webhookUrl?: string;
}

/** Answers as texts, until all are there and checked. */
type Answers = Partial<Record<keyof CatalogSettings, string>>;

/** One thing to know. */
interface Field {
  name: keyof CatalogSettings;
  flag: keyof InitFlags;
  question: string;
  rule: 'productName' | 'unit' | 'currency' | 'amount' | 'interval' | 'eventName';
  /** Whether it has to be said, by a flag or with `--yes`, where nobody can be asked. */
  required: boolean;
  choices?: readonly string[];
  fallback(answers: Answers): string;
}

/** In the order in which a person is asked. The currency comes before the price, which depends on it. */
const fields: readonly Field[] = [
  {
    name: 'productName',
    flag: 'product',
    question: 'What do you sell? Invoices show this name:',
    rule: 'productName',
    required: true,
    fallback: () => 'My API',
  },
  {
    name: 'unit',
    flag: 'unit',
    question: 'What is one unit called?',
    rule: 'unit',
    required: true,
    fallback: () => 'call',
  },
  {
    name: 'currency',
    flag: 'currency',
    question: 'Currency, three letters:',
    rule: 'currency',
    required: false,
    fallback: () => 'usd',
  },
  {
    name: 'price',
    flag: 'price',
    question: 'Price of one unit, such as 0.05 or 0.0002:',
    rule: 'amount',
    required: true,
    fallback: () => '0.05',
  },
  {
    name: 'interval',
    flag: 'interval',
    question: 'An invoice every',
    rule: 'interval',
    required: false,
    choices: ['day', 'week', 'month', 'year'],
    fallback: () => 'month',
  },
  {
    name: 'eventName',
    flag: 'eventName',
    question: 'Name of the meter at Stripe; it cannot be changed later:',
    rule: 'eventName',
    required: false,
    fallback: ({ productName, unit }) => `${slug(productName)}_${slug(unit)}s`.slice(0, 100),
  },
];

/** Gathers the answers. `prompt` is absent where nobody is asked; `yes` takes every default. Throws `invalid` or `conflict`. */
export async function gatherAnswers(given: {
  flags: InitFlags;
  file: ConfigFile | undefined;
  prompt: Prompt | undefined;
  yes: boolean;
}): Promise<CatalogSettings> {
  const { flags, file, prompt } = given;
  const answers: Answers = {};
  const written = answersOf(file);
  const missing = fields.filter(
    (field) => field.required && flags[field.flag] === undefined && written[field.name] === undefined,
  );
  if (!prompt && !given.yes && missing.length > 0) {
    throw new MeterctlError('invalid', `Say what is sold: ${missing.map(flagName).join(', ')} missing.`, {
      hint: 'For instance: meterctl init --product "My API" --unit call --price 0.05 (or --yes for the defaults)',
    });
  }
  for (const field of fields) {
    const said = flags[field.flag]?.trim();
    if (said !== undefined) {
      const fault = faultOf(field, said, answers);
      if (fault !== undefined) throw new MeterctlError('invalid', `${flagName(field)} ${fault}.`);
    }
    const known = said ?? written[field.name];
    answers[field.name] = known ?? (await ask(field, answers, prompt));
  }
  return catalogFrom(answers);
}

/**
 * Where Stripe's messages go; `null` for nowhere. A person is asked once, and only when there is a real Stripe to send
 * them. Throws `invalid`.
 */
export async function askWebhookUrl(given: {
  said: string | undefined;
  settings: Pick<Settings, 'mode'>;
  file: ConfigFile | undefined;
  prompt: Prompt | undefined;
}): Promise<string | null> {
  const { said, settings, file, prompt } = given;
  const fault = (text: string) => webhookFault(text, settings.mode);
  if (said !== undefined) {
    const wrong = fault(said);
    if (wrong !== undefined) throw new MeterctlError('invalid', `--webhook-url ${wrong}.`);
    return rules.url.parse(said);
  }
  if (!prompt || settings.mode === 'emulator' || file?.stripe) return null;
  const answer = await prompt.text({
    message: "URL for Stripe's messages, such as https://api.example.com/webhook (empty for none):",
    validate: (text) => (text.trim() === '' ? true : sentenceOf(fault(text.trim()))),
  });
  return answer === '' ? null : rules.url.parse(answer);
}

/** Throws `conflict` when the answers differ from those that were set up before. */
export function checkUnchanged(catalog: CatalogSettings, file: ConfigFile | undefined): void {
  if (!file?.stripe) return;
  const written = answersOf(file);
  for (const { name, flag } of fields) {
    const before = written[name];
    if (before === undefined || same(name, before, catalog)) continue;
    throw new MeterctlError(
      'conflict',
      `This was set up with ${flagName({ flag })} "${before}", not "${catalog[name]}".`,
      {
        hint: 'What was set up is never changed silently. Leave the flag away, or set up another folder.',
      },
    );
  }
}

async function ask(field: Field, answers: Answers, prompt: Prompt | undefined): Promise<string> {
  const fallback = field.fallback(answers);
  if (!prompt) return fallback;
  if (field.choices) return prompt.choice(field.question, field.choices, fallback);
  return prompt.text({
    message: field.question,
    default: fallback,
    validate(answer) {
      return sentenceOf(faultOf(field, answer.trim(), answers));
    },
  });
}

function sentenceOf(fault: string | undefined): true | string {
  return fault === undefined ? true : `It ${fault}.`;
}

function webhookFault(text: string, mode: Mode): string | undefined {
  const checked = rules.url.safeParse(text);
  if (!checked.success) return checked.error.issues[0]?.message;
  // Stripe sends live events to https alone (stripe-facts 6).
  return mode === 'live' && !text.startsWith('https:') ? 'must begin with https:// in live mode' : undefined;
}

/** What is wrong with a text, as a sentence without its subject. */
function faultOf(field: Field, text: string, answers: Answers): string | undefined {
  const checked = rules[field.rule].safeParse(text);
  if (!checked.success) return checked.error.issues[0]?.message;
  if (field.name !== 'price') return undefined;
  try {
    minorFromMajor(text, answers.currency ?? 'usd');
    return undefined;
  } catch (error) {
    if (error instanceof MeterctlError) return `cannot be charged: ${error.hint}`.replace(/\.$/, '');
    throw error;
  }
}

function catalogFrom(answers: Answers): CatalogSettings {
  const { productName = '', unit = '', price = '', currency = '', interval, eventName = '' } = answers;
  return {
    ...{ productName, unit, price, eventName },
    currency: rules.currency.parse(currency),
    interval: rules.interval.parse(interval),
  };
}

function answersOf(file: ConfigFile | undefined): Answers {
  return {
    ...(file?.product && { productName: file.product.name, unit: file.product.unit }),
    ...(file?.price && {
      price: file.price.amount,
      currency: file.price.currency,
      interval: file.price.interval,
    }),
    ...(file?.meter && { eventName: file.meter.eventName }),
  };
}

/** `0.05` and `0.050` are one price. */
function same(name: keyof CatalogSettings, before: string, catalog: CatalogSettings): boolean {
  if (name !== 'price') return before === catalog[name];
  return minorFromMajor(before, catalog.currency) === minorFromMajor(catalog.price, catalog.currency);
}

function flagName(field: Pick<Field, 'flag'>): string {
  return `--${field.flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function slug(text = ''): string {
  const plain = text.normalize('NFKD').toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '') || 'api';
}
