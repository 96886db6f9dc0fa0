import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeProvider, fakeUsers, startGoogle, startGoogleWithSession } from '../../src/index.ts';
import {
  buildAuthorizationUrl,
  fakeProviders,
  findEndpoints,
  redeem,
  redirectUri,
  startFakeProvider,
} from './visit.ts';

const [ada] = fakeUsers;

describe('the Google fake provider that remembers', () => {
  let google: FakeProvider;
  beforeEach(async () => {
    google = await startFakeProvider(startGoogleWithSession);
  });
  afterEach(() => google.close());

  const authorize = async (cookie: string): Promise<Response> => {
    const { authorize: address } = await findEndpoints(fakeProviders.google, google.issuer);
    return fetch(buildAuthorizationUrl(address, fakeProviders.google), {
      redirect: 'manual',
      headers: { cookie },
    });
  };

  it('answers somebody who is signed in with a redirect at once, and signs her in', async () => {
    const response = await authorize(`other=1; signed-in=${ada.email}`);
    const location = new URL(response.headers.get('location') ?? '');
    expect(response.status).toBe(302);
    expect(location.origin + location.pathname).toBe(redirectUri);
    expect(location.searchParams.get('state')).toBe('a state');
    const claims = await redeem(fakeProviders.google, google.issuer, location.searchParams.get('code') ?? '');
    expect(claims).toMatchObject({ iss: google.issuer, email: ada.email, nonce: 'a nonce' });
  });

  it('shows everybody else the page', async () => {
    const response = await authorize('');
    expect(response.status).toBe(200);
    expect(await response.text()).toContain(ada.email);
  });

  it('signs nobody in whom it does not know', async () => {
    const response = await authorize('signed-in=nobody@example.com');
    expect(response.status).toBe(400);
    expect(response.headers.get('location')).toBeNull();
  });

  it.each([startGoogleWithSession, startGoogle])('says that its port is taken', async (start) => {
    const again = startFakeProvider(start, Number(new URL(google.issuer).port));
    await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
