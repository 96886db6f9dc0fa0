/** Why a signal was not believed. */

export class SignalError extends Error {
  override readonly name = 'SignalError';
  readonly fault: SignalFault;

  /** @param cause for the log: it holds nothing of the token */
  constructor(fault: SignalFault, cause: string) {
    super(cause);
    this.fault = fault;
  }
}

export type SignalFault =
  /** It is no signed token. */
  | 'unreadable'
  /** No key of the provider's is of its name. */
  | 'key'
  | 'signature'
  | 'issuer'
  | 'audience'
  /** Too old, or not yet. */
  | 'age'
  /** It does not say what such a token has to say. */
  | 'content';
