import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode, list, record, text, uint } from '../../src/seal/codec.ts';
import { createSealer, parseKeyRing } from '../../src/seal/index.ts';
import { createSealedType } from '../../src/tokens/sealers.ts';
import { issuer, keys } from '../deployment.ts';

const sealer = createSealer(parseKeyRing(keys), { name: 'ticket', issuer });
const ticket = createSealedType(sealer, record({ holder: text, seats: list(uint) }));

describe('a sealed type', () => {
  it('comes back as it was sealed', async () => {
    const tickets = fc.record({ holder: fc.string(), seats: fc.array(fc.maxSafeNat()) });
    await fc.assert(
      fc.asyncProperty(tickets, async (value) => {
        expect(await ticket.open(await ticket.seal(value))).toEqual({ kind: 'opened', value });
      }),
    );
  });

  it('says as its sealer does why it did not open', async () => {
    const sealed = await ticket.seal({ holder: 'ada', seats: [1] });
    const elsewhere = createSealer(parseKeyRing(keys), { name: 'other', issuer });
    const unknown = createSealer(parseKeyRing(keys.replace('test-1', 'test-2')), { name: 'ticket', issuer });
    const failed = (reason: string) => ({ kind: 'failed', reason });
    expect(await ticket.open(`${sealed}A`)).toEqual(failed('malformed'));
    expect(await ticket.open(await elsewhere.seal(new Uint8Array(9)))).toEqual(failed('forged'));
    expect(await ticket.open(await unknown.seal(new Uint8Array(9)))).toEqual(failed('unknown-key'));
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['a field too few', encode(record({ holder: text }), { holder: 'ada' })],
    [
      'a field too many',
      encode(record({ holder: text, seats: list(uint), row: uint }), { holder: 'ada', seats: [1], row: 2 }),
    ],
    [
      'other fields',
      encode(record({ seats: list(uint), holder: text }), { holder: 'ada', seats: [200, 300] }),
    ],
    ['no text', Uint8Array.of(1, 0xff, 0)],
  ])('that is genuine but holds %s is of a foreign format', async (_, payload) => {
    expect(await ticket.open(await sealer.seal(payload))).toEqual({
      kind: 'failed',
      reason: 'unknown-format',
    });
  });
});
