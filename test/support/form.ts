/** Fills in a plain HTML form and submits it, as a browser without JavaScript would. */

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function decode(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] ?? '');
}

function attribute(tag: string, name: string): string | undefined {
  const match = new RegExp(`\\b${name}="([^"]*)"`).exec(tag);
  return match ? decode(match[1]!) : undefined;
}

/** Gets the page, fills `values` into its first form with method post, and submits it without following the answer. */
export async function submitForm(pageUrl: string, values: Record<string, string> = {}): Promise<Response> {
  const page = await fetch(pageUrl);
  const html = await page.text();
  const form = /<form\b[^>]*method="post"[^>]*>[\s\S]*?<\/form>/i.exec(html)?.[0];
  if (!form) throw new Error(`There is no form on ${pageUrl} (${page.status}):\n${html}`);
  const fields = new URLSearchParams();
  for (const [tag] of form.matchAll(/<input\b[^>]*>/g)) {
    const name = attribute(tag, 'name');
    const type = attribute(tag, 'type');
    if (name === undefined || ((type === 'radio' || type === 'checkbox') && !/\bchecked\b/.test(tag)))
      continue;
    fields.set(name, attribute(tag, 'value') ?? '');
  }
  for (const [name, value] of Object.entries(values)) fields.set(name, value);
  const action = attribute(form, 'action') ?? pageUrl;
  return fetch(new URL(action, pageUrl), { method: 'POST', body: fields, redirect: 'manual' });
}
