/** The pages of a typical deployment. A test can change single values. */
import { renderSignInPageWithSession } from '../../src/account/ui/sign-in-with-session.ts';
import { defaultAccountTexts } from '../../src/account/ui/texts.ts';
import { german } from '../../src/languages/german.ts';
import { pageLanguages } from '../../src/languages/index.ts';
import { defaultMcpClientTexts } from '../../src/mcp-clients/texts.ts';
import {
  type Branding,
  type PageOptions,
  type ParsedBranding,
  parseLocalizedBranding,
} from '../../src/ui/branding.ts';
import {
  type CompletedModel,
  type ErrorModel,
  renderCompletedPage,
  renderErrorPage,
} from '../../src/ui/error.ts';
import type { SignInModel } from '../../src/ui/sign-in.ts';
import type { Texts } from '../../src/ui/texts.ts';

const branding: Branding = {
  name: 'Words With Chat',
  logo: '/logo.svg',
  icon: '/favicon.svg',
  clientIcons: { 'chatgpt.com': '/chatgpt.svg' },
  links: { privacyPolicy: '/privacy' },
};

export interface Changes<Model> extends PageOptions {
  readonly model?: Partial<Model>;
}

/** The branding for a request that prefers no language. */
export const parseBranding = (options: PageOptions, optionalTexts?: Partial<Texts>): ParsedBranding =>
  parseLocalizedBranding(options, optionalTexts).select(new Request('https://words.example/'));

/** Shows all pages in one language, with German texts. */
export const fixedLanguage = (tag: string): Pick<PageOptions, 'languages'> => ({
  languages: pageLanguages([{ ...german, tag }], { fixed: tag }),
});

/** The branding of a deployment with an account page and `mcpClients`. */
export const parsePageOptions = (changes: PageOptions): ParsedBranding =>
  parseBranding(
    { ...changes, branding: { ...branding, ...changes.branding } },
    { ...defaultAccountTexts, ...defaultMcpClientTexts },
  );

export const renderSignIn = (changes: Changes<SignInModel> = {}): string =>
  renderSignInPageWithSession({
    branding: parsePageOptions(changes),
    clientName: 'ChatGPT',
    clientIdentity: { kind: 'configured' },
    redirectHost: 'chatgpt.com',
    redirectKind: 'website',
    scopes: [
      { name: 'score.read', description: 'Read your score' },
      { name: 'score.write', description: 'Add to your score' },
    ],
    access: { kind: 'refreshed', lifetime: 31_536_000, idleLifetime: 5_184_000 },
    providers: [
      { id: 'google', displayName: 'Google' },
      { id: 'github', displayName: 'GitHub' },
    ],
    action: '/authorize',
    consent: 'sealed-request',
    stylesheetPath: '/sign-in.css',
    ...changes.model,
  });

export const renderError = (changes: Changes<ErrorModel> = {}): string =>
  renderErrorPage({
    branding: parsePageOptions(changes),
    title: 'We couldn’t sign you in',
    message: 'ChatGPT asked to send you to an address that is not registered for it.',
    reference: 'q3T9bX0aLkE',
    stylesheetPath: '/sign-in.css',
    ...changes.model,
  });

export const renderCompleted = (changes: Changes<CompletedModel> = {}): string =>
  renderCompletedPage({
    branding: parsePageOptions(changes),
    outcome: 'signed-in',
    destination: { kind: 'client', name: 'ChatGPT', url: 'https://chatgpt.com/' },
    stylesheetPath: '/sign-in.css',
    ...changes.model,
  });
