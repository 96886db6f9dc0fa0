/** What the account page is made from. */
import type { EpochSeconds } from '../../protocol/time.ts';
import type { ParsedBranding } from '../branding.ts';
import type { ProviderChoice, ShownIdentity } from '../provider.ts';

export interface AccountModel {
  readonly branding: ParsedBranding;
  readonly stylesheetPath: string;
  /** Paths that the forms are posted to. */
  readonly actions: {
    readonly signOut: string;
    /** Ends an app (`app`, its key) or everything (`all=1`), which includes this session. */
    readonly endApps: string;
    /** Leads to a provider (`choice`) to prove who it is (`purpose=prove`). */
    readonly signIn: string;
    /** Leads to a provider (`choice`) to add an identity there. */
    readonly link: string;
    /** Removes an identity (`identity`, its key) and ends the apps that were connected through it. */
    readonly unlink: string;
    readonly exportData: string;
    /** Deletes the account if `confirm=yes` was ticked. */
    readonly deleteAccount: string;
  };
  /** Sealed; posted back unread as `form` by every form. */
  readonly form: string;
  readonly notice?: AccountNotice;
  /** Connected apps, each once per client and host. */
  readonly apps: readonly ConnectedApp[];
  readonly identities: readonly LinkedIdentity[];
  /** Providers that an identity can be added of; several identities of one provider may be. */
  readonly linkable: readonly ProviderChoice[];
  readonly proof: Proof;
}

/** What has just been done, or why it was not. */
export const accountNotices = [
  'app-ended',
  'linked',
  'already-linked',
  'link-cancelled',
  // It belongs to another account by now.
  'not-linked',
  'unlinked',
  // Nothing was removed: it is the only identity.
  'last-identity',
  'proven',
  // The provider did not confirm who it is: somebody else, or a journey given up.
  'not-confirmed',
  // Nothing was done: the proof that it needs is missing or too old.
  'proof-needed',
  // Nothing was deleted: `confirm` was missing.
  'delete-unticked',
] as const;

export type AccountNotice = (typeof accountNotices)[number];

export interface ConnectedApp {
  /** Stands for the app in what is posted. */
  readonly key: string;
  /** What the client calls itself: a claim. */
  readonly clientName: string;
  /** Host that its codes are sent to: a fact. */
  readonly redirectHost: string;
  /** What it may do; `description` completes "it can". */
  readonly scopes: readonly { readonly name: string; readonly description: string }[];
  readonly since: EpochSeconds;
  readonly lastUsedAt: EpochSeconds;
}

export interface LinkedIdentity extends ShownIdentity {
  /** Stands for the identity in what is posted. */
  readonly key: string;
  /** Path of the vendor's mark on the own origin. */
  readonly markPath?: string;
  readonly since: EpochSeconds;
  readonly lastSignInAt: EpochSeconds;
  /** Whether this session signed in with it. */
  readonly current: boolean;
}

/** Whether the person has just proved who it is: to link, unlink, export and delete needs that. */
export type Proof =
  /** The page does not show `until`: it knows neither the person's clock nor time zone. */
  | { readonly kind: 'fresh'; readonly until: EpochSeconds }
  /** With which providers it can be proved. */
  | { readonly kind: 'stale'; readonly providers: readonly ProviderChoice[] };
