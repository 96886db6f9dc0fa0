import { describe, expect, it } from 'vitest';
import { callApi } from '../browser.ts';
import { app, gpt, obtainTokens, refresh, server } from '../clients.ts';
import { deploy } from '../deployment.ts';
import { expectTokenError } from '../expect-error.ts';
import { clientCredentials, postForm } from '../token-requests.ts';

const owners = [
  ['ChatGPT', gpt, clientCredentials.gpt],
  ['a confidential client', server, clientCredentials.server],
  ['a public client', app, clientCredentials.app],
] as const;
const kinds = ['access_token', 'refresh_token'] as const;
const cases = owners.flatMap(([name, owner, own]) =>
  owners
    .filter(([, , thief]) => thief !== own)
    .flatMap(([thiefName, , thief]) => kinds.map((kind) => [thiefName, kind, name, owner, thief] as const)),
);

describe('L10', () => {
  it.each(cases)(
    'L10.1 revoking: %s cannot end a grant by the %s of %s',
    async (_, kind, __, owner, thief) => {
      const deployment = deploy();
      const tokens = await obtainTokens(deployment, owner);
      const response = await postForm(deployment, '/revoke', { ...thief, token: tokens[kind] });
      await expectTokenError(response, {
        status: 400,
        error: 'invalid_grant',
        error_description: 'The token was issued to another client.',
      });
      deployment.advance(10);
      expect(await callApi(deployment, tokens.access_token)).toMatchObject({ kind: 'granted' });
      expect((await refresh(deployment, owner, tokens.refresh_token)).status).toBe(200);
    },
  );

  it.each(cases)('L10.2 inspecting: %s sees nothing in the %s of %s', async (_, kind, __, owner, thief) => {
    const deployment = deploy();
    const tokens = await obtainTokens(deployment, owner);
    const response = await postForm(deployment, '/introspect', { ...thief, token: tokens[kind] });
    expect([response.status, await response.json()]).toEqual([200, { active: false }]);
  });
});
