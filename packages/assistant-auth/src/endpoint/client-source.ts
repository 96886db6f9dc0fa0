/** The client source: an opt-in part of the broker that finds clients that are not in the configuration. */

import type { Client } from '../clients/client.ts';
import type { FindClient } from '../clients/registry.ts';
import type { BrokerContext } from '../context.ts';
import type { KeyRing } from '../seal/key-ring.ts';
import type { Texts } from '../ui/texts.ts';
import type { MountedEndpoint } from './handler.ts';

/** Finds clients that are not in the configuration. `mcpClients()` creates it. */
export interface ClientSource {
  /** Always `mcp-clients`. */
  readonly kind: 'mcp-clients';
  /**
   * The English texts that pages show only for its clients.
   * @internal
   */
  readonly texts: Partial<Texts>;
  /**
   * Checks the options and connects the source to the broker.
   * @throws ConfigurationError `mcpClients.<option>`
   * @internal
   */
  readonly connect: (context: ClientSourceContext) => ConnectedClientSource;
}

/** What a client source needs from the broker. */
export interface ClientSourceContext
  extends Pick<BrokerContext, 'issuer' | 'resources' | 'scopes' | 'storage' | 'now' | 'randomBytes' | 'log'> {
  readonly ring: KeyRing;
  /** The broker's own `fetch`, which does not check addresses. */
  readonly fetch: typeof fetch;
}

/** A client source that was connected to a broker. */
export interface ConnectedClientSource {
  readonly find: FindClient;
  /** How its clients can authenticate. */
  readonly authentications: readonly Client['authentication'][];
  /** Members of the server metadata (RFC 8414 §2). */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Endpoints that pages on any origin can call, each with its path. */
  readonly endpoints: readonly MountedEndpoint[];
}
