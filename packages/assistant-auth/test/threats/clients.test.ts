/** Attacks on client authentication, and on the tokens of another client. */
import { describe, expect, it } from 'vitest';
import { type Client, gptAction, introspectionClient, staticClient } from '../../src/index.ts';
import { encodeBase64url } from '../../src/oauth/secrets.ts';
import { callApi, expectTokens, requestTokens } from '../browser.ts';
import { app, gpt, obtainCode, obtainTokens, refresh, server, type TestClient, without } from '../clients.ts';
import { clients, type Deployment, deploy, gptSecret, issuer, keys, serverSecret } from '../deployment.ts';
import { expectInvalidToken, expectTokenError, invalidClientError } from '../expect-error.ts';
import { createSpyStorage } from '../spy-storage.ts';
import { clientCredentials, postForm } from '../token-requests.ts';

describe('client authentication', () => {
  type Headers = Readonly<Record<string, string>>;
  type Form = Readonly<Record<string, string>>;

  const basicOf = (pair: string): string => `Basic ${btoa(pair)}`;
  const basic = (pair: string): Headers => ({ authorization: basicOf(pair) });
  const multipleMethodsError = {
    status: 400,
    error: 'invalid_request',
    error_description: 'Use only one client authentication method per request.',
  };

  /** A deployment, and the form to redeem a code there, with and without the client's credentials. */
  const prepareRedemption = async (testClient: TestClient, registered: readonly Client[] = clients) => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage, clients: registered });
    const form = testClient.codeRequest(await obtainCode(deployment, testClient));
    return { storage, deployment, form, formWithoutCredentials: without(form, 'client_id', 'client_secret') };
  };

  const expectCodeUnused = async (
    { storage, deployment, form }: Awaited<ReturnType<typeof prepareRedemption>>,
    headers: Headers = {},
  ) => {
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn']);
    expect((await requestTokens(deployment, form, headers)).status).toBe(200);
  };

  const reasonOf = ({ log }: Deployment) => log.at(-1)?.reason;

  it('L2.1 Basic and body together: refuses two credentials, even if both are right', async () => {
    const prepared = await prepareRedemption(gpt);
    const { deployment, form, formWithoutCredentials } = prepared;
    const formsWithCredentials = [
      form,
      { ...form, client_secret: 'wrong' },
      { ...formWithoutCredentials, client_secret: gptSecret },
      { ...formWithoutCredentials, client_id: 'server' },
      { ...formWithoutCredentials, client_assertion: 'x.y.z' },
      {
        ...formWithoutCredentials,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      },
    ];
    for (const formWithCredentials of formsWithCredentials) {
      await expectTokenError(
        await requestTokens(deployment, formWithCredentials, basic(`gpt:${gptSecret}`)),
        multipleMethodsError,
      );
      expect(reasonOf(deployment)).toBe('authentication.multiple');
    }
    await expectCodeUnused(prepared);
  });

  it('L2.1 Basic and body together: accepts the same client_id in both', async () => {
    const { deployment, form } = await prepareRedemption(gpt);
    const response = await requestTokens(
      deployment,
      without(form, 'client_secret'),
      basic(`gpt:${gptSecret}`),
    );
    expect(response.status).toBe(200);
  });

  it('L2.2 malformed Basic: gets the same response as a wrong secret', async () => {
    const prepared = await prepareRedemption(gpt);
    const authorization = basicOf(`gpt:${gptSecret}`);
    const malformed = [
      '',
      'Basic',
      'Basic ',
      'Basic !!!',
      `Basic ${authorization.slice(6, -3)}`,
      `${authorization}====`,
      authorization.replace(' ', ''),
      `${authorization}, ${authorization}`,
      `${authorization} x`,
      authorization.replace('Basic', 'Bearer'),
      authorization.replace('Basic', 'Digest'),
      basicOf('gpt'),
      basicOf(`:${gptSecret}`),
    ];
    const wrong = basicOf(`gpt:${gptSecret}\0`);
    for (const header of [...malformed, wrong]) {
      const response = await requestTokens(prepared.deployment, prepared.formWithoutCredentials, {
        authorization: header,
      });
      await expectTokenError(response, invalidClientError);
      const reason = header === wrong ? 'secret' : 'malformed';
      expect(reasonOf(prepared.deployment)).toBe(`authentication.${reason}`);
    }
    await expectCodeUnused(prepared);
  });

  // An empty password means that there is no secret (RFC 6749 §2.3.1), at every endpoint where a client
  // authenticates.
  it.each<[string, Form]>([
    ['Basic alone', {}],
    ['Basic and the same client_id in the form', { client_id: 'app' }],
    ['Basic and an empty client_secret in the form', { client_id: 'app', client_secret: '' }],
  ])('L2.6 empty password: accepts a public client that sends %s', async (_, form) => {
    const deployment = deploy();
    const { formWithoutCredentials } = await prepareRedemption(app);
    const code = await obtainCode(deployment, app);
    const tokens = await expectTokens(
      await requestTokens(deployment, { ...formWithoutCredentials, code, ...form }, basic('app:')),
    );
    const refreshForm = without(app.refreshRequest(tokens.refresh_token), 'client_id');
    expect((await requestTokens(deployment, { ...refreshForm, ...form }, basic('app:'))).status).toBe(200);
    const token = { token: tokens.access_token };
    const revoked = await postForm(deployment, '/revoke', { ...token, ...form }, basic('app:'));
    expect(revoked.status).toBe(200);
    await expectInvalidToken(deployment, tokens.access_token);
  });

  it('L2.6 empty password: accepts a public client whose client_secret in the form is empty', async () => {
    const { deployment, form } = await prepareRedemption(app);
    expect((await requestTokens(deployment, { ...form, client_secret: '' })).status).toBe(200);
  });

  it.each<[string, TestClient, string]>([
    ['ChatGPT', gpt, 'gpt'],
    ['a confidential client', server, 'server'],
  ])('L2.7 missing secret: refuses an empty password of %s at every endpoint', async (_, testClient, id) => {
    const prepared = await prepareRedemption(testClient);
    const { deployment, formWithoutCredentials } = prepared;
    for (const form of [{}, { client_id: id }, { client_id: id, client_secret: '' }]) {
      for (const response of [
        await requestTokens(deployment, { ...formWithoutCredentials, ...form }, basic(`${id}:`)),
        await postForm(deployment, '/revoke', { token: 'x', ...form }, basic(`${id}:`)),
        await postForm(deployment, '/introspect', { token: 'x', ...form }, basic(`${id}:`)),
      ]) {
        await expectTokenError(response, invalidClientError);
        expect(reasonOf(deployment)).toBe('authentication.method');
      }
    }
    await expectCodeUnused(prepared);
  });

  it('L2.7 missing secret: refuses an empty password of an API at the introspection endpoint', async () => {
    const api = introspectionClient({ id: 'api', secrets: [serverSecret], resource: `${issuer}/api` });
    const deployment = deploy({ introspectionClients: [api] });
    for (const headers of [basic('api:'), {}]) {
      const form = { token: 'x', client_id: 'api', client_secret: '' };
      await expectTokenError(await postForm(deployment, '/introspect', form, headers), invalidClientError);
      expect(reasonOf(deployment)).toBe('authentication.method');
    }
  });

  it.each([
    ['a space', 'app: '],
    ['an encoded space', 'app:%20'],
    ['a NUL', 'app:\0'],
    ['a second colon', 'app::'],
  ])('L2.8 nearly empty password: refuses a public client that sends %s', async (_, pair) => {
    const prepared = await prepareRedemption(app);
    await expectTokenError(
      await requestTokens(prepared.deployment, prepared.formWithoutCredentials, basic(pair)),
      invalidClientError,
    );
    await expectCodeUnused(prepared);
  });

  it.each([{ client_assertion: 'x.y.z' }, { client_assertion_type: 'urn:x' }])(
    'L2.1 assertion and secret: refuses the right secret together with %j',
    async (extra) => {
      const prepared = await prepareRedemption(server);
      const response = await requestTokens(prepared.deployment, { ...prepared.form, ...extra });
      await expectTokenError(response, multipleMethodsError);
      expect(reasonOf(prepared.deployment)).toBe('authentication.multiple');
      await expectCodeUnused(prepared);
    },
  );

  it('L2.9 empty password beside other credentials: refuses both', async () => {
    const prepared = await prepareRedemption(app);
    for (const extra of [{ client_secret: 'x' }, { client_id: 'server' }, { client_assertion: 'x.y.z' }]) {
      const response = await requestTokens(
        prepared.deployment,
        { ...prepared.formWithoutCredentials, ...extra },
        basic('app:'),
      );
      await expectTokenError(response, multipleMethodsError);
    }
    await expectCodeUnused(prepared);
  });

  it('L2.3 %: accepts an encoded secret, and treats a broken escape like a wrong secret', async () => {
    const prepared = await prepareRedemption(gpt);
    for (const secret of ['%', '%zz', '%2', '%ff', `${gptSecret}%`, gptSecret.replace('-', '%252D')]) {
      const response = await requestTokens(
        prepared.deployment,
        prepared.formWithoutCredentials,
        basic(`gpt:${secret}`),
      );
      await expectTokenError(response, invalidClientError);
    }
    const encoded = basic(`%67pt:${gptSecret.replaceAll('-', '%2D')}`);
    await expectCodeUnused({ ...prepared, form: prepared.formWithoutCredentials }, encoded);
  });

  const oddSecret = 'one+two%2B:three::0123456789-0123456789';
  const withOddSecret = [
    gptAction({ id: 'gpt', name: 'GPT', secrets: [oddSecret], scopes: ['words', 'score'] }),
  ];

  // 32 characters and more. Decoded, they are other texts, or none.
  const secretsWithPercent = [
    '100%zz-0123456789-abcdefghij-KLMNOPQ',
    'ab%41cd+0123456789-abcdefghij-KLMNOPQ%',
    '%E4%zz:%2B0123456789-abcdefghij-KLMNOPQ',
    '%252525250123456789-abcdefghij-KLMNOPQ',
  ];

  it.each(secretsWithPercent)(
    'L13.1 unencoded secret: accepts %s as it is, and form-encoded, at every endpoint',
    async (secret) => {
      const secrets = ['another-secret-0123456789-0123456789-0123456', secret];
      const deployment = deploy({
        clients: [gptAction({ id: 'gpt', name: 'GPT', secrets, scopes: ['words'] })],
        introspectionClients: [introspectionClient({ id: 'api', secrets, resource: `${issuer}/api` })],
      });
      for (const sent of [secret, encodeURIComponent(secret)]) {
        const form = without(
          gpt.codeRequest(await obtainCode(deployment, gpt)),
          'client_id',
          'client_secret',
        );
        const tokens = await expectTokens(await requestTokens(deployment, form, basic(`gpt:${sent}`)));
        const token = { token: tokens.access_token };
        for (const id of ['gpt', 'api']) {
          const response = await postForm(deployment, '/introspect', token, basic(`${id}:${sent}`));
          expect(await response.json()).toMatchObject({ active: true });
        }
        expect((await postForm(deployment, '/revoke', token, basic(`gpt:${sent}`))).status).toBe(200);
      }
    },
  );

  it.each(secretsWithPercent)('L13.2 unencoded secret: refuses every other text for %s', async (secret) => {
    const prepared = await prepareRedemption(gpt, [
      gptAction({ id: 'gpt', name: 'GPT', secrets: [secret], scopes: ['words', 'score'] }),
    ]);
    for (const sent of [
      encodeURIComponent(encodeURIComponent(secret)),
      encodeURIComponent(secret).replace('%25', '%'),
      secret.replace('%', ''),
      secret.replace('%', '%%'),
      secret.toLowerCase(),
      `${secret} `,
      `${secret}%`,
      `${secret}\xE4`,
    ].filter((text) => text !== secret && text !== encodeURIComponent(secret)))
      await expectTokenError(
        await requestTokens(prepared.deployment, prepared.formWithoutCredentials, basic(`gpt:${sent}`)),
        invalidClientError,
      );
    await expectCodeUnused({ ...prepared, form: prepared.formWithoutCredentials }, basic(`gpt:${secret}`));
  });

  it('L13.3 unencoded ID: decodes the client ID, and never compares it as it was sent', async () => {
    const ids = ['a%62', 'a%zz'];
    const registered = ids.map((id) =>
      gptAction({ id, name: 'GPT', secrets: [gptSecret], scopes: ['words', 'score'] }),
    );
    const deployment = deploy({ clients: registered });
    const form = { grant_type: 'refresh_token', refresh_token: 'x' };
    for (const [id, reason] of [
      ['a%62', 'authentication.unknown-client'],
      ['a%zz', 'authentication.malformed'],
      ['a%2562', 'refresh.unreadable'],
      ['a%25zz', 'refresh.unreadable'],
    ] as const) {
      await requestTokens(deployment, form, basic(`${id}:${gptSecret}`));
      expect([id, reasonOf(deployment)]).toEqual([id, reason]);
    }
  });

  it.each([
    ['L2.4 +: accepts a plus sign from a client that encodes it', 'one%2Btwo%252B%3Athree%3A%3A'],
    ['L2.4 +: accepts a plus sign from a client that does not encode it', 'one+two%252B%3Athree%3A%3A'],
    ['L2.5 colons: accepts a secret with colons, encoded or not', 'one%2btwo%252B:three:%3A'],
  ])('%s', async (_, encodedStart) => {
    const prepared = await prepareRedemption(gpt, withOddSecret);
    for (const secret of [
      oddSecret.replace('%2B', '+'),
      oddSecret.replace('+', ' '),
      oddSecret.replace('+', '%20'),
      oddSecret.replace('::', ':'),
    ]) {
      const response = await requestTokens(
        prepared.deployment,
        prepared.formWithoutCredentials,
        basic(`gpt:${secret}`),
      );
      await expectTokenError(response, invalidClientError);
    }
    const right = basic(`gpt:${encodedStart}0123456789-0123456789`);
    await expectCodeUnused({ ...prepared, form: prepared.formWithoutCredentials }, right);
  });

  const wrongMethods: readonly (readonly [string, TestClient, Record<string, string>, Headers])[] = [
    ['a public client with a secret', app, { client_secret: 'x'.repeat(43) }, {}],
    ['a public client with Basic', app, { client_id: '' }, basic('app:secret')],
    ['a confidential client with only its ID', server, { client_secret: '' }, {}],
    ['a GPT with only its ID', gpt, { client_secret: '' }, {}],
    ['a GPT with the secret of another client', gpt, { client_secret: serverSecret }, {}],
    ['a request without any credentials', gpt, { client_id: '', client_secret: '' }, {}],
    ['an unknown client', gpt, { client_id: 'nobody' }, {}],
    ['a client ID in another case', gpt, { client_id: 'GPT' }, {}],
    ['an assertion', server, { client_secret: '', client_assertion: 'x.y.z' }, {}],
    ['a public client with an assertion', app, { client_assertion: 'x.y.z' }, {}],
  ];

  it.each(wrongMethods)('L3.1 wrong method: refuses %s', async (_, testClient, changes, headers) => {
    const prepared = await prepareRedemption(testClient);
    const response = await requestTokens(prepared.deployment, { ...prepared.form, ...changes }, headers);
    await expectTokenError(response, invalidClientError);
    expect(reasonOf(prepared.deployment)).toMatch(/^authentication\./);
    await expectCodeUnused(prepared);
  });

  it('L3.1 wrong method: reads no credentials from the query', async () => {
    const prepared = await prepareRedemption(gpt);
    const query = new URLSearchParams({ client_id: 'gpt', client_secret: gptSecret });
    const body = new URLSearchParams(prepared.formWithoutCredentials);
    const response = await prepared.deployment.fetch(
      new Request(`${issuer}/token?${query}`, { method: 'POST', body }),
    );
    await expectTokenError(response, invalidClientError);
    await expectCodeUnused(prepared);
  });

  const publicApp = clients[1];
  const confidential = clients[2];
  const gptClient = clients[0];

  it.each([
    [
      'no "none" without a public client',
      [gptClient, confidential],
      ['client_secret_post', 'client_secret_basic'],
    ],
    ['no secrets without a confidential client', [publicApp], ['none']],
    ['all three with both', [gptClient, publicApp], ['client_secret_post', 'client_secret_basic', 'none']],
  ])('L9.1 what is off: advertises %s', async (_, registered, methods) => {
    const url = `${issuer}/.well-known/oauth-authorization-server`;
    const response = await deploy({ clients: registered }).fetch(new Request(url));
    const document = await response.json();
    expect(document).toMatchObject({
      token_endpoint_auth_methods_supported: methods,
      revocation_endpoint_auth_methods_supported: methods,
      introspection_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    });
  });

  it('L9.1 what is off: advertises offline_access only if a client can get refresh tokens', async () => {
    const url = `${issuer}/.well-known/oauth-authorization-server`;
    const scopesOf = async (registered: readonly Client[]) => {
      const response = await deploy({ clients: registered }).fetch(new Request(url));
      const { scopes_supported }: { scopes_supported: readonly string[] } = await response.json();
      return scopes_supported;
    };
    const online = { ...publicApp, id: 'online', scopes: ['words'] };
    expect(await scopesOf([online])).toEqual(['words', 'score']);
    expect(await scopesOf([])).toEqual(['words', 'score']);
    for (const client of [gptClient, publicApp, confidential])
      expect(await scopesOf([online, client])).toEqual(['offline_access', 'words', 'score']);
  });

  it('L9.1 what is off: advertises no endpoint, method or flow that does not exist', async () => {
    const { paths, fetch } = deploy();
    const response = await fetch(new Request(`${issuer}/.well-known/oauth-authorization-server`));
    const document: Readonly<Record<string, unknown>> = await response.json();
    const endpointUrls = paths.map((path) => issuer + path);
    for (const [name, value] of Object.entries(document))
      if (name.endsWith('_endpoint')) expect(endpointUrls).toContain(value);
    expect(
      Object.keys(document).filter((name) => /registration|userinfo|jwks|logout|device|request/.test(name)),
    ).toEqual([]);
    expect(document).toMatchObject({
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      code_challenge_methods_supported: ['S256'],
    });
  });
});

