import { expect, it } from 'vitest';
import {
  buildGptCodeRequest,
  callApi,
  createTestBrowser,
  expectTokens,
  gptRequest,
  requestTokens,
} from './browser.ts';
import { deploy, gptSecret } from './deployment.ts';

it('signs a person in through ChatGPT, answers the API, and refreshes', async () => {
  const deployment = deploy();
  const browser = createTestBrowser(deployment);

  const back = await browser.signIn(gptRequest, 'ada');
  expect(back.origin + back.pathname).toBe(gptRequest.redirect_uri);
  expect([...back.searchParams.keys()]).toEqual(['code', 'state', 'iss']);
  expect(back.searchParams.get('state')).toBe(gptRequest.state);

  const tokens = await expectTokens(
    await requestTokens(deployment, buildGptCodeRequest(back.searchParams.get('code') ?? '')),
  );
  const first = await callApi(deployment, tokens.access_token);
  expect(first).toMatchObject({
    kind: 'granted',
    access: { clientId: 'gpt', scopes: ['words', 'score'], claims: {} },
  });

  deployment.advance(1800);
  expect(await callApi(deployment, tokens.access_token)).toMatchObject({
    kind: 'refused',
    response: { status: 401 },
  });
  const refreshed = await expectTokens(
    await requestTokens(deployment, {
      grant_type: 'refresh_token',
      client_id: 'gpt',
      client_secret: gptSecret,
      refresh_token: tokens.refresh_token,
    }),
  );
  expect(refreshed.refresh_token).toBe(tokens.refresh_token);
  const later = await callApi(deployment, refreshed.access_token);
  if (first.kind !== 'granted' || later.kind !== 'granted') throw new Error('the API refused');
  expect(later.access.userId).toBe(first.access.userId);
});
