/** Scopes: parsing, granting and narrowing (RFC 6749 §3.3). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/oauth/protocol-error.ts';
import {
  hasApiScope,
  narrowScopes,
  resolveGrantedScopes,
  type ScopePolicy,
  splitScope,
} from '../../src/oauth/scope.ts';

/** All declared scopes. `score:write` and `email` are for other clients. */
const declared = new Set(['words', 'score', 'admin:read', 'offline_access', 'score:write', 'email']);
const policy: ScopePolicy = {
  scopes: ['words', 'score', 'admin:read', 'offline_access'],
  defaultScopes: ['words'],
  unknownScopes: 'refused',
};
const droppingPolicy: ScopePolicy = { ...policy, unknownScopes: 'dropped' };
const rejection = (reason: string) => expect.objectContaining({ reason });

/** The characters that RFC 6749 allows in a scope, except the comma. */
const name = fc.stringMatching(/^[\x21\x23-\x2B\x2D-\x5B\x5D-\x7E]{1,12}$/);
const knownName = fc.constantFrom(...declared, 'openid', 'profile');
const names = fc.array(fc.oneof(name, knownName));
const separator = fc.stringMatching(/^[ ,]{1,3}$/);

describe('splitScope', () => {
  it('returns the names in their order, each once, for any separators', () => {
    const text = fc.tuple(names, fc.array(separator, { minLength: 1 }), fc.boolean());
    fc.assert(
      fc.property(text, ([scopes, separators, hasOuterSeparators]) => {
        const separatorAt = (index: number): string => separators[index % separators.length] ?? ' ';
        const joined = scopes.reduce(
          (all, scope, index) => (index === 0 ? scope : all + separatorAt(index) + scope),
          '',
        );
        expect(splitScope(hasOuterSeparators ? ` ,${joined}, ` : joined)).toEqual([...new Set(scopes)]);
      }),
    );
  });

  it('returns an empty list for an empty text', () => {
    for (const text of ['', ' ', ',', ' , ,, ']) expect(splitScope(text)).toEqual([]);
  });

  it.each(['"words"', 'words\\score', 'words\tscore', 'words\nscore', 'wörds', 'words\0', '\u00a0', '\x7f'])(
    'refuses %j',
    (text) => {
      expect(() => splitScope(text)).toThrow(rejection('scope.malformed'));
    },
  );
});

