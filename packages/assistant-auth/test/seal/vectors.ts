/** The test vectors, read from docs/explanation/sealed-tokens.md. */
import page from '../../../../docs/explanation/sealed-tokens.md?raw';
import type { Purpose } from '../../src/seal/index.ts';

export interface PayloadVector {
  readonly purpose: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly bytes: string;
}

export interface MessageVector {
  readonly ring: string;
  readonly purpose: Purpose;
  readonly info: string;
  readonly derivedKey: string;
  readonly iv: string;
  readonly context: string;
  readonly plaintext: string;
  readonly sealed: string;
}

/** The first JSON after a heading. */
const jsonUnder = (heading: string): string => {
  const [, section = ''] = page.split(`\n${heading}\n`);
  const [, json] = /```json\n([^`]+)```/.exec(section) ?? [];
  if (json === undefined) throw new Error(`no vectors under ${heading}`);
  return json;
};

export const payloadVectors: readonly PayloadVector[] = JSON.parse(jsonUnder('### Of payloads'));
export const messageVectors: readonly MessageVector[] = JSON.parse(jsonUnder('### Of messages'));
