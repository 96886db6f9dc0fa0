/** Browsers that keep no cookie, or lose them on the way. */
import { describe, expect, it } from 'vitest';
import { createVisitor, expectUnheeded, staleForm } from '../../account-visitor.ts';
import { deploy, issuer } from '../../deployment.ts';
import { atProvider, atSignIn, bindingsIn, journeysIn } from '../../on-the-way.ts';
import { createPerson, gptRequest, locationOf } from '../../person.ts';
import { expectCookiesPage, expectErrorPage, lostSignIn } from '../../refusals.ts';
import { watchLedger } from '../../watched-ledger.ts';
import { watchProvider } from '../../watched-provider.ts';

const staleConsent =
  'This page has expired or belongs to another browser. Go back to the app and start again.';

const createSystem = () => {
  const provider = watchProvider();
  const ledger = watchLedger();
  return { provider, ledger, deployment: deploy({ providers: [provider], ledger }) };
};

describe('B23', () => {
  it.each([{ choice: 'google' }, { choice: 'continue' }, { cancel: '1' }])(
    'B23.1 at the consent: %j is answered with what is missing, and begins nothing',
    async (choice) => {
      const { provider, ledger, deployment } = createSystem();
      const { person, consent } = await atSignIn(deployment);
      for (const forgotten of [true, false]) {
        if (forgotten) person.cookies.clear();
        else person.cookies.set('theme', 'dark');
        const response = await person.choose(consent, choice);
        await expectCookiesPage(response, deployment, 'consent');
        expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.no-cookies' });
      }
      expect(provider.begun).toEqual([]);
      expect(ledger.calls).toEqual([]);
    },
  );

  it('B23.1 at the consent: the same form goes on once its cookie is there', async () => {
    const { deployment } = createSystem();
    const { person, consent } = await atSignIn(deployment);
    const cookies = [...person.cookies];
    person.cookies.clear();
    await expectCookiesPage(await person.choose(consent, { choice: 'google' }), deployment, 'consent');
    for (const [name, value] of cookies) person.cookies.set(name, value);
    expect((await person.choose(consent, { choice: 'google' })).status).toBe(303);
  });

  it('B23.2 not blocked: what is wrong with the form itself is said first', async () => {
    const { deployment } = createSystem();
    const { consent } = await atSignIn(deployment);
    const stranger = createPerson(deployment);
    const elsewhere = new Request(`${issuer}/authorize/consent`, {
      method: 'POST',
      headers: { origin: 'https://evil.example' },
      body: new URLSearchParams({ consent, choice: 'google' }),
    });
    await expectErrorPage(await deployment.fetch(elsewhere), deployment, staleConsent);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.origin' });
    await expectErrorPage(await stranger.choose('forged', { choice: 'google' }), deployment, staleConsent);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.unreadable' });
    deployment.advance(1800);
    await expectErrorPage(await stranger.choose(consent, { choice: 'google' }), deployment, staleConsent);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.expired' });
  });

  it('B23.2 not blocked: a browser with another binding cookie is told that the page is not its own', async () => {
    const { deployment } = createSystem();
    const { consent } = await atSignIn(deployment);
    const { person } = await atSignIn(deployment);
    await expectErrorPage(await person.choose(consent, { choice: 'google' }), deployment, staleConsent);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.foreign' });
  });

  it('B23.3 at the callback: no cookie of ours at all', async () => {
    const { provider, ledger, deployment } = createSystem();
    const { person, answerUrl } = await atProvider(deployment);
    person.cookies.clear();
    for (const other of [undefined, 'theme', '__Host-another-app', '__Secure-csrf-12345678']) {
      if (other !== undefined) person.cookies.set(other, 'x');
      const response = await person.visit(answerUrl({ code: 'ada' }));
      await expectCookiesPage(response, deployment, 'callback');
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.no-cookies' });
    }
    expect(provider.redeemed).toEqual([]);
    expect(ledger.calls).toEqual([]);
  });

  it('B23.3 at the callback: any other cookie of ours shows that cookies are kept', async () => {
    const { deployment } = createSystem();
    const { person, answerUrl } = await atProvider(deployment);
    for (const name of journeysIn(person.cookies)) person.cookies.delete(name);
    await expectErrorPage(await person.visit(answerUrl({ code: 'ada' })), deployment, lostSignIn);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.missing' });
  });

  it.each(['/sign-in', '/sign-out', '/apps/end', '/link', '/link/confirm', '/unlink', '/export', '/delete'])(
    'B23.4 at the account page: POST /account%s does nothing, and says what is missing',
    async (action) => {
      const { provider, ledger, deployment } = createSystem();
      const visitor = createVisitor(deployment);
      const { form } = await visitor.see();
      visitor.cookies.clear();
      const fields = { choice: 'google', all: '1', confirm: 'yes' };
      await expectCookiesPage(await visitor.post(action, fields, form), deployment, 'account');
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'account-form.no-cookies' });
      expect(provider.begun).toEqual([]);
      expect(ledger.calls).toEqual([]);
    },
  );

  it('B23.4 at the account page: an expired form is not blamed on cookies', async () => {
    const { deployment } = createSystem();
    const visitor = createVisitor(deployment);
    const { form } = await visitor.see();
    visitor.cookies.clear();
    deployment.advance(1800);
    await expectUnheeded(await visitor.post('/sign-in', { choice: 'google' }, form), deployment, staleForm);
  });

  it('B23.5 cleared in the middle: each next step says so, and starting again works', async () => {
    const { deployment } = createSystem();
    const { person, consent } = await atSignIn(deployment);
    person.cookies.clear();
    await expectCookiesPage(await person.choose(consent, { choice: 'google' }), deployment, 'consent');
    const again = await person.open(gptRequest);
    expect(bindingsIn(person.cookies)).toHaveLength(1);
    await expectErrorPage(await person.choose(consent, { choice: 'google' }), deployment, staleConsent);
    const sent = locationOf(await person.choose(again.consent, { choice: 'google' }));
    const state = sent.searchParams.get('state') ?? '';
    const url = `${issuer}/callback/google?${new URLSearchParams({ state, code: 'ada' })}`;
    person.cookies.clear();
    await expectCookiesPage(await person.visit(url), deployment, 'callback');
    expect((await person.signIn(gptRequest)).searchParams.has('code')).toBe(true);
  });

  it('B23.5 cleared in the middle: an account whose cookies are gone shows how to sign in', async () => {
    const { deployment } = createSystem();
    const visitor = createVisitor(deployment);
    await visitor.enter();
    const { form } = await visitor.see();
    visitor.cookies.clear();
    await expectCookiesPage(await visitor.post('/sign-out', {}, form), deployment, 'account');
    expect((await visitor.see()).kind).toBe('sign-in');
    await visitor.enter();
    expect((await visitor.see()).kind).toBe('account');
  });
});
