import { describe, expect, it } from 'vitest';
import { type GptActionOptions, gptAction } from '../../src/index.ts';
import { deploy } from '../deployment.ts';

const secret = 's'.repeat(43);
const options: GptActionOptions = {
  id: 'gpt',
  name: 'Words GPT',
  secrets: [secret],
  scopes: ['words', 'score'],
};

describe('gptAction', () => {
  it('knows what ChatGPT’s OAuth leaves out', () => {
    expect(gptAction(options)).toEqual({
      id: 'gpt',
      kind: 'gpt-action',
      name: 'Words GPT',
      authentication: 'client_secret',
      secrets: [secret],
      redirects: [{ kind: 'gpt' }, { kind: 'gpt-development' }],
      pkce: 'optional',
      scopes: ['words', 'score', 'offline_access'],
      defaultScopes: ['words', 'score'],
      unknownScopes: 'dropped',
      refresh: 'stable',
      offlineAccess: 'always',
      refreshFailureStatus: 401,
    });
  });

  it('takes what the publisher chooses', () => {
    const gptIds = ['g-68f0c2a1b4d8', 'g-1234-words'];
    expect(
      gptAction({ ...options, gptIds, defaultScopes: ['words'], refreshFailureStatus: 400 }),
    ).toMatchObject({
      redirects: [
        { kind: 'gpt', gptIds },
        { kind: 'gpt-development', gptIds },
      ],
      defaultScopes: ['words'],
      refreshFailureStatus: 400,
    });
  });

  it.each([
    ['no GPT', []],
    ['a malformed id', ['g-12']],
    ['an id without its prefix', ['68f0c2a1b4d8']],
    ['a whole address', ['https://chatgpt.com/g/g-68f0c2a1b4d8']],
    ['one bad id of two', ['g-68f0c2a1b4d8', 'g-68f0/c2a1']],
  ])('refuses to be pinned to %s', (_, gptIds) => {
    expect(() => gptAction({ ...options, gptIds })).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'clients.gpt.gptIds' }),
    );
  });

  it('is warned about at the start unless it is pinned, once for each client', () => {
    const pinned = gptAction({ ...options, id: 'pinned', gptIds: ['g-68f0c2a1b4d8'] });
    const { log } = deploy({ clients: [gptAction(options), pinned, gptAction({ ...options, id: 'gpt-2' })] });
    expect(log).toEqual([
      { event: 'unrestricted-gpt', clientId: 'gpt' },
      { event: 'unrestricted-gpt', clientId: 'gpt-2' },
    ]);
  });
});
