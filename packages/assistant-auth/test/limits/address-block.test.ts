import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toAddressBlock } from '../../src/limits/rate-limits.ts';

describe('the block of an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:cb00:7107', '203.0.113.7'],
    ['0:0:0:0:0:ffff:0.0.0.1', '0.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:1::', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('%s is of %s', (address, block) => {
    expect(toAddressBlock(address)).toBe(block);
  });

  it.each([
    '',
    ' ',
    'unknown',
    '203.0.113',
    '203.0.113.256',
    '203.0.113.7, 198.51.100.1',
    '203.0.113.7:443',
    '[2001:db8::1]',
    '2001:db8::1::',
    '2001:db8:1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7',
    '::1]:80/',
    'localhost',
    '%eth0',
  ])('does not exist for %j', (address) => {
    expect(toAddressBlock(address)).toBeUndefined();
  });

  const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
  const groups = (count: number) => fc.array(group, { minLength: count, maxLength: count });

  it('is the same for all addresses of a /64, and another for every other /64', () => {
    fc.assert(
      fc.property(groups(4), groups(4), groups(4), groups(4), (network, other, one, two) => {
        fc.pre(network.slice(0, 3).some((value) => value !== '0'));
        const block = toAddressBlock([...network, ...one].join(':'));
        expect(block).toBe(`${network.join(':')}::/64`);
        expect(toAddressBlock([...network, ...two].join(':').toUpperCase())).toBe(block);
        if (other.join(':') !== network.join(':'))
          expect(toAddressBlock([...other, ...one].join(':'))).not.toBe(block);
      }),
    );
  });

  it('is nothing or something, whatever it is asked for', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(['string', 'undefined']).toContain(typeof toAddressBlock(text));
      }),
    );
  });
});
