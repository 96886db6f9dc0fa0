/** What ties a form of the account page to one browser and one session: a form of another is nobody's will. */
import { isFromOwnPage } from '../http/same-origin.ts';
import { Refusal } from '../protocol/errors.ts';
import type { Issuer } from '../protocol/origin.ts';
import type { Clock } from '../protocol/time.ts';
import type { Lifetimes } from '../tokens/lifetimes.ts';
import type { AccountForm } from '../tokens/session.ts';
import type { Vault } from '../tokens/vault.ts';
import { checkBinding } from './binding-cookie.ts';

export interface AccountFormRooms {
  readonly issuer: Issuer;
  readonly vault: Vault;
  readonly lifetimes: Lifetimes;
  readonly now: Clock;
}

/** Seals what every form on a page posts back. */
export const sealAccountForm = (
  { vault, lifetimes, now }: AccountFormRooms,
  csrf: string,
  session: string | undefined,
): Promise<string> => vault.accountForm.seal({ session, csrf, expiresAt: now() + lifetimes.consent });

/**
 * Opens what was posted back.
 * @throws Refusal for a page of another origin, browser or time; in which session it was shown is the caller's to ask
 */
export const openAccountForm = async (
  { issuer, vault, now }: AccountFormRooms,
  request: Request,
  sealed: string | undefined,
  cookies: ReadonlyMap<string, string>,
): Promise<AccountForm> => {
  if (!isFromOwnPage(request, issuer)) throw new Refusal('account-form.origin');
  const opened = await vault.accountForm.open(sealed ?? '');
  if (opened.kind === 'unopened') throw new Refusal('account-form.unreadable', { cause: opened.reason });
  const form = opened.value;
  if (now() >= form.expiresAt) throw new Refusal('account-form.expired');
  switch (await checkBinding(cookies, form.csrf)) {
    case 'bound':
      return form;
    case 'other':
      throw new Refusal('account-form.foreign');
    case 'none':
      throw new Refusal('account-form.no-cookies');
  }
};
