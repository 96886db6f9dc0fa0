import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../src/protocol/errors.ts';
import { grantedScopes, narrowedScopes, type ScopePolicy, splitScope } from '../../src/protocol/scope.ts';

const policy: ScopePolicy = {
  scopes: ['words', 'score', 'admin:read'],
  defaultScopes: ['words'],
  unknownScopes: 'refused',
};
const dropping: ScopePolicy = { ...policy, unknownScopes: 'dropped' };
const refusal = (reason: string) => expect.objectContaining({ reason });

/** Everything that RFC 6749 lets stand in a scope, but for the comma. */
const name = fc.stringMatching(/^[\x21\x23-\x2B\x2D-\x5B\x5D-\x7E]{1,12}$/);
const names = fc.array(fc.oneof(name, fc.constantFrom('words', 'score', 'admin:read')));
const separator = fc.stringMatching(/^[ ,]{1,3}$/);

describe('splitScope', () => {
  it('gives the names in their order, each once, whatever stands between them', () => {
    const text = fc.tuple(names, fc.array(separator, { minLength: 1 }), fc.boolean());
    fc.assert(
      fc.property(text, ([given, separators, framed]) => {
        const between = (at: number): string => separators[at % separators.length] ?? ' ';
        const joined = given.reduce((all, one, at) => (at === 0 ? one : all + between(at) + one), '');
        expect(splitScope(framed ? ` ,${joined}, ` : joined)).toEqual([...new Set(given)]);
      }),
    );
  });

  it('finds nothing in what is empty', () => {
    for (const text of ['', ' ', ',', ' , ,, ']) expect(splitScope(text)).toEqual([]);
  });

  it.each(['"words"', 'words\\score', 'words\tscore', 'words\nscore', 'wörds', 'words\0', '\u00a0', '\x7f'])(
    'refuses %j',
    (text) => {
      expect(() => splitScope(text)).toThrow(refusal('scope.malformed'));
    },
  );
});

describe('grantedScopes', () => {
  it('gives the default when nothing is asked for', () => {
    for (const requested of [undefined, '', ' ', ','])
      expect(grantedScopes(requested, policy)).toEqual(['words']);
  });

  it('gives what was asked for, in its order', () => {
    expect(grantedScopes('score,words score', policy)).toEqual(['score', 'words']);
  });

  it('refuses or drops what the client may not have, as its kind has it', () => {
    for (const unknown of ['words nothing', 'Words words', 'words admin'])
      expect(() => grantedScopes(unknown, policy)).toThrow(refusal('scope.unknown'));
    expect(grantedScopes('nothing score Words', dropping)).toEqual(['score']);
  });

  it('refuses a request of which nothing is left, since a token for nothing helps nobody', () => {
    expect(() => grantedScopes('nothing', dropping)).toThrow(refusal('scope.unknown'));
  });

  it('never gives more than was asked for, nor more than the client may have', () => {
    fc.assert(
      fc.property(names, fc.constantFrom(policy, dropping), (asked, either) => {
        fc.pre(asked.length > 0);
        try {
          const granted = grantedScopes(asked.join(' '), either);
          expect(granted.length).toBeGreaterThan(0);
          for (const scope of granted) {
            expect(asked).toContain(scope);
            expect(policy.scopes).toContain(scope);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
          expect(asked.every((scope) => policy.scopes.includes(scope))).toBe(false);
        }
      }),
    );
  });
});

describe('narrowedScopes', () => {
  it('gives all when nothing is asked for, and otherwise what is asked for', () => {
    expect(narrowedScopes(undefined, ['a', 'b'])).toEqual(['a', 'b']);
    expect(narrowedScopes(' ', ['a', 'b'])).toEqual(['a', 'b']);
    expect(narrowedScopes('b', ['a', 'b'])).toEqual(['b']);
    expect(narrowedScopes('b,a', ['a', 'b'])).toEqual(['b', 'a']);
  });

  it('refuses anything beyond what was granted, whoever asks for it', () => {
    fc.assert(
      fc.property(names, names, (asked, granted) => {
        const beyond = asked.some((scope) => !granted.includes(scope));
        const narrow = () => narrowedScopes(asked.join(' '), granted);
        if (beyond) expect(narrow).toThrow(refusal('refresh.scope'));
        else expect(granted).toEqual(expect.arrayContaining([...narrow()]));
      }),
    );
  });
});
