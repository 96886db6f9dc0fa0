/** What can come to the callback, and what the token endpoint can say to the code. */
import { describe, expect, test } from 'vitest';
import {
  callback,
  captureProviderError,
  clientId,
  clientSecret,
  createIssuer,
  createOidcProvider,
  upstreamRequest,
} from './hostile-issuer.ts';

const announced = { metadata: { authorization_response_iss_parameter_supported: true } };
const invalid = (reason: string) => ({ kind: 'invalid', reason });

/** Refuses an answer before its code goes anywhere. */
const rejectUnsentRequest = async (answer: URL, bends = {}) => {
  const issuer = createIssuer();
  issuer.override(bends);
  const refused = await captureProviderError(
    createOidcProvider(issuer).handleCallback(answer, upstreamRequest, issuer.io),
  );
  expect(issuer.asked()).toEqual(['discovery']);
  return refused;
};

describe('an answer', () => {
  test.each([
    ['B5.1 of another issuer', callback({ iss: 'https://evil.example' }), {}],
    ['B5.1 of another issuer where iss is announced', callback({ iss: 'https://evil.example' }), announced],
    ['B5.1 of our issuer, but with a slash', callback({ iss: 'https://id.example/' }), {}],
  ])('%s is refused and its code is shown to nobody', async (_, answer, bends) => {
    expect(await rejectUnsentRequest(answer, bends)).toEqual(
      invalid('unexpected "iss" (issuer) response parameter value'),
    );
  });

  test('B5.1 without the iss that was announced is refused and its code is shown to nobody', async () => {
    expect(await rejectUnsentRequest(callback(), announced)).toEqual(
      invalid('response parameter "iss" (issuer) missing'),
    );
  });

  test('with the iss that was announced is accepted', async () => {
    const issuer = createIssuer();
    issuer.override(announced);
    const answer = callback({ iss: issuer.issuer });
    expect(await createOidcProvider(issuer).handleCallback(answer, upstreamRequest, issuer.io)).toMatchObject(
      { subject: 'person-1' },
    );
  });

  test.each([
    ['B12.1 access_denied', 'access_denied', 'denied', 'access_denied'],
    ['B12.1 server_error', 'server_error', 'unavailable', 'server_error'],
    ['B12.1 temporarily_unavailable', 'temporarily_unavailable', 'unavailable', 'temporarily_unavailable'],
    ['B12.1 login_required', 'login_required', 'invalid', 'login_required'],
    ['B12.1 invalid_scope', 'invalid_scope', 'invalid', 'invalid_scope'],
    ['B12.1 a word of its own', 'code-of-this-transaction', 'invalid', 'an error of its own'],
  ])('%s ends the sign-in, though it brings a code as well', async (_, error, kind, words) => {
    expect(await rejectUnsentRequest(callback({ error, error_description: 'their-text' }))).toEqual({
      kind,
      reason: `the provider answered ${words}`,
    });
  });

  test('B12.1 access_denied of another login transaction is not the person’s answer', async () => {
    const answer = callback({ error: 'access_denied', state: 'state-of-another-transaction' });
    expect(await rejectUnsentRequest(answer)).toEqual(invalid('unexpected "state" response parameter value'));
  });

  test.each([
    ['B12.2 missing', null],
    ['B12.2 empty', ''],
  ])('with a code that is %s is refused', async (_, code) => {
    expect(await rejectUnsentRequest(callback({ code }))).toEqual(
      invalid('no authorization code in "callbackParameters"'),
    );
  });

  test.each([
    [
      'another state',
      callback({ state: 'state-of-another-transaction' }),
      'unexpected "state" response parameter value',
    ],
    ['no state', callback({ state: null }), 'response parameter "state" missing'],
    [
      'a JWT as response',
      callback({ response: 'e30.e30.' }),
      '"parameters" contains a JARM response, use validateJwtAuthResponse() instead of validateAuthResponse()',
    ],
    [
      'an ID token beside the code',
      callback({ id_token: 'e30.e30.' }),
      'implicit and hybrid flows are not supported',
    ],
  ])('with %s is refused', async (_, answer, reason) => {
    expect(await rejectUnsentRequest(answer)).toEqual(invalid(reason));
  });

  test.each(['code', 'state', 'iss', 'error'])('with %s twice is refused', async (name) => {
    const answer = callback({ iss: 'https://id.example' });
    answer.searchParams.append(name, answer.searchParams.get(name) ?? 'access_denied');
    if (name === 'error') answer.searchParams.append(name, 'access_denied');
    expect(await rejectUnsentRequest(answer)).toEqual(
      invalid(`"${name}" parameter must be provided only once`),
    );
  });
});

describe('the token endpoint', () => {
  const answering = async (answer: () => Response) => {
    const issuer = createIssuer();
    issuer.override({ endpointOverrides: { token: answer } });
    const refused = await captureProviderError(
      createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io),
    );
    expect(issuer.asked()).toEqual(['discovery', 'token']);
    return refused;
  };

  test.each([
    ['invalid_grant', 400, 'the token endpoint answered invalid_grant'],
    ['invalid_client', 401, 'the token endpoint answered invalid_client'],
    ['access_denied', 403, 'the token endpoint answered access_denied'],
    ['code-of-this-transaction', 400, 'the token endpoint answered an error of its own'],
  ])('that says %s ends the sign-in as invalid', async (error, status, reason) => {
    const body = { error, error_description: 'their-text' };
    expect(await answering(() => Response.json(body, { status }))).toEqual(invalid(reason));
  });

  test('that challenges our credentials ends the sign-in as invalid', async () => {
    const headers = { 'www-authenticate': 'Basic realm="their-realm"' };
    const answer = () => Response.json({ error: 'invalid_client' }, { status: 401, headers });
    expect(await answering(answer)).toEqual(invalid('the token endpoint asks for other credentials'));
  });

  // RFC 6749 §2.3.1: form-encoded first, then joined with a colon, then base64.
  const basic = `Basic ${btoa(`our%2Dclient%2Did:GOCSPX%2Dour%5Fclient%2Esecret%7E%21%2A%27%28%29%25%2B%26%3D%2F`)}`;

  test.each([
    ['in the body if it may', ['client_secret_basic', 'client_secret_post'], null, clientSecret],
    ['in the body if it must', ['client_secret_post'], null, clientSecret],
    ['in the header if it must', ['private_key_jwt', 'client_secret_basic'], basic, null],
    ['in the header if nothing is said', undefined, basic, null],
  ])('gets the secret %s', async (_, methods, authorization, inBody) => {
    const issuer = createIssuer();
    issuer.override({ metadata: { token_endpoint_auth_methods_supported: methods } });
    await createOidcProvider(issuer).handleCallback(callback(), upstreamRequest, issuer.io);
    const request = issuer.requests.find(({ endpoint }) => endpoint === 'token');
    const body = new URLSearchParams(request?.body);
    expect(new Headers(request?.headers).get('authorization')).toBe(authorization);
    expect(body.get('client_secret')).toBe(inBody);
    expect(body.get('client_id')).toBe(inBody === null ? null : clientId);
  });

  test.each([
    ['none but other methods', ['private_key_jwt', 'none']],
    ['something unreadable', 'client_secret_post'],
  ])('that takes %s is not asked', async (_, methods) => {
    const bends = { metadata: { token_endpoint_auth_methods_supported: methods } };
    expect(await rejectUnsentRequest(callback(), bends)).toEqual(
      invalid('the token endpoint does not support client secrets'),
    );
  });
});