describe('a secret that is not random', () => {
  const createSecret = 'Create one with openssl rand -base64 32.';
  const client = { id: 'server', name: 'Server', scopes: ['words'] };
  const redirectUris = ['https://server.example/cb'];
  const weakSecrets = [
    'x'.repeat(32),
    'abcabc'.repeat(8),
    '0123456789abcdef'.repeat(2),
    'change-me-'.repeat(4),
    'aababcbcacbaabcbacbbacabcabcaacb',
  ];

  it.each<[string, string, (secret: string) => unknown]>([
    ['L14.1 a GPT', 'clients.server', (secret) => gptAction({ ...client, secrets: [secret] })],
    [
      'L14.1 a static client',
      'clients.server',
      (secret) => staticClient({ ...client, redirectUris, secrets: [secret] }),
    ],
    [
      'L14.1 its second secret',
      'clients.server',
      (secret) => gptAction({ ...client, secrets: [serverSecret, secret] }),
    ],
    [
      'L14.2 an introspection client',
      'introspectionClients.api',
      (secret) => introspectionClient({ id: 'api', secrets: [secret], resource: issuer }),
    ],
  ])('%s with a secret that has a pattern is refused at startup', (_, option, create) => {
    for (const secret of weakSecrets) {
      const error = captureError(() => create(secret));
      expect(error).toMatchObject({ name: 'ConfigurationError', option: `${option}.secrets` });
      expect(String(error)).toContain(createSecret);
      expect(String(error)).not.toContain(secret);
    }
    create(gptSecret);
  });

  it.each([
    ['one byte', () => 0],
    ['two bytes', (at: number) => at % 2],
    ['a unit that repeats', (at: number) => 'secret'.charCodeAt(at % 6)],
    ['a unit of half the length', (at: number) => ((at % 16) * 97) % 251],
    ['an ascending sequence', (at: number) => at],
    ['a descending sequence', (at: number) => 255 - 3 * at],
  ])('L14.3 a sealing key that is %s is refused at startup', (_, byteAt) => {
    const key = encodeBase64url(Uint8Array.from({ length: 32 }, (_, at) => byteAt(at)));
    for (const sealingKeys of [`weak.${key}`, `${keys} weak.${key}`]) {
      const error = captureError(() => deploy({ sealingKeys }));
      expect(String(error)).toBe(
        'ConfigurationError: sealingKeys must be random. Generate new keys with the command `keys`.',
      );
    }
  });

  const captureError = (create: () => unknown): unknown => {
    try {
      create();
    } catch (error) {
      return error;
    }
    throw new Error('nothing was refused');
  };
});

