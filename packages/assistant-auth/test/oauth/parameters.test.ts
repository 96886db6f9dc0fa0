import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readParameters, readResource } from '../../src/oauth/parameters.ts';

const known = ['client_id', 'scope', 'state'] as const;
const pair = fc.tuple(
  fc.oneof(fc.constantFrom<string>(...known, 'Scope', 'scope[]', '__proto__', 'resource'), fc.string()),
  fc.oneof(fc.constant(''), fc.string({ unit: 'binary' })),
);
const rejection = (reason: string) => expect.objectContaining({ reason });

describe('readParameters', () => {
  it('reads what it knows, once each, and does not mind the rest', () => {
    const query = new URLSearchParams('scope=a+b%2Cc&x=1&x=2&client_id=gpt&Scope=z&scope[]=y');
    expect(readParameters(query, known)).toEqual({ client_id: 'gpt', scope: 'a b,c' });
  });

  it('takes an empty parameter for an absent one', () => {
    expect(readParameters(new URLSearchParams('scope=&client_id&state=x'), known)).toEqual({ state: 'x' });
  });

  it.each(['scope=a&scope=b', 'scope=a&scope=a', 'scope=&scope=a', 'scope=a&scope=', 'scope&scope'])(
    'refuses what it knows when it is repeated: %s',
    (query) => {
      expect(() => readParameters(new URLSearchParams(query), known)).toThrow(
        rejection('parameter.repeated'),
      );
    },
  );

  it('gives the one value of each name or refuses, whatever else is there', () => {
    fc.assert(
      fc.property(fc.array(pair), (pairs) => {
        const query = new URLSearchParams(pairs);
        const repeated = known.some((name) => query.getAll(name).length > 1);
        const read = () => readParameters(query, known);
        if (repeated) return void expect(read).toThrow(rejection('parameter.repeated'));
        const given = known.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : []));
        expect(Object.entries(read())).toEqual(given);
      }),
    );
  });
});

describe('readResource', () => {
  const read = (query: string) => readResource(new URLSearchParams(query));

  it('reads the one that is named, once or again', () => {
    expect(read('resource=https://a.example')).toBe('https://a.example');
    expect(read('resource=https://a.example&resource=&resource=https://a.example')).toBe('https://a.example');
    expect(read('resource=')).toBeUndefined();
    expect(read('')).toBeUndefined();
  });

  it('reads one that is repeated in equivalent forms', () => {
    for (const other of ['https://a.example/', 'HTTPS://A.example', 'https://a.example:443'])
      expect(read(`resource=${other}&resource=https://a.example`)).toBe('https://a.example');
  });

  it('refuses several, even if they differ only in the case of a path or the slash after it', () => {
    for (const other of [
      'https://b.example/mcp',
      'https://a.example/mcp/',
      'https://a.example/MCP',
      'garbage',
    ])
      expect(() => read(`resource=https://a.example/mcp&resource=${other}`)).toThrow(
        rejection('resource.multiple'),
      );
  });
});