describe('resolveGrantedScopes', () => {
  const grant = (requested: string | undefined, scopePolicy = policy) =>
    resolveGrantedScopes(requested, scopePolicy, declared);

  it('grants the default scopes if none are requested', () => {
    for (const requested of [undefined, '', ' ', ',']) expect(grant(requested)).toEqual(['words']);
  });

  it('grants the requested scopes, in their order', () => {
    expect(grant('score,words score')).toEqual(['score', 'words']);
  });

  it.each([
    ['score openid', ['score']],
    ['openid profile email score offline_access', ['score', 'offline_access']],
    ['profile,score,profile', ['score']],
    ['offline_access score', ['offline_access', 'score']],
  ])('ignores protocol scopes that it cannot grant: %s', (requested, granted) => {
    expect(grant(requested)).toEqual(granted);
  });

  it.each([
    ['offline_access', ['words', 'offline_access']],
    ['offline_access,offline_access', ['words', 'offline_access']],
    ['openid', ['words']],
    ['openid profile email', ['words']],
    ['openid offline_access', ['words', 'offline_access']],
  ])('grants the default scopes if no scope of the API is requested: %s', (requested, granted) => {
    expect(grant(requested)).toEqual(granted);
    expect(grant(requested, droppingPolicy)).toEqual(granted);
  });

  it('omits offline_access if the client cannot have it', () => {
    const onlinePolicy = { ...policy, scopes: ['words', 'score'] };
    expect(grant('offline_access', onlinePolicy)).toEqual(['words']);
    expect(grant('offline_access score', onlinePolicy)).toEqual(['score']);
  });

  it('grants offline_access once if the default scopes already contain it', () => {
    const offlinePolicy = { ...policy, defaultScopes: ['offline_access', 'words'] };
    expect(grant('offline_access', offlinePolicy)).toEqual(['offline_access', 'words']);
  });

  it('grants a scope that the publisher declared under the name of a protocol scope', () => {
    const policyWithEmail = { ...policy, scopes: ['words', 'email'] };
    expect(grant('email', policyWithEmail)).toEqual(['email']);
    expect(grant('openid email', policyWithEmail)).toEqual(['email']);
  });

  it('ignores a scope with the name of a protocol scope if the client cannot have it', () => {
    for (const requested of ['email', 'openid email', 'profile', 'address', 'phone'])
      expect(grant(requested)).toEqual(['words']);
  });

  it('drops existing scopes that the client cannot have', () => {
    for (const clientPolicy of [policy, droppingPolicy]) {
      expect(grant('words score:write', clientPolicy)).toEqual(['words']);
      expect(grant('score:write,score,offline_access', clientPolicy)).toEqual(['score', 'offline_access']);
    }
  });

  it('refuses or drops scopes that do not exist, depending on the kind of client', () => {
    for (const unknown of [
      'words nothing',
      'Words words',
      'words admin',
      'words OpenID',
      'words Offline_Access',
    ])
      expect(() => grant(unknown)).toThrow(rejection('scope.unknown'));
    expect(grant('nothing score Words OpenID', droppingPolicy)).toEqual(['score']);
  });

  it('refuses a request if no scope of the API is left, because its token would be useless', () => {
    for (const requested of ['score:write', 'score:write offline_access', 'openid score:write'])
      for (const clientPolicy of [policy, droppingPolicy])
        expect(() => grant(requested, clientPolicy)).toThrow(rejection('scope.unavailable'));
    for (const requested of ['nothing', 'nothing offline_access', 'Offline_Access'])
      expect(() => grant(requested, droppingPolicy)).toThrow(rejection('scope.unavailable'));
  });

  it('never grants more than was requested or more than the client can have', () => {
    fc.assert(
      fc.property(names, fc.constantFrom(policy, droppingPolicy), (requested, clientPolicy) => {
        try {
          const granted = grant(requested.join(' '), clientPolicy);
          const api = requested.filter(
            (scope) => !['openid', 'profile', 'email', 'offline_access'].includes(scope),
          );
          expect(hasApiScope(granted)).toBe(true);
          for (const scope of granted) {
            expect(policy.scopes).toContain(scope);
            if (api.length > 0 || scope === 'offline_access') expect(requested).toContain(scope);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          expect(requested.every((scope) => policy.scopes.includes(scope))).toBe(false);
        }
      }),
    );
  });
});

describe('narrowScopes', () => {
  const all = ['words', 'score', 'offline_access'];
  const narrow = (requested: string | undefined, granted: readonly string[] = all, scopePolicy = policy) =>
    narrowScopes(requested, granted, scopePolicy, declared);

  it('returns all scopes if none are requested, and otherwise the requested ones', () => {
    expect(narrow(undefined)).toEqual(all);
    expect(narrow(' ')).toEqual(all);
    expect(narrow('score')).toEqual(['score']);
    expect(narrow('score,words')).toEqual(['score', 'words']);
  });

  it('ignores protocol scopes that were not granted', () => {
    expect(narrow('words openid profile')).toEqual(['words']);
    expect(narrow('words offline_access', ['words', 'score'])).toEqual(['words']);
  });

  it('returns all scopes if only protocol scopes are requested', () => {
    for (const requested of ['offline_access', 'openid', 'openid,offline_access'])
      expect(narrow(requested)).toEqual(all);
    expect(narrow('offline_access', ['words'])).toEqual(['words']);
  });

  it('refuses a scope of the API that has the name of a protocol scope if it was not granted or was withdrawn', () => {
    const policyWithEmail = { ...policy, scopes: ['words', 'email', 'offline_access'] };
    for (const requested of ['email', 'words email'])
      expect(() => narrow(requested, all, policyWithEmail)).toThrow(rejection('refresh.scope'));
    expect(() => narrow('email', ['words', 'email'])).toThrow(rejection('refresh.scope'));
    expect(narrow('email', ['words', 'email'], policyWithEmail)).toEqual(['email']);
  });

  it('drops scopes that could not be granted at first, so that the client can repeat its request', () => {
    expect(narrow('words score:write')).toEqual(['words']);
    expect(narrow('words nothing', all, droppingPolicy)).toEqual(['words']);
  });

  it('drops scopes that were withdrawn since, whether or not they still exist', () => {
    const narrowerPolicy = { ...policy, scopes: ['words', 'offline_access'] };
    expect(narrow('words score', all, narrowerPolicy)).toEqual(['words']);
    expect(narrow(undefined, all, narrowerPolicy)).toEqual(['words', 'offline_access']);
    expect(narrowScopes('words score', all, narrowerPolicy, new Set(narrowerPolicy.scopes))).toEqual([
      'words',
    ]);
  });

  it('refuses a request if no scope of the API is left', () => {
    const narrowerPolicy = { ...policy, scopes: ['words', 'offline_access'] };
    expect(() => narrow('score offline_access', all, narrowerPolicy)).toThrow(rejection('refresh.scope'));
    expect(() => narrow('nothing offline_access', all, droppingPolicy)).toThrow(rejection('refresh.scope'));
  });

  it('refuses scopes that the client could have been granted but was not, and scopes that do not exist', () => {
    for (const requested of ['words admin:read', 'admin:read', 'words nothing', 'words Score'])
      expect(() => narrow(requested)).toThrow(rejection('refresh.scope'));
    expect(() => narrow('words admin:read', all, droppingPolicy)).toThrow(rejection('refresh.scope'));
  });

  it('never returns more than was granted, whatever is requested', () => {
    fc.assert(
      fc.property(
        names,
        names,
        fc.constantFrom(policy, droppingPolicy),
        (requested, granted, clientPolicy) => {
          fc.pre(hasApiScope(granted.filter((scope) => policy.scopes.includes(scope))));
          const grantable = policy.scopes.filter((scope) => scope !== 'offline_access');
          const exceedsGrant = requested.some(
            (scope) => grantable.includes(scope) && !granted.includes(scope),
          );
          try {
            const narrowed = narrow(requested.join(' '), granted, clientPolicy);
            expect(exceedsGrant).toBe(false);
            expect(hasApiScope(narrowed)).toBe(true);
            expect(granted).toEqual(expect.arrayContaining([...narrowed]));
            expect(policy.scopes).toEqual(expect.arrayContaining([...narrowed]));
          } catch (error) {
            expect(error).toEqual(rejection('refresh.scope'));
          }
        },
      ),
    );
  });
});