describe('tokens of another client', () => {
  const owners = [
    ['ChatGPT', gpt, clientCredentials.gpt],
    ['a confidential client', server, clientCredentials.server],
    ['a public client', app, clientCredentials.app],
  ] as const;
  const kinds = ['access_token', 'refresh_token'] as const;
  const cases = owners.flatMap(([name, owner, credentials]) =>
    owners
      .filter(([, , otherCredentials]) => otherCredentials !== credentials)
      .flatMap(([otherName, , otherCredentials]) =>
        kinds.map((kind) => [otherName, kind, name, owner, otherCredentials] as const),
      ),
  );

  it.each(cases)(
    'L10.1 revoking: %s cannot revoke a grant with the %s of %s',
    async (_, kind, __, owner, otherCredentials) => {
      const deployment = deploy();
      const tokens = await obtainTokens(deployment, owner);
      const response = await postForm(deployment, '/revoke', { ...otherCredentials, token: tokens[kind] });
      await expectTokenError(response, {
        status: 400,
        error: 'invalid_grant',
        error_description: 'The token was issued to another client.',
      });
      deployment.advance(10);
      expect(await callApi(deployment, tokens.access_token)).toMatchObject({ ok: true });
      expect((await refresh(deployment, owner, tokens.refresh_token)).status).toBe(200);
    },
  );

  it.each(cases)(
    'L10.2 inspecting: %s learns nothing from the %s of %s',
    async (name, kind, __, owner, otherCredentials) => {
      const deployment = deploy();
      const tokens = await obtainTokens(deployment, owner);
      const response = await postForm(deployment, '/introspect', {
        ...otherCredentials,
        token: tokens[kind],
      });
      if (name === 'a public client') await expectTokenError(response, invalidClientError);
      else expect([response.status, await response.json()]).toEqual([200, { active: false }]);
    },
  );

  it.each([
    ['L12.1 unauthenticated introspection: refuses the access token of the client', app, 'access_token'],
    ['L12.1 unauthenticated introspection: refuses the refresh token of the client', app, 'refresh_token'],
    [
      'L12.2 unauthenticated introspection: refuses the access token of another client',
      server,
      'access_token',
    ],
    [
      'L12.2 unauthenticated introspection: refuses the refresh token of another client',
      gpt,
      'refresh_token',
    ],
  ] as const)('%s', async (_, owner, kind) => {
    const deployment = deploy();
    const { [kind]: token } = await obtainTokens(deployment, owner);
    for (const headers of [{}, { authorization: `Basic ${btoa('app:')}` }]) {
      const form = { ...clientCredentials.app, token };
      await expectTokenError(await postForm(deployment, '/introspect', form, headers), invalidClientError);
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'authentication.method' });
    }
  });

  it('L12.3 unauthenticated introspection: gets the same response for anything that is not a token', async () => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    for (const token of ['x', 'A'.repeat(200), '%', ''])
      await expectTokenError(
        await postForm(deployment, '/introspect', { ...clientCredentials.app, token }),
        invalidClientError,
      );
    expect(storage.calls).toEqual([]);
  });
});
