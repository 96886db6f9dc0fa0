/** The data that the account page is rendered from. */
import type { EpochSeconds } from '../../oauth/identifiers.ts';
import type { IdentitySummary, ProviderChoice, ProviderIcon } from '../../ui/layout.ts';
import type { ClientIdentity, ScopeDescription } from '../../ui/sign-in.ts';
import type { AccountBranding } from './texts.ts';

/** The data of the account page. */
export interface AccountModel {
  /** The publisher's branding, language and texts, with all defaults filled in. */
  readonly branding: AccountBranding;
  /** Path of the stylesheet on the issuer's origin. */
  readonly stylesheetPath: string;
  /** Paths that the forms are posted to. Each form also posts `form`. */
  readonly actions: {
    /** Ends this session. */
    readonly signOut: string;
    /** Disconnects an app (`app`, its key) or everything (`all=1`), which includes this session. */
    readonly disconnectApps: string;
    /** Signs out a device (`device`, its key), and shows the page again. */
    readonly signOutDevice: string;
    /** Redirects to a provider (`choice`) to confirm the current user (`purpose=confirm`). */
    readonly signIn: string;
    /** Redirects to a provider (`choice`) to link an identity of that provider. */
    readonly link: string;
    /** Dismisses the notice about a newly linked identity (`linked`, its key), and shows the page again. */
    readonly linkSeen: string;
    /** Unlinks an identity (`identity`, its key) and disconnects the apps that were connected through it. */
    readonly unlink: string;
    /** Downloads the user's data as JSON. */
    readonly exportData: string;
    /** Deletes the account if the form posts `confirm=yes`. */
    readonly deleteAccount: string;
  };
  /** A sealed value that every form posts back unchanged as `form`. */
  readonly form: string;
  /** What has just happened. Default: nothing. */
  readonly notice?: AccountNotice;
  /** Who is signed in. */
  readonly profile: AccountProfile;
  /** The connected apps, one per client and redirect host. */
  readonly apps: readonly ConnectedApp[];
  /** The identities that the user can sign in with. */
  readonly identities: readonly AccountIdentity[];
  /** The active sessions of the user: the current one first, then the most recently used. */
  readonly devices: readonly SignedInDevice[];
  /** The providers whose identities can be linked. A user can have several identities of one provider. */
  readonly linkableProviders: readonly ProviderChoice[];
  /** Whether the last sign-in is recent enough to link, unlink, export and delete. */
  readonly recentAuth: RecentAuth;
}

/** What has just happened, or why nothing was changed. */
export type AccountNotice =
  /** An app was disconnected. */
  | 'app-disconnected'
  /** A device was signed out. */
  | 'device-signed-out'
  /** An identity was linked. */
  | 'linked'
  /** The identity was linked before. */
  | 'already-linked'
  /** The user canceled before an identity was linked. */
  | 'link-canceled'
  /** The identity was linked to another account in the meantime. */
  | 'not-linked'
  /** An identity was removed. */
  | 'unlinked'
  /** Nothing was removed: no other identity can be used to sign in. */
  | 'last-identity'
  /** The provider confirmed the current user. */
  | 'confirmed'
  /** The provider did not confirm the current user: someone else signed in, or the sign-in was canceled. */
  | 'not-confirmed'
  /** Nothing was done: the last sign-in is not recent enough. */
  | 'confirmation-required'
  /** Nothing was deleted: `confirm` was not `yes`. */
  | 'delete-not-confirmed';

/** Every notice of the account page. */
export const accountNotices: readonly AccountNotice[] = [
  ...(['app-disconnected', 'device-signed-out', 'linked', 'already-linked', 'link-canceled'] as const),
  ...(['not-linked', 'unlinked', 'last-identity', 'confirmed', 'not-confirmed'] as const),
  ...(['confirmation-required', 'delete-not-confirmed'] as const),
];

/** Who is signed in, and what the publisher shows about the user. */
export interface AccountProfile {
  /** The identity that this session was started with, and the provider's icon. */
  readonly identity: ProfileIdentity;
  /** What `summarizeUser` returned. */
  readonly facts: readonly UserFact[];
}

/** A fact about the user that the publisher shows, such as a score. */
export interface UserFact {
  /** What the fact is: plain text on one line, at most 100 characters. */
  readonly label: string;
  /** Its value: plain text on one line, at most 100 characters. */
  readonly value: string;
}

/** A client at one redirect host, with all its active grants. */
export interface ConnectedApp {
  /** Identifies the app in the posted form. */
  readonly key: string;
  /**
   * The name of the client. If none is known, the host of its ID if the ID is a URL, and otherwise the ID,
   * shortened if it is long. A client that is not in the configuration chose the name itself, so never show it
   * without `clientIdentity`.
   */
  readonly clientName: string;
  /** What is known about the client besides its name. */
  readonly clientIdentity: ClientIdentity;
  /**
   * The host that its codes are sent to, without the port of a loopback address; or the scheme if it is a
   * private-use URI scheme (RFC 8252 §7.1).
   */
  readonly redirectHost: string;
  /** The scopes of all its grants. Each description completes "it can". */
  readonly scopes: readonly ScopeDescription[];
  /** When the first of its active grants was created. */
  readonly connectedAt: EpochSeconds;
  /** When one of its grants was last used. */
  readonly lastUsedAt: EpochSeconds;
}

/** An identity, and its provider's icon. */
export interface ProfileIdentity extends IdentitySummary {
  /** The provider's icon. Default: no icon. */
  readonly icon?: ProviderIcon;
}

/** An identity that the user can sign in with. */
export interface AccountIdentity extends ProfileIdentity {
  /** Identifies the identity in the posted form. */
  readonly key: string;
  /** When it was linked. */
  readonly linkedAt: EpochSeconds;
  /** When the user last signed in with it. */
  readonly lastSignInAt: EpochSeconds;
  /** Whether this session was started with it. */
  readonly isCurrent: boolean;
  /**
   * Whether it was added on the account page, and the user has not dismissed the notice about it yet. If so,
   * the page must say when it was added, and what to do if someone else added it: anyone who can open the
   * account in an unattended browser can add an identity of their own.
   */
  readonly isNewlyLinked: boolean;
  /**
   * Whether this session can dismiss that notice: only one that started later, with another identity, so that
   * someone who adds an identity can't hide it.
   */
  readonly canDismissNotice: boolean;
}

/** An active session of the account page. */
export interface SignedInDevice {
  /** Identifies the session in the posted form. */
  readonly key: string;
  /**
   * The browser and operating system that signed in, such as `Chrome, macOS`, or one of them. Not translated.
   * The browser sent them, so they prove nothing. Absent if neither was recognized.
   */
  readonly description?: string;
  /** When it signed in. */
  readonly signedInAt: EpochSeconds;
  /** When it last used the account page, or continued to an app. */
  readonly lastUsedAt: EpochSeconds;
  /** Whether it is this session. */
  readonly isCurrent: boolean;
}

/** Whether the last sign-in is recent enough to link, unlink, export and delete. */
export type RecentAuth =
  | {
      /** It is recent enough. */
      readonly kind: 'fresh';
      /** Until when. The default page does not show it, because it does not know the user's time zone. */
      readonly until: EpochSeconds;
    }
  | {
      /** The user must first confirm who they are. */
      readonly kind: 'stale';
      /** The providers with which they can do that. */
      readonly providers: readonly ProviderChoice[];
    };
