import { describe, expect, it, vi } from 'vitest';
import { parseKeyRing } from '../../src/seal/key-ring.ts';
import { createDerivedKeyOpener, createSealer, exportDerivedKeys } from '../../src/seal/sealer.ts';

const older = 'old-1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
const newer = 'new-1.Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA';
const ring = parseKeyRing(`${newer} ${older}`);
const purpose = { name: 'access', issuer: 'https://words.example', audience: 'https://api.example' };
const plaintext = new TextEncoder().encode('who calls');

const sealed = (keys = ring, changes: Partial<typeof purpose> = {}) =>
  createSealer(keys, { ...purpose, ...changes }).seal(plaintext);

describe('derived keys on their own', () => {
  it.each([
    ['first', ring],
    ['last', parseKeyRing(older)],
  ])('open what the %s key of the ring sealed for their purpose, once and again', async (_, keys) => {
    const opener = createDerivedKeyOpener(await exportDerivedKeys(ring, purpose));
    const opened = { kind: 'opened', value: plaintext };
    expect(await opener.open(await sealed(keys))).toEqual(opened);
    expect(await opener.open(await sealed(keys))).toEqual(opened);
  });

  it.each([
    ['name', { name: 'refresh' }],
    ['issuer', { issuer: 'https://other.example' }],
    ['audience', { audience: 'https://api.example/' }],
  ])('open nothing of another %s', async (_, changes) => {
    const opener = createDerivedKeyOpener(await exportDerivedKeys(ring, purpose));
    expect(await opener.open(await sealed(ring, changes))).toEqual({ kind: 'failed', reason: 'forged' });
  });

  it('are imported to open, so that the process holds no key that WebCrypto would seal with', async () => {
    const importKey = vi.spyOn(crypto.subtle, 'importKey');
    const opener = createDerivedKeyOpener(await exportDerivedKeys(ring, purpose));
    importKey.mockClear();
    await opener.open(await sealed());
    const imports = importKey.mock.calls.filter(([, , algorithm]) => algorithm === 'AES-GCM');
    importKey.mockRestore();
    expect(imports.map(([, , , extractable, usages]) => [extractable, usages])).toEqual([
      [false, ['decrypt']],
    ]);
  });

  it('open nothing of a key that is younger than they are', async () => {
    const opener = createDerivedKeyOpener(await exportDerivedKeys(parseKeyRing(older), purpose));
    expect(await opener.open(await sealed())).toEqual({ kind: 'failed', reason: 'unknown-key' });
  });

  it('stand for the ring’s keys in order and by name, and are none of them', async () => {
    const exported = await exportDerivedKeys(ring, purpose);
    expect(exported).toMatch(/^sub\.new-1\.[\w-]{43} sub\.old-1\.[\w-]{43}$/);
    for (const key of [older, newer]) expect(exported).not.toContain(key.split('.')[1]);
  });

  it('are no key ring, and are refused as one', async () => {
    const exported = await exportDerivedKeys(ring, purpose);
    expect(() => parseKeyRing(exported)).toThrow(/^sealingKeys must be keys written/);
  });

  it.each([
    ['none', '', 'keys must be written sub.<id>.<43 characters>, at least one and each once.'],
    ['a key ring', `${newer} ${older}`, 'keys must be the derived keys of a resource, not a key ring.'],
    [
      'a short one',
      'sub.new-1.AAEC',
      'keys must be written sub.<id>.<43 characters>, at least one and each once.',
    ],
    [
      'one twice',
      `sub.${newer} sub.${newer}`,
      'keys must be written sub.<id>.<43 characters>, at least one and each once.',
    ],
  ])('that are %s stop the start, unrepeated', (_, text, message) => {
    expect(() => createDerivedKeyOpener(text)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'keys', message }),
    );
  });
});
