import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { parseClientCredentials, verifyClientCredentials } from '../../src/clients/authentication.ts';
import { type ClientRegistry, createClientRegistry } from '../../src/clients/client.ts';
import { gptAction } from '../../src/index.ts';
import { ProtocolError } from '../../src/oauth/protocol-error.ts';
import { parseIssuer } from '../../src/oauth/resource.ts';
import { clients, gptSecret, issuer } from '../deployment.ts';

const registry = createClientRegistry(clients, parseIssuer(issuer));
const rejection = (reason: string) => expect.objectContaining({ reason });
const basic = (pair: string) => `Basic ${btoa(pair)}`;

/** Both phases, as the token endpoint goes through them. */
const authenticateClient = async (
  ...[header, form, known]: [...Parameters<typeof parseClientCredentials>, ClientRegistry]
) => verifyClientCredentials(parseClientCredentials(header, form), known);

/** As RFC 6749 §2.3.1 has it: every character that is not of the unreserved ones is escaped, a blank is a plus sign. */
const formEncode = (text: string): string =>
  new URLSearchParams({ '': text }).toString().slice(1).replaceAll('*', '%2A');

const clientWith = (id: string, secrets: readonly string[]) =>
  createClientRegistry([gptAction({ id, name: 'GPT', secrets, scopes: ['words'] })], parseIssuer(issuer));

describe('authenticate', () => {
  it('does as much for an unknown id as for a known one, so that time does not tell them apart', async () => {
    const digest = vi.spyOn(crypto.subtle, 'digest');
    const counts: number[] = [];
    for (const client_id of ['gpt', 'nobody']) {
      digest.mockClear();
      await authenticateClient(null, { client_id, client_secret: 'wrong' }, registry).catch(() => undefined);
      counts.push(digest.mock.calls.length);
    }
    digest.mockRestore();
    expect(counts[0]).toBeGreaterThan(0);
    expect(counts[1]).toBe(counts[0]);
  });

  it('finds a confidential client by its secret, in the form or as Basic', async () => {
    const inForm = await authenticateClient(null, { client_id: 'gpt', client_secret: gptSecret }, registry);
    const inHeader = await authenticateClient(basic(`gpt:${gptSecret}`), {}, registry);
    expect([inForm, inHeader]).toEqual([registry.get('gpt'), registry.get('gpt')]);
  });

  it('finds a public client by its name', async () => {
    expect(await authenticateClient(null, { client_id: 'app' }, registry)).toBe(registry.get('app'));
  });

  it('takes either of two secrets during a change, and not a third', async () => {
    const [older, newer] = ['o'.repeat(43), 'n'.repeat(43)];
    const both = clientWith('gpt', [newer, older]);
    for (const client_secret of [older, newer])
      expect(await authenticateClient(null, { client_id: 'gpt', client_secret }, both)).toHaveProperty('id');
    for (const client_secret of [older + newer, `${newer} `, newer.slice(1), gptSecret])
      await expect(authenticateClient(null, { client_id: 'gpt', client_secret }, both)).rejects.toThrow(
        rejection('authentication.secret'),
      );
  });

  it('takes any id and secret as Basic when they are form-encoded first', async () => {
    const id = fc.stringMatching(/^[\x21-\x39\x3B-\x7E]{1,20}$/);
    const secret = fc.stringMatching(/^[\x21-\x7E]{32,60}$/);
    await fc.assert(
      fc.asyncProperty(id, secret, async (name, word) => {
        const one = clientWith(name, [word]);
        const found = await authenticateClient(basic(`${formEncode(name)}:${formEncode(word)}`), {}, one);
        expect(found.id).toBe(name);
      }),
    );
  });

  it('answers any other header with one of its own refusals', async () => {
    const header = fc.oneof(
      fc.string(),
      fc.string().map((text) => `Basic ${text}`),
      fc.string().map((text) => basic(encodeURIComponent(text))),
      fc
        .string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) })
        .map(basic),
    );
    await fc.assert(
      fc.asyncProperty(header, async (authorization) => {
        const outcome = await authenticateClient(authorization, {}, registry).catch(
          (error: unknown) => error,
        );
        expect(outcome).toBeInstanceOf(ProtocolError);
        expect(outcome).toMatchObject({ code: 'invalid_client', status: 401 });
      }),
    );
  });

  it('says the same of an unknown client as of a wrong secret', async () => {
    const failures = await Promise.all(
      [
        { client_id: 'nobody', client_secret: gptSecret },
        { client_id: 'gpt', client_secret: 'wrong' },
        { client_id: 'gpt' },
        { client_id: 'app', client_secret: gptSecret },
        {},
      ].map((form) => authenticateClient(null, form, registry).catch((error: unknown) => error)),
    );
    expect(
      new Set(failures.map((failure) => failure instanceof ProtocolError && failure.description)),
    ).toEqual(new Set(['The client could not be authenticated.']));
    expect(failures.map((failure) => failure instanceof ProtocolError && failure.reason)).toEqual([
      'authentication.unknown-client',
      'authentication.secret',
      'authentication.method',
      'authentication.method',
      'authentication.missing',
    ]);
  });
});
