import { describe, expect, it } from 'vitest';
import { createBroker } from '../../../src/index.ts';
import { createTestBrowser, gptRequest } from '../../browser.ts';
import { clients, deploy, gptRedirect, issuer, keys } from '../../deployment.ts';
import { expectErrorPage } from '../../expect-error.ts';
import { createProvider } from '../../fake-provider.ts';
import { continueToProvider } from '../../flows.ts';
import { createSpyStorage } from '../../spy-storage.ts';

describe('W13', () => {
  const local = `http://127.0.0.1:8976${new URL(gptRedirect).pathname}`;

  it('W13.1 development: a deployment redirects no GPT to somebody’s own machine, a local broker does', async () => {
    const request = { ...gptRequest, redirect_uri: local };
    const deployed = deploy();
    const { response } = await createTestBrowser(deployed).openSignInPage(request);
    await expectErrorPage(response, deployed, 'The address to return to is not registered for this app.');
    const onLoopback = deploy({ issuer: 'http://localhost:8787', resources: ['http://localhost:8787/api'] });
    expect((await createTestBrowser(onLoopback).signIn(request)).href).toMatch(
      new RegExp(`^${local}\\?code=`),
    );
  });

  it('W13.1 development: a deployment serves nothing but its endpoints', () => {
    const paths = (at: string) =>
      deploy({ issuer: at, resources: [`${at}/api`] }).broker.routes.map(({ path }) => path);
    expect(paths('http://localhost:8787')).toEqual(paths(issuer));
  });

  it.each(['http://127.0.0.1:4000', 'http://localhost:4000', 'http://[::1]:4000', 'http://google.example'])(
    'W13.2 fake providers: a deployment does not start with a provider at %s',
    (address) => {
      const baseUrl = {
        ...createProvider('google', 'Google'),
        configuredUrls: ['https://google.example', address],
      };
      const start = (at: string) => () =>
        createBroker({
          issuer: at,
          sealingKeys: keys,
          scopes: { words: 'read', score: 'raise' },
          clients,
          providers: [baseUrl],
          storage: createSpyStorage(),
          log: () => {},
        });
      expect(start(issuer)).toThrow(`providers.google must use https: ${address}`);
      if (address === 'http://google.example')
        expect(start('http://localhost:8787')).toThrow('must use https');
      else expect(start('http://localhost:8787')).not.toThrow();
    },
  );

  it('W13.2 fake providers: a deployment tells its providers to reach nothing over http', async () => {
    const allowed: boolean[] = [];
    const asking = (id: string) => {
      const plain = createProvider(id, id);
      return {
        ...plain,
        authorizationUrl: (...[upstreamRequest, io]: Parameters<typeof plain.authorizationUrl>) => {
          allowed.push(io.allowLoopbackHttp);
          return plain.authorizationUrl(upstreamRequest, io);
        },
      };
    };
    for (const at of [issuer, 'http://localhost:8787']) {
      await continueToProvider(
        deploy({ issuer: at, resources: [`${at}/api`], providers: [asking('google')] }),
      );
    }
    expect(allowed).toEqual([false, true]);
  });
});
