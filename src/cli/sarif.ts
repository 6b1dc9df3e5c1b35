/** Findings as SARIF 2.1.0, which code hosts show beside the lines. */

import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { keyStatus } from '../domain/key.js';
import type { Finding } from '../keys/scan/scan.js';

/** The document: https://docs.oasis-open.org/sarif/sarif/v2.1.0/. */
export function sarifOf(findings: readonly Finding[], nowMs: number) {
  const rule = {
    id: 'api-key',
    shortDescription: { text: 'An API key stands where it does not belong' },
    help: {
      text: 'Rotate or revoke the key (meterctl keys rotate, meterctl keys revoke) and take it out of the file.',
    },
  };
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'meterctl', rules: [rule] } },
        results: findings.map((one) => resultOf(one, nowMs)),
      },
    ],
  };
}

function resultOf({ file, line, commit, hint, fingerprint, key }: Finding, nowMs: number) {
  const status = key ? keyStatus(key, nowMs) : 'unknown';
  const owner = key ? `${key.id} of ${key.customerId}, ${status}` : 'not issued here';
  const place = commit === null ? '' : ` in commit ${commit}`;
  return {
    ruleId: 'api-key',
    level: status === 'active' ? 'error' : 'warning',
    message: { text: `The API key ${hint} (${owner}) stands here${place}.` },
    locations: [
      { physicalLocation: { artifactLocation: { uri: uriOf(file ?? '.') }, region: { startLine: line } } },
    ],
    partialFingerprints: { 'keyHash/v1': fingerprint },
    properties: { key: key?.id ?? null, status, commit },
  };
}

/** Code hosts take what is relative from the root of the repository, where scans are started. */
function uriOf(file: string): string {
  if (isAbsolute(file)) return pathToFileURL(file).href;
  return encodeURI(file).replaceAll('#', '%23').replaceAll('?', '%3F');
}
