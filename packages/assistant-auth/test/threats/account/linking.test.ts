import { describe, expect, it } from 'vitest';
import { ProviderError } from '../../../src/index.ts';
import {
  buttons,
  createVisitor,
  expectBack,
  expectUnheeded,
  hidden,
  staleForm,
  type Visitor,
} from '../../account-visitor.ts';
import { type Deployment, deploy } from '../../deployment.ts';
import { locationOf } from '../../person.ts';
import { createProvider } from '../../provider.ts';
import { expectErrorPage, lostSignIn } from '../../refusals.ts';
import { watchProvider } from '../../watched-provider.ts';

const cat = { provider: 'other', subject: 'cat' } as const;

const linkedTo = (deployment: Deployment) => deployment.ledger.findUser(cat);

const enter = async (deployment: Deployment, subject: string): Promise<Visitor> => {
  const visitor = createVisitor(deployment);
  await visitor.enter(subject);
  return visitor;
};

/** Sent to the other provider to link it; how a browser comes back from there. */
const onTheWay = async (visitor: Visitor) => {
  const sent = locationOf(await visitor.post('/link', { choice: 'other' }));
  const state = sent.searchParams.get('state') ?? '';
  return `${sent.searchParams.get('redirect_uri')}?${new URLSearchParams({ state, code: 'cat' })}`;
};

const question = async (visitor: Visitor, url: string) => {
  const html = await (await visitor.visit(url)).text();
  return { link: hidden(html, 'link'), form: hidden(html, 'form') };
};

describe('B17', () => {
  it('B17.1 stale session: a proof of more than five minutes ago begins no link and writes none', async () => {
    const deployment = deploy();
    const ada = await enter(deployment, 'ada');
    const { link, form } = await question(ada, await onTheWay(ada));
    deployment.advance(300);
    for (const [action, fields] of [
      ['/link', { choice: 'other' }],
      ['/link/confirm', { link, confirm: '1' }],
    ] as const)
      await expectBack(ada, await ada.post(action, fields, form), 'proof-needed');
    expect(await linkedTo(deployment)).toBeUndefined();
  });

  it('B17.2 foreign link: the URL of somebody’s journey links nothing in another browser', async () => {
    const deployment = deploy();
    const [mallory, ada] = [await enter(deployment, 'mallory'), await enter(deployment, 'ada')];
    await expectErrorPage(await ada.visit(await onTheWay(mallory)), deployment, lostSignIn);
    expect(await linkedTo(deployment)).toBeUndefined();
  });

  it('B17.2 foreign link: nor does a journey that was planted there with its cookie', async () => {
    const deployment = deploy();
    const [mallory, ada] = [await enter(deployment, 'mallory'), await enter(deployment, 'ada')];
    const url = await onTheWay(mallory);
    for (const [name, value] of mallory.cookies)
      if (name.startsWith('__Host-tx-')) ada.cookies.set(name, value);
    await expectErrorPage(await ada.visit(url), deployment, staleForm);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'session.changed' });
  });

  it('B17.2 foreign link: nor does the answer to a question that somebody else was asked', async () => {
    const deployment = deploy();
    const [mallory, ada] = [await enter(deployment, 'mallory'), await enter(deployment, 'ada')];
    const asked = await question(mallory, await onTheWay(mallory));
    await expectUnheeded(
      await ada.post('/link/confirm', { link: asked.link, confirm: '1' }),
      deployment,
      staleForm,
    );
    await expectUnheeded(
      await ada.post('/link/confirm', { link: asked.link, confirm: '1' }, asked.form),
      deployment,
      staleForm,
    );
    expect(await linkedTo(deployment)).toBeUndefined();
  });

  it('B17.3 session switched meanwhile: who signed in during the journey is linked to nothing', async () => {
    const deployment = deploy();
    const browser = await enter(deployment, 'ada');
    const url = await onTheWay(browser);
    await browser.enter('bob');
    await expectErrorPage(await browser.visit(url), deployment, staleForm);
    expect(await linkedTo(deployment)).toBeUndefined();
  });

  it('B17.3 session switched meanwhile: nor is the same person in another session than the one that asked', async () => {
    const deployment = deploy();
    const browser = await enter(deployment, 'ada');
    const url = await onTheWay(browser);
    await browser.prove('ada');
    await expectErrorPage(await browser.visit(url), deployment, staleForm);
    expect(await linkedTo(deployment)).toBeUndefined();
  });

  it('B17.3 session switched meanwhile: nor who signed in while the question, or a page, was open', async () => {
    const deployment = deploy();
    const browser = await enter(deployment, 'ada');
    const { link, form } = await question(browser, await onTheWay(browser));
    const page = await browser.see();
    await browser.enter('bob');
    await expectUnheeded(
      await browser.post('/link/confirm', { link, confirm: '1' }, form),
      deployment,
      staleForm,
    );
    const fresh = (await browser.see()).form;
    await expectUnheeded(
      await browser.post('/link/confirm', { link, confirm: '1' }, fresh),
      deployment,
      staleForm,
    );
    for (const action of ['/delete', '/export', '/apps/end', '/sign-out', '/link'])
      await expectUnheeded(
        await browser.post(action, { confirm: 'yes', all: '1', choice: 'other' }, page.form),
        deployment,
        staleForm,
      );
    expect(await linkedTo(deployment)).toBeUndefined();
    expect((await browser.see()).html).toContain('bob@example.com');
  });

  it('B17.3 session switched meanwhile: a page’s Continue names one person and signs in no other', async () => {
    const deployment = deploy();
    const browser = createVisitor(deployment);
    await browser.enter('ada', 'google', { refresh: 'r-1' });
    const { consent } = await browser.open({
      response_type: 'code',
      client_id: 'gpt',
      redirect_uri: 'https://chat.openai.com/aip/g-1234567890abcdef1234567890abcdef/oauth/callback',
    });
    await browser.enter('bob', 'google', { refresh: 'r-2' });
    const response = await browser.choose(consent, { choice: 'continue' });
    expect(response.status).toBe(200);
    expect(buttons(await response.text(), 'choice')).toEqual(['google', 'other']);
  });

  it('B17.4 provider session reused silently: every journey from the account page wants a new proof', async () => {
    const [google, other] = [watchProvider(), watchProvider('other')];
    const deployment = deploy({ providers: [google, other] });
    const visitor = await enter(deployment, 'ada');
    deployment.advance(10);
    await visitor.prove('ada');
    await onTheWay(visitor);
    const since = deployment.now();
    expect(google.begun.map(({ fresh }) => fresh)).toEqual([{ since: since - 10 }, { since }]);
    expect(google.redeemed.map(({ fresh }) => fresh)).toEqual([{ since: since - 10 }, { since }]);
    expect(other.begun.map(({ fresh }) => fresh)).toEqual([{ since }]);
  });

  it('B17.4 provider session reused silently: a provider that reuses one vouches for nobody', async () => {
    const google = createProvider('google', 'Google');
    const deployment = deploy({
      providers: [google, { ...createProvider('other', 'Other'), identify: silent }],
    });
    const visitor = await enter(deployment, 'ada');
    const response = await visitor.visit(await onTheWay(visitor));
    expect(response.status).toBe(500);
    expect(await linkedTo(deployment)).toBeUndefined();
  });
});

/** As the OpenID Connect providers do, when `auth_time` is of before the journey. */
const silent = async () => {
  throw new ProviderError('invalid', 'the person did not prove themselves anew');
};
