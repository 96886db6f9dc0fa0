/** Authorization responses, and requests with the credentials of the client. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProviderResponse } from '../../src/providers/http.ts';
import {
  createCredentials,
  readAuthorizationCode,
  redeemCode,
  refreshTokens,
  requestRevocation,
} from '../../src/providers/oauth-requests.ts';
import { ProviderError, type ProviderIo } from '../../src/providers/provider.ts';
import { clientId, clientSecret, upstreamRequest } from './fake-issuer.ts';

const issuer = 'https://id.example';
const server = { issuer, isIssRequired: false };
const correct = 'state=s&code=c';

describe('an authorization response (RFC 6749 §4.1.2)', () => {
  /** Returns the code, or the kind and the reason of the error. */
  const read = (query: string, changes: { readonly isIssRequired?: unknown } = {}): unknown => {
    try {
      return readAuthorizationCode(new URLSearchParams(query), 's', { ...server, ...changes });
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      return `${error.kind}: ${error.message}`;
    }
  };

  it.each([
    ['state and code', correct],
    ['its issuer', `${correct}&iss=${issuer}`],
    ['empty parameters, which count as absent', `${correct}&iss=&error=&response=`],
    ['parameters that are not known', `${correct}&session_state=x&scope=openid&scope=email`],
  ])('with %s has a code', (_, query) => {
    expect(read(query)).toBe('c');
  });

  it.each([
    ['an absent iss', correct, true],
    ['an empty iss', `${correct}&iss=`, true],
    ['an empty iss, if it is announced with another value', `${correct}&iss=`, 'yes'],
  ])('B5.1 with %s is refused if iss is announced', (_, query, isIssRequired) => {
    expect(read(query, { isIssRequired })).toBe('invalid: the authorization response has no iss');
  });

  it.each(['response', 'iss', 'state', 'error', 'code'])('with a repeated %s is refused', (name) => {
    const query = new URLSearchParams(correct);
    query.delete(name);
    const value = { iss: issuer, state: 's', code: 'c' }[name] ?? '';
    query.append(name, value);
    query.append(name, value);
    expect(read(query.toString())).toBe(`invalid: the authorization response has a repeated ${name}`);
  });

  it.each([
    ['a JWT', `${correct}&response=e30.e30.`, 'is a JWT'],
    ['an ID token', `${correct}&id_token=e30.e30.`, 'has tokens'],
    ['an empty ID token', `${correct}&id_token=`, 'has tokens'],
    ['a token', `${correct}&token=x`, 'has tokens'],
    ['no state', 'code=c', 'is for another sign-in'],
    ['an empty state', 'state=&code=c', 'is for another sign-in'],
    ['a state in another case', 'state=S&code=c', 'is for another sign-in'],
    ['an error of another sign-in', 'state=x&error=access_denied', 'is for another sign-in'],
    ['another issuer and an error', 'state=s&error=access_denied&iss=x', 'is from another issuer'],
    ['the issuer in another case', `${correct}&iss=HTTPS://id.example`, 'is from another issuer'],
    ['no code', 'state=s', 'has no code'],
  ])('with %s is refused', (_, query, problem) => {
    expect(read(query)).toBe(`invalid: the authorization response ${problem}`);
  });

  it('has a code only if state, issuer and code occur once and are correct', () => {
    const name = fc.constantFrom('state', 'code', 'iss', 'error', 'response', 'id_token', 'token');
    const value = fc.constantFrom('', 's', 'c', issuer, 'access_denied');
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), fc.boolean(), (pairs, isIssRequired) => {
        const query = new URLSearchParams(pairs.map(([key, text]) => [key, text]));
        const values = (key: string) => query.getAll(key).join();
        const isCorrect =
          values('state') === 's' &&
          query.getAll('code').length === 1 &&
          values('code') !== '' &&
          (isIssRequired ? [issuer] : [issuer, '']).includes(values('iss')) &&
          values('error') + values('response') === '' &&
          !query.has('id_token') &&
          !query.has('token');
        const result = read(query.toString(), { isIssRequired });
        expect(result === values('code')).toBe(isCorrect);
      }),
    );
  });
});

describe('client authentication (RFC 6749 §2.3.1)', () => {
  it('form-encodes both parts of Basic, so that a decoder returns them', () => {
    const part = fc.string({ unit: 'binary' });
    const decode = (text = '') => new URLSearchParams(`x=${text}`).get('x');
    fc.assert(
      fc.property(part, part, (id, secret) => {
        const { authorization = '' } = createCredentials('client_secret_basic', id, secret).headers ?? {};
        const decoded = atob(authorization.replace(/^Basic /, ''));
        expect(decoded).toMatch(/^[\w%+.*-]*:[\w%+.*-]*$/);
        expect(decoded.split(':').map(decode)).toEqual([id, secret]);
      }),
    );
  });
});

describe('Basic without characters that must be encoded', () => {
  it('has the same credentials as without encoding', () => {
    const text = fc.stringMatching(/^[\w.*-]*$/);
    fc.assert(
      fc.property(text, text, (id, secret) => {
        expect(createCredentials('client_secret_basic', id, secret)).toEqual(
          createCredentials('client_secret_basic_unencoded', id, secret),
        );
      }),
    );
  });
});

describe('a request', () => {
  const url = 'https://id.example/endpoint';
  const { redirectUri, codeVerifier } = upstreamRequest;

  /** Sends a request, and returns what arrives. */
  const record = async (send: (io: ProviderIo) => Promise<ProviderResponse>) => {
    const requests: Request[] = [];
    const fetch: ProviderIo['fetch'] = async (input, init) => {
      requests.push(new Request(String(input), init));
      return Response.json({});
    };
    await send({ fetch, now: () => 0, allowLoopbackHttp: false, timeoutMs: 10_000 });
    const [request] = requests;
    return {
      count: requests.length,
      url: request?.url,
      method: request?.method,
      redirect: request?.redirect,
      headers: Object.fromEntries(request?.headers ?? []),
      body: Object.fromEntries((await request?.formData()) ?? []),
    };
  };

  const headers = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
    'user-agent': 'assistant-auth',
  };
  const common = { count: 1, url, method: 'POST', redirect: 'manual' };

  const endpoint = { url, credentials: createCredentials('client_secret_post', clientId, clientSecret) };
  const secret = { client_id: clientId, client_secret: clientSecret };

  it.each<[string, (io: ProviderIo) => Promise<ProviderResponse>, Readonly<Record<string, string>>]>([
    [
      'redeems a code',
      (io) => redeemCode(endpoint, { ...upstreamRequest, code: 'c', pkce: true }, io),
      {
        grant_type: 'authorization_code',
        code: 'c',
        redirect_uri: redirectUri,
        code_verifier: codeVerifier,
      },
    ],
    [
      'refreshes',
      (io) => refreshTokens(endpoint, 'r', io),
      { grant_type: 'refresh_token', refresh_token: 'r' },
    ],
    [
      'revokes',
      (io) => requestRevocation(endpoint, 'r', io),
      { token: 'r', token_type_hint: 'refresh_token' },
    ],
  ])('that %s has the secret in the form', async (_, send, form) => {
    expect(await record(send)).toEqual({ ...common, headers, body: { ...form, ...secret } });
  });

  it('has the secret only in the header for Basic', async () => {
    const basic = { url, credentials: createCredentials('client_secret_basic', 'id', 'secret') };
    expect(await record((io) => refreshTokens(basic, 'r', io))).toEqual({
      ...common,
      headers: { ...headers, authorization: `Basic ${btoa('id:secret')}` },
      body: { grant_type: 'refresh_token', refresh_token: 'r' },
    });
  });
});
