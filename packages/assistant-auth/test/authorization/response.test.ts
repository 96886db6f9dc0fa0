import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ResponseTarget,
  redirectWithCode,
  withErrorRedirect,
} from '../../src/authorization/response.ts';
import { staticClient } from '../../src/clients/static.ts';
import type { LogEntry } from '../../src/oauth/log.ts';
import {
  accountErrors,
  apiErrors,
  authorizationError,
  authorizationErrors,
  callbackError,
  callbackErrors,
  eventEndpointErrors,
  requestErrors,
  tokenEndpointErrors,
} from '../../src/oauth/protocol-error.ts';
import { verifyRedirect } from '../../src/oauth/redirect-uri.ts';
import { parseIssuer } from '../../src/oauth/resource.ts';

const targetFor = (redirectUri: string, state: string | undefined = 'state-1'): ResponseTarget => {
  const client = staticClient({ id: 'app', name: 'App', redirectUris: [redirectUri], scopes: ['words'] });
  return {
    redirect: verifyRedirect(client, redirectUri),
    clientId: 'app',
    state,
    issuer: parseIssuer('https://words.example'),
  };
};

const createLoggedContext = () => {
  const lines: Omit<LogEntry, 'requestId' | 'endpoint'>[] = [];
  const request = new Request('https://words.example/authorize');
  const requestContext = {
    request,
    url: new URL(request.url),
    requestId: 'request-1',
    log: (line: Omit<LogEntry, 'requestId' | 'endpoint'>) => void lines.push(line),
  };
  return { requestContext, lines };
};

const respond = (target: ResponseTarget, rejection: Error, cookies: readonly string[] = []) => {
  const { requestContext, lines } = createLoggedContext();
  return {
    response: withErrorRedirect(target, requestContext, cookies, () => Promise.reject(rejection)),
    lines,
  };
};

describe('the way back', () => {
  test('carries code, state and issuer', () => {
    const response = redirectWithCode(targetFor('https://app.example/cb'), 'code-1', ['a=1']);
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe(
      'https://app.example/cb?code=code-1&state=state-1&iss=https%3A%2F%2Fwords.example',
    );
    expect(response.headers.getSetCookie()).toEqual(['a=1']);
  });

  test('carries no state when the client sent none', () => {
    const target = { ...targetFor('https://app.example/cb'), state: undefined };
    expect(redirectWithCode(target, 'code-1', []).headers.get('location')).toBe(
      'https://app.example/cb?code=code-1&iss=https%3A%2F%2Fwords.example',
    );
  });

  test.each([
    ['https://app.example/cb?tenant=1', '&'],
    ['https://app.example/cb?a=b%20c&d=e+f', '&'],
    ['https://app.example/cb?flag', '&'],
    ['https://app.example/cb?q=~!*()', '&'],
    ['https://app.example/cb?', ''],
    ['https://app.example/cb?a=1&', ''],
    ['https://app.example/', '?'],
    ['com.example.app:/cb', '?'],
    ['http://127.0.0.1/cb', '?'],
    ['http://127.0.0.1/cb?a=%2F', '&'],
  ])('leaves what the client registered as it is: %s', (redirectUri, separator) => {
    expect(redirectWithCode(targetFor(redirectUri), 'code-1', []).headers.get('location')).toBe(
      `${redirectUri}${separator}code=code-1&state=state-1&iss=https%3A%2F%2Fwords.example`,
    );
  });

  test('brings any state back unchanged, whichever way the client decodes it', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\x20-\x7E]+$/), (state) => {
        const location = redirectWithCode(targetFor('https://app.example/cb', state), 'c', []).headers.get(
          'location',
        );
        const raw = /&state=([^&#]*)&iss=/.exec(location ?? '')?.[1] ?? '';
        expect(new URL(location ?? '').searchParams.get('state')).toBe(state);
        expect(decodeURIComponent(raw)).toBe(state);
      }),
    );
  });
});

describe('a refusal on the way', () => {
  test('goes to the client with its code, sentence, state and issuer, and sets the cookies', async () => {
    const { response, lines } = respond(
      targetFor('https://app.example/cb'),
      authorizationError('scope.unknown'),
      ['a=1'],
    );
    const { status, headers } = await response;
    expect(status).toBe(303);
    expect(Object.fromEntries(new URL(headers.get('location') ?? '').searchParams)).toEqual({
      error: 'invalid_scope',
      error_description: 'The requested scope is unknown or not available to this client.',
      state: 'state-1',
      iss: 'https://words.example',
    });
    expect(headers.getSetCookie()).toEqual(['a=1']);
    expect(lines).toEqual([{ event: 'refused', reason: 'scope.unknown', clientId: 'app' }]);
  });

  test('that nobody foresaw says nothing of itself', async () => {
    const { response, lines } = respond(targetFor('https://app.example/cb'), new Error('password=hunter2'));
    const location = (await response).headers.get('location') ?? '';
    expect(new URL(location).searchParams.get('error')).toBe('server_error');
    expect(location).not.toContain('hunter2');
    expect(lines).toEqual([
      {
        event: 'refused',
        reason: 'unexpected',
        clientId: 'app',
        cause: 'Error: password=hunter2',
        stack: expect.stringMatching(/^at /),
      },
    ]);
  });

  test('stays here when the login transaction was completed before', async () => {
    const { response, lines } = respond(
      targetFor('https://app.example/cb'),
      callbackError('transaction.replayed'),
    );
    await expect(response).rejects.toMatchObject({ reason: 'transaction.replayed' });
    expect(lines).toEqual([]);
  });

  test('leaves the answer alone when there is none', async () => {
    const { requestContext, lines } = createLoggedContext();
    const answer = new Response('fine');
    expect(
      await withErrorRedirect(
        targetFor('https://app.example/cb'),
        requestContext,
        ['a=1'],
        async () => answer,
      ),
    ).toBe(answer);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(lines).toEqual([]);
  });
});

const errorDefinitions = {
  ...requestErrors,
  ...authorizationErrors,
  ...callbackErrors,
  ...accountErrors,
  ...tokenEndpointErrors,
  ...apiErrors,
  ...eventEndpointErrors,
};

test.each(Object.entries(errorDefinitions))(
  '%s is described in the characters of RFC 6749 §4.1.2.1',
  (_, [, sentence]) => {
    expect(sentence).toMatch(/^[\x20\x21\x23-\x5B\x5D-\x7E]+$/);
  },
);
