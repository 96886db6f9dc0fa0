/** Tests the check of bundle sizes, with real bundles that follow or break its rules. */
import { describe, expect, it } from 'vitest';
import { type BundleDefinition, bundles } from '../bundle-sizes/bundles.ts';
import { bundleEntry, findProblems } from '../bundle-sizes/measure.ts';

const findBundle = (name: string): BundleDefinition => {
  const definition = bundles.find((candidate) => candidate.name === name);
  if (definition === undefined) throw new Error(`there is no bundle ${name}`);
  return definition;
};

/** Bundles a definition, with other code in its entry point. */
const check = async (definition: BundleDefinition, code = definition.entry.code) =>
  findProblems(definition, await bundleEntry({ ...definition, entry: { ...definition.entry, code } }));

const core = findBundle('core with Google and D1');
const resourceServer = findBundle('resource server');
const withImport = ({ entry }: BundleDefinition, added: string): string => `${entry.code}\n${added}`;

describe('a bundle', () => {
  it.each(bundles.map((definition) => [definition.name, definition] as const))(
    'follows its rules: %s',
    async (_, definition) => {
      expect(await check(definition)).toEqual([]);
    },
  );

  it('that exceeds its budget is reported with its largest modules', async () => {
    const bundle = await bundleEntry(resourceServer);
    expect(findProblems({ ...resourceServer, budget: bundle.size }, bundle)).toEqual([]);
    const [problem = '', ...others] = findProblems({ ...resourceServer, budget: bundle.size - 1 }, bundle);
    expect(others).toEqual([]);
    const [summary, ...lines] = problem.split('\n');
    expect(summary).toMatch(
      /^resource server: \d\.\d kB exceeds the budget of \d\.\d kB by 1 bytes\. The largest modules/,
    );
    expect(lines).toHaveLength(15);
    expect(lines.map((line) => line.replace(/^ +\d\.\d kB {2}/, ''))).toEqual(
      bundle.modules.slice(0, 15).map(({ path }) => path),
    );
    const sizes = bundle.modules.map(({ size }) => size);
    expect(sizes).toEqual(sizes.toSorted((one, other) => other - one));
  });

  it.each([
    ['the account page', `export { accountPages } from 'assistant-auth/account';`, 'account/index.ts'],
    [
      'the methods of the account page',
      `export { accountStorage } from 'assistant-auth/account';`,
      'storage/sqlite/accounts.ts',
    ],
    ['another provider', `export { github } from 'assistant-auth';`, 'providers/github.ts'],
    [
      'the security events of Google',
      `export { googleSecurityEvents } from 'assistant-auth/google-events';`,
      'providers/security-events/google.ts',
    ],
    ['logout tokens', `export { oidc } from 'assistant-auth';`, 'providers/security-events/verify.ts'],
    ['what only other issuers need', `export { oidc } from 'assistant-auth';`, 'providers/user-info.ts'],
    ['other storage', `export { memoryStorage } from 'assistant-auth/memory';`, 'storage/memory.ts'],
    ['another kind of client', `export { staticClient } from 'assistant-auth';`, 'clients/static.ts'],
  ])('with Google and D1 must not contain %s', async (_, added, module) => {
    expect(await check(core, withImport(core, added))).toContain(
      `core with Google and D1: must not contain packages/assistant-auth/src/${module}`,
    );
  });

  it('with GitHub and D1 must not contain the verification of signatures', async () => {
    const github = findBundle('core with GitHub and D1');
    const problems = await check(github, withImport(github, `export { google } from 'assistant-auth';`));
    expect(problems).toContain(
      'core with GitHub and D1: must not contain packages/assistant-auth/src/providers/google.ts',
    );
    expect(problems.some((problem) => problem.includes('node_modules/jose/'))).toBe(true);
  });

  it.each(bundles.map((definition) => [definition.name, definition] as const))(
    'must not contain code for tests: %s',
    async (name, definition) => {
      const file = `${process.cwd()}/packages/assistant-auth/test/providers/signing.ts`;
      expect(await check(definition, withImport(definition, `export * as tests from '${file}';`))).toContain(
        `${name}: must not contain packages/assistant-auth/test/providers/signing.ts`,
      );
    },
  );

  it('of the resource server must not contain a provider, pages or storage', async () => {
    const problems = await check(
      resourceServer,
      withImport(
        resourceServer,
        `export { google, html } from 'assistant-auth';\nexport { d1Storage } from 'assistant-auth/d1';`,
      ),
    );
    for (const module of ['providers/google.ts', 'ui/layout.ts', 'storage/sqlite/d1.ts'])
      expect(problems).toContain(`resource server: must not contain packages/assistant-auth/src/${module}`);
    expect(problems.some((problem) => problem.includes('node_modules/jose/'))).toBe(true);
  });

  it.each([['operations over HTTP and MCP'], ['the game’s Worker']])(
    'must not contain Hono: %s',
    async (name) => {
      const definition = findBundle(name);
      const problems = await check(
        definition,
        withImport(definition, `export { createHttpRoutes } from 'assistant-operations/hono';`),
      );
      expect(problems.some((problem) => problem.includes('must not contain node_modules/hono/'))).toBe(true);
    },
  );

  it('that lacks a required module is reported', async () => {
    expect(await check(core, `export { createBroker, google } from 'assistant-auth';`)).toEqual([
      'core with Google and D1: does not contain packages/assistant-auth/src/storage/sqlite/d1.ts',
    ]);
  });

  it('fails if two packages export different values with the same name', async () => {
    const code =
      `export * from 'data:text/javascript,export const a = 1';\n` +
      `export * from 'data:text/javascript,export const a = 2';`;
    await expect(check(core, code)).rejects.toThrow('is ambiguous');
  });
});
