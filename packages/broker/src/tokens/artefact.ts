/** Sealed artefacts: one shape of value, sealed for one purpose. */
import { type Codec, decode, encode } from '../seal/payload.ts';
import type { Opened, Opener, Sealer } from '../seal/sealer.ts';

export interface Artefact<Value> extends Opening<Value> {
  seal(value: Value): Promise<string>;
}

/** The half that opens. */
export interface Opening<Value> {
  /** Opens what `seal` made; whether it has expired is the caller's to ask. */
  open(sealed: string): Promise<Opened<Value> | Foreign>;
}

/** Genuine, but written by a release whose format was another. */
interface Foreign {
  readonly kind: 'unopened';
  readonly reason: 'foreign-format';
}

export const artefact = <Value>(sealer: Sealer, codec: Codec<Value>): Artefact<Value> => ({
  ...opening(sealer, codec),
  seal: (value) => sealer.seal(encode(codec, value)),
});

export const opening = <Value>(opener: Opener, codec: Codec<Value>): Opening<Value> => ({
  async open(sealed) {
    const opened = await opener.open(sealed);
    if (opened.kind === 'unopened') return opened;
    try {
      return { kind: 'opened', value: decode(codec, opened.value) };
    } catch {
      return { kind: 'unopened', reason: 'foreign-format' };
    }
  },
});
