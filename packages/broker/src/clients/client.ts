/** The parties that may ask for tokens. What distinguishes their kinds is data here, so that no endpoint asks for the kind. */
import type { RedirectRule } from '../protocol/redirect-uri.ts';
import type { ScopePolicy } from '../protocol/scope.ts';

interface ClientTraits extends ScopePolicy {
  readonly id: string;
  readonly kind: 'gpt-action' | 'static';
  /** Shown to the person who is asked for consent. */
  readonly name: string;
  readonly redirects: readonly RedirectRule[];
  readonly pkce: 'required' | 'optional';
  /** Of which kind its refresh tokens are: the same one for ever, or a new one at each use. */
  readonly refresh: 'stable' | 'rotating';
  /** Whether it gets refresh tokens unasked, or by asking for the scope `offline_access`. */
  readonly offlineAccess: 'always' | 'on-request';
  /** How a dead refresh token is answered: 400 by RFC 6749 §5.2, 401 where the client needs it to sign in anew. */
  readonly refreshFailureStatus: 400 | 401;
}

/** A client that can keep no secret: an app, a script, a page. */
export interface PublicClient extends ClientTraits {
  readonly authentication: 'none';
}

/** A client that proves itself with a secret. */
export interface ConfidentialClient extends ClientTraits {
  readonly authentication: 'client_secret';
  /** One, or two while one replaces the other. */
  readonly secrets: readonly string[];
}

export type Client = PublicClient | ConfidentialClient;
