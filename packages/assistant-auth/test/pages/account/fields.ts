/** The account's pages with one value in every field of theirs, and with every one of their texts. */
import { defaultAccountTexts } from '../../../src/ui/account-texts.ts';
import type { Branding } from '../../../src/ui/branding.ts';
import {
  app,
  identity,
  proven,
  renderAccount,
  renderAccountSignIn,
  renderLink,
  renderTaken,
} from './models.ts';
import { accountNotices, accountSignInNotices } from './notices.ts';

export const everyAccountPage = (branding: Partial<Branding>): string =>
  [
    renderAccount({ branding }),
    renderAccount({ branding, model: { apps: [] } }),
    renderAccount({ branding, model: { ...proven, apps: [{ ...app, scopes: [] }] } }),
    renderAccountSignIn({ branding }),
    renderLink({ branding }),
    renderTaken({ branding }),
  ].join('');

export const everyAccountNotice = (branding: Partial<Branding>): string =>
  [
    ...accountNotices.map(([notice]) => renderAccount({ branding, model: { notice } })),
    ...accountSignInNotices.map(([notice]) => renderAccountSignIn({ branding, model: { notice } })),
  ].join('');

/** Begins every text of the account's pages with the value. */
const beginAll = (value: string): Partial<Branding> => ({
  texts: Object.fromEntries(Object.entries(defaultAccountTexts).map(([name, text]) => [name, value + text])),
});

/** All fields at once: each page is long, and reading one takes milliseconds. */
export const accountFields: readonly (readonly [name: string, render: (value: string) => string])[] = [
  [
    'the account page’s fields',
    (value) => renderAccount({ model: { ...accountOf(value), ...provingWith(value) } }),
  ],
  [
    'the account page’s fields, proven',
    (value) => renderAccount({ model: { ...accountOf(value), proof: proven.proof } }),
  ],
  [
    'the account sign-in page’s fields',
    (value) =>
      renderAccountSignIn({
        model: { action: value, form: value, stylesheetPath: value, providers: [choiceOf(value)] },
      }),
  ],
  [
    'the link page’s fields',
    (value) =>
      renderLink({
        model: {
          action: value,
          form: value,
          link: value,
          stylesheetPath: value,
          current: { provider: value, label: value },
          found: { provider: value, label: value },
        },
      }),
  ],
  [
    'the taken page’s fields',
    (value) =>
      renderTaken({
        model: { accountPath: value, stylesheetPath: value, found: { provider: value, label: value } },
      }),
  ],
  ['the account’s texts', (value) => everyAccountPage(beginAll(value)) + everyAccountNotice(beginAll(value))],
];

const choiceOf = (value: string) => ({ id: value, label: value, markPath: value });

const provingWith = (value: string) => ({ proof: { kind: 'stale', providers: [choiceOf(value)] } }) as const;

const accountOf = (value: string) => {
  const shown = { ...identity, key: value, provider: value, label: value, markPath: value };
  return {
    actions: {
      signOut: value,
      endApps: value,
      signIn: value,
      link: value,
      unlink: value,
      exportData: value,
      deleteAccount: value,
    },
    form: value,
    stylesheetPath: value,
    apps: [
      {
        ...app,
        key: value,
        clientName: value,
        redirectHost: value,
        scopes: [{ name: 'a', description: value }],
      },
    ],
    identities: [shown, { ...shown, current: false }],
    linkable: [choiceOf(value)],
  };
};
