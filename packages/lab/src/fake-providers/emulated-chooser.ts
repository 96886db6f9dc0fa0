/**
 * Replaces the account chooser of an emulated provider with the one that all fake providers have. Its buttons
 * submit the forms of the replaced page, so the emulator does everything else.
 */
import { type Form, readForms } from 'assistant-auth/testing';
import { type Account, type ChoiceForm, renderAccountChooser } from './account-chooser.ts';
import type { ProxyHandler } from './reverse-proxy.ts';
import type { FakeUser } from './users.ts';

export interface EmulatedChooser {
  /** The name of the provider, such as `Google`. */
  readonly provider: string;
  /** The path of its account chooser. */
  readonly path: string;
  /** The error that it returns if the user cancels. */
  readonly cancelError: string;
  /** In the order of the buttons. */
  readonly users: readonly FakeUser[];
  /** Returns the value with which a form selects the user. */
  readonly identifyUser: (user: FakeUser) => string;
}

/** Returns the responses of `handleRequest`, with the account chooser replaced. */
export const replaceAccountChooser =
  (chooser: EmulatedChooser, handleRequest: ProxyHandler): ProxyHandler =>
  async (proxiedRequest, target) => {
    const response = await handleRequest(proxiedRequest, target);
    const { pathname, searchParams } = new URL(proxiedRequest.path, target);
    // Errors are shown as they are.
    if (pathname !== chooser.path || !response.ok) return response;
    const page = renderAccountChooser({
      provider: chooser.provider,
      accounts: findAccounts(readForms(await response.text()), chooser),
      cancel: buildCancelForm(searchParams, chooser.cancelError),
    });
    return new Response(page, { headers: { 'content-type': 'text/html; charset=utf-8' } });
  };

const findAccounts = (
  forms: readonly Form[],
  { provider, users, identifyUser }: EmulatedChooser,
): readonly Account[] =>
  users.map((user) => {
    const form = forms.find(({ fields }) => fields.some(([, value]) => value === identifyUser(user)));
    if (form === undefined) throw new Error(`The emulator of ${provider} has no account ${user.email}`);
    return { user, form };
  });

/** The authorization error response (RFC 6749 §4.1.2.1). The emulator has checked the redirect URI. */
const buildCancelForm = (query: URLSearchParams, error: string): ChoiceForm => ({
  method: query.get('response_mode') === 'form_post' ? 'POST' : 'GET',
  action: query.get('redirect_uri') ?? '',
  fields: [
    ['error', error],
    ['state', query.get('state') ?? ''],
  ],
});
