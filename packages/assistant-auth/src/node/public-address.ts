/**
 * Decides whether an IP address is public: unicast, and globally reachable according to IANA's registries of
 * special-purpose addresses (RFC 6890).
 */

import { BlockList, isIP } from 'node:net';

type Network = readonly [network: string, prefix: number];

/** @see https://www.iana.org/assignments/iana-ipv4-special-registry */
const specialIpv4: readonly Network[] = [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local, where clouds serve credentials
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // IETF protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
];

/**
 * All unicast addresses that are assigned (RFC 4291 §2.4). Loopback, link-local, unique local, IPv4-mapped and
 * NAT64 addresses are outside.
 */
const globalIpv6: readonly Network[] = [['2000::', 3]];

/** @see https://www.iana.org/assignments/iana-ipv6-special-registry */
const specialIpv6: readonly Network[] = [
  ['2001::', 23], // IETF protocol assignments, with Teredo and ORCHID
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4: contains an IPv4 address
  ['3fff::', 20], // documentation
];

const createList = (networks: readonly Network[], family: 'ipv4' | 'ipv6'): BlockList => {
  const list = new BlockList();
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, family);
  return list;
};

const specialIpv4List = createList(specialIpv4, 'ipv4');
const globalIpv6List = createList(globalIpv6, 'ipv6');
const specialIpv6List = createList(specialIpv6, 'ipv6');

/**
 * Returns whether an address is public.
 * @param address an IPv4 or IPv6 address as `dns.lookup` writes it. Anything else is not public
 */
export const isPublicAddress = (address: string): boolean => {
  switch (isIP(address)) {
    case 4:
      return !specialIpv4List.check(address, 'ipv4');
    case 6:
      // Only an address that is not global has a zone (RFC 4007 §11).
      return (
        !address.includes('%') &&
        globalIpv6List.check(address, 'ipv6') &&
        !specialIpv6List.check(address, 'ipv6')
      );
    default:
      return false;
  }
};
