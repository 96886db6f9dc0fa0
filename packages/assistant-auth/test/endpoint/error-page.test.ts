import { describe, expect, test } from 'vitest';
import { defaultPages, type Pages } from '../../src/context.ts';
import { createErrorPageResponder } from '../../src/endpoint/error-page.ts';
import type { RequestContext } from '../../src/endpoint/handler.ts';
import {
  authorizationError,
  callbackError,
  type ProtocolError,
  requestError,
} from '../../src/oauth/protocol-error.ts';
import { parseBranding } from '../../src/ui/branding.ts';
import { readLines } from '../ui/read-markup.ts';

const request = new Request('https://words.example/authorize');

const createLoggedContext = () => {
  const lines: object[] = [];
  const log = (line: object) => void lines.push(line);
  const requestContext: RequestContext = { request, url: new URL(request.url), requestId: 'request-1', log };
  return { requestContext, lines };
};

const respond = (
  protocolError: ProtocolError,
  pages: Partial<Pages> = {},
  { requestContext } = createLoggedContext(),
) =>
  createErrorPageResponder({
    pages: { ...defaultPages, ...pages },
    branding: parseBranding({ name: 'Words' }),
  })(protocolError, requestContext);

describe('the error page', () => {
  test.each([
    [
      authorizationError('client.unknown'),
      400,
      'This sign-in cannot go on',
      'The app that sent you here is not registered with us.',
    ],
    [callbackError('provider.unknown'), 404, 'This sign-in cannot go on', 'There is no such way to sign in.'],
    [
      requestError('request.method'),
      405,
      'This sign-in cannot go on',
      'This address does not answer that method.',
    ],
    [requestError('unexpected'), 500, 'Something is out of order', 'Something went wrong on our side.'],
    [
      requestError('storage.unavailable'),
      503,
      'Something is out of order',
      'The service is out of order for a moment. Try again soon.',
    ],
  ] as const)('shows $0 with status $1', async (protocolError, status, title, message) => {
    const response = respond(protocolError);
    expect(response.status).toBe(status);
    const lines = await readLines(await response.text());
    expect(lines).toEqual(expect.arrayContaining([title, message, 'Reference request-1']));
  });

  test('hands a page of the publisher’s all there is to say', async () => {
    const response = respond(authorizationError('state.too-long'), {
      error: ({ title, message, reference, stylesheetPath, branding }) =>
        JSON.stringify({ title, message, reference, stylesheetPath, name: branding.name }),
    });
    expect(await response.json()).toEqual({
      title: 'This sign-in cannot go on',
      message: 'The parameter state is too long.',
      reference: 'request-1',
      stylesheetPath: '/authorize/style.css',
      name: 'Words',
    });
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  test('shows our own page when the publisher’s fails, and logs that, too', async () => {
    const visited = createLoggedContext();
    const failing = {
      error: () => {
        throw new Error('template missing');
      },
    };
    const response = respond(authorizationError('state.too-long'), failing, visited);
    expect(response.status).toBe(400);
    expect(await response.text()).toBe(await respond(authorizationError('state.too-long')).text());
    expect(visited.lines).toEqual([
      {
        event: 'refused',
        reason: 'unexpected',
        cause: 'Error: template missing',
        stack: expect.stringMatching(/^at /),
      },
    ]);
  });
});
