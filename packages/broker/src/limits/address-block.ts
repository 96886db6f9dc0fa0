/** The part of a network address that one customer of a network holds, which is what limits count. */

/** Finds the block that a request came from; `undefined` where the platform does not say. */
export type AddressBlockOf = (request: Request) => string | undefined;

const ipv4 = /^\d{1,3}(\.\d{1,3}){3}$/;

/** A zone (RFC 4007 §11) may follow: it names an interface of this machine, and says nothing about the other side. */
const ipv6 = /^([0-9a-f:.]+)(%.*)?$/i;

/** IPv4 written as IPv6 (RFC 4291 §2.5.5.2), as dual-stack servers hand it over: in the spelling of a parsed URL. */
const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/**
 * Gives the block of an address: an IPv4 address itself, and the /64 of an IPv6 address, within which a single device may choose
 * freely. Different spellings of an address give the same block.
 * @returns `undefined` for what is no address
 */
export const addressBlock = (address: string): string | undefined => {
  if (ipv4.test(address)) return URL.parse(`http://${address}`)?.hostname;
  // The URL parser knows every spelling of an IPv6 address, and writes them all in one.
  const canonical = URL.parse(`http://[${ipv6.exec(address)?.[1]}]`)?.hostname.slice(1, -1);
  if (canonical === undefined) return undefined;
  const [, high, low] = mapped.exec(canonical) ?? [];
  return high === undefined || low === undefined ? `${network(canonical)}::/64` : dotted(high, low);
};

/** The first four groups of an IPv6 address. */
const network = (canonical: string): string => {
  const [head = '', tail] = canonical.split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
};

const groupsOf = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));

const dotted = (high: string, low: string): string =>
  [high, low]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');
