import { expect, it } from 'vitest';
import { client, fakeProviders, findEndpoints, startFakeProvider } from './visit.ts';

it.each(['google', 'microsoft', 'apple'] as const)(
  'the %s fake provider says of a token of an earlier start that it is out of order, not that the person is gone',
  async (name) => {
    const { issuer, close } = await startFakeProvider(fakeProviders[name].start);
    const { token } = await findEndpoints(fakeProviders[name], issuer);
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: 'of-an-earlier-start',
      client_id: client.clientId,
      client_secret: client.clientSecret,
    });
    const response = await fetch(token, { method: 'POST', body });
    expect([response.status, await response.json()]).toEqual([
      503,
      { error: 'temporarily_unavailable', error_description: 'This token is of an earlier start.' },
    ]);
    await close();
  },
);
