/**
 * Encodes values in a compact binary form before they are sealed: fields in order, without names. Texts and
 * lists start with their length; numbers are LEB128 varints. Except for JSON, each value has exactly one
 * encoding, and decoding rejects any other.
 */

interface Reader {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * The same bytes, one character per byte. Nearly every text is ASCII, and slicing this string is faster
   * than decoding.
   */
  readonly characters: string;
  at: number;
}

/** Writes and reads one kind of value. */
export interface Codec<Value> {
  /** Returns the bytes as characters, one for each byte. */
  write(value: Value): string;
  read(input: Reader): Value;
}

export type ValueOf<C> = C extends Codec<infer Value> ? Value : never;

/** A whole number from 0 to 2^53 − 1. */
export const uint: Codec<number> = {
  write(value) {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a whole number: ${value}`);
    let written = '';
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) written += String.fromCharCode((rest % 128) | 128);
    return written + String.fromCharCode(rest);
  },
  read(input) {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = next(input);
      value += (byte & 127) * scale;
      if (byte > 127) continue;
      const padded = byte === 0 && scale > 1;
      if (padded || value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    throw new RangeError('not a number in its shortest form');
  },
};

/** A text in UTF-8. A lone surrogate is an error. */
export const text: Codec<string> = {
  write(value) {
    if (!value.isWellFormed()) throw new RangeError('not well-formed text');
    // Nearly every text is ASCII, whose bytes are its character codes.
    const characters = /^[\0-\x7F]*$/.test(value) ? value : String.fromCharCode(...utf8Encoder.encode(value));
    return uint.write(characters.length) + characters;
  },
  read(input) {
    const { bytes, characters } = input;
    const length = uint.read(input);
    const start = input.at;
    const end = start + length;
    if (end > bytes.length) throw new RangeError('payload ends early');
    input.at = end;
    return isAscii(bytes, start, end)
      ? characters.slice(start, end)
      : utf8.decode(bytes.subarray(start, end));
  },
};

export const list = <Item>(item: Codec<Item>): Codec<readonly Item[]> => ({
  write: (values) =>
    values.reduce((written, value) => written + item.write(value), uint.write(values.length)),
  read(input) {
    const values: Item[] = [];
    for (let left = uint.read(input); left > 0; left--) values.push(item.read(input));
    return values;
  },
});

/** `true` or `false`, in one byte. */
export const flag: Codec<boolean> = {
  write: (value) => (value ? '\x01' : '\0'),
  read(input) {
    const byte = next(input);
    if (byte > 1) throw new RangeError('not a flag');
    return byte === 1;
  },
};

export const optional = <Item>(item: Codec<Item>): Codec<Item | undefined> => ({
  write: (value) => flag.write(value !== undefined) + (value === undefined ? '' : item.write(value)),
  read: (input) => (flag.read(input) ? item.read(input) : undefined),
});

/**
 * A flag that takes no byte if it is false. It can be added as the last field of a payload without changing the
 * format: in what was sealed before, it is false.
 */
export const trailingFlag: Codec<boolean> = {
  write: (value) => (value ? flag.write(value) : ''),
  read(input) {
    if (input.at === input.bytes.length) return false;
    if (next(input) !== 1) throw new RangeError('not a flag');
    return true;
  },
};

/** A JSON value. Its shape is not checked. */
export const json = <Value>(): Codec<Value> => ({
  write: (value) => text.write(JSON.stringify(value)),
  read: (input) => JSON.parse(text.read(input)),
});

/**
 * Fields in the order in which they are listed. Adding, removing or moving one changes the format, except for
 * a `trailingFlag`.
 */
export const record = <Value extends object>(
  fields: { readonly [name in keyof Value]: Codec<Value[name]> },
): Codec<Readonly<Value>> => {
  // The casts are needed because the compiler does not know that `fields` and `Value` have the same keys, nor
  // when all are set.
  const names = Object.keys(fields) as (keyof Value)[];
  return {
    write: (value) => names.reduce((written, name) => written + fields[name].write(value[name]), ''),
    read(input) {
      const value: Partial<Value> = {};
      for (const name of names) value[name] = fields[name].read(input);
      return value as Value;
    },
  };
};

/** One of several shapes, distinguished by `kind`. The name of the kind is written before the fields. */
export const variant = <Shapes extends Readonly<Record<string, Codec<object>>>>(
  shapes: Shapes,
): Codec<VariantOf<Shapes>> => ({
  write: (value) => text.write(value.kind) + findShape(shapes, value.kind).write(value),
  read(input) {
    const kind = text.read(input);
    // The cast is safe because `shapes` defines which shape belongs to which kind.
    return { ...findShape(shapes, kind).read(input), kind } as VariantOf<Shapes>;
  },
});

type VariantOf<Shapes extends Readonly<Record<string, Codec<object>>>> = {
  readonly [Kind in keyof Shapes & string]: { readonly kind: Kind } & ValueOf<Shapes[Kind]>;
}[keyof Shapes & string];

const findShape = (shapes: Readonly<Record<string, Codec<object>>>, kind: string): Codec<object> => {
  const shape = Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
  if (shape === undefined) throw new RangeError('not a known kind');
  return shape;
};

export const encode = <Value>(codec: Codec<Value>, value: Value): Uint8Array<ArrayBuffer> => {
  const written = codec.write(value);
  const bytes = new Uint8Array(written.length);
  for (let at = 0; at < written.length; at++) bytes[at] = written.charCodeAt(at);
  return bytes;
};

/** @throws Error if the bytes are not exactly one value */
export const decode = <Value>(codec: Codec<Value>, bytes: Uint8Array<ArrayBuffer>): Value => {
  const input: Reader = { bytes, characters: latin1.decode(bytes), at: 0 };
  const value = codec.read(input);
  if (input.at !== bytes.length) throw new RangeError('payload has extra bytes');
  return value;
};

const utf8Encoder = new TextEncoder();
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const latin1 = new TextDecoder('latin1');

const isAscii = (bytes: Uint8Array, start: number, end: number): boolean => {
  let seen = 0;
  for (let at = start; at < end; at++) seen |= bytes[at] ?? 0;
  return seen < 128;
};

const next = (input: Reader): number => {
  const byte = input.bytes[input.at++];
  if (byte === undefined) throw new RangeError('payload ends early');
  return byte;
};
