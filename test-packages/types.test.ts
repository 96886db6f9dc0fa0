/** Type-checks a consumer of the packed packages, and all declarations that it uses, with `tsc`. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, inject, it } from 'vitest';

const consumer = inject('consumer');

/** For each platform, its type packages, and the programs that use only its APIs. */
const platforms = {
  node: {
    ...{ lib: ['ES2024'], types: ['node'] },
    // `worker.ts` needs the types of Workers. The other programs with this ending import Wrangler, whose own types
    // refer to packages that it does not depend on.
    ...{ include: ['programs/*.ts', 'every-export.ts'], exclude: ['programs/*worker.ts'] },
  },
  workers: {
    ...{ lib: ['ES2024'], types: ['@cloudflare/workers-types'] },
    ...{ include: ['programs/worker.ts', 'programs/types.ts', 'every-portable-export.ts'], exclude: [] },
  },
  browser: {
    ...{ lib: ['ES2024', 'DOM', 'DOM.Iterable'], types: [] },
    ...{ include: ['programs/app.ts', 'programs/types.ts', 'every-portable-export.ts'], exclude: [] },
  },
};

const resolutions = { nodenext: 'NodeNext', bundler: 'ESNext' } as const;

/** Returns every entry point of the installed packages, such as `assistant-auth/account`. */
const listEntryPoints = (): readonly string[] =>
  ['assistant-auth', 'assistant-operations'].flatMap((name) => {
    const manifest = JSON.parse(readFileSync(join(consumer, 'node_modules', name, 'package.json'), 'utf8'));
    return Object.keys(manifest.exports)
      .filter((subpath) => subpath !== './package.json')
      .map((subpath) => join(name, subpath));
  });

const writeImports = (file: string, specifiers: readonly string[]): void => {
  const lines = specifiers.map((specifier, index) => `export * as module${index} from '${specifier}';\n`);
  writeFileSync(join(consumer, file), lines.join(''));
};

/** Returns the errors that `tsc` prints. */
const typeCheck = async (config: string): Promise<string> => {
  const tsc = join(consumer, 'node_modules/.bin/tsc');
  try {
    const { stdout } = await promisify(execFile)(tsc, ['--project', config], { cwd: consumer });
    return stdout;
  } catch (error) {
    return Object(error).stdout || String(error);
  }
};

beforeAll(() => {
  const entryPoints = listEntryPoints();
  const portable = entryPoints.filter((specifier) => specifier !== 'assistant-auth/node');
  expect(portable).toHaveLength(entryPoints.length - 1);
  writeImports('every-export.ts', entryPoints);
  writeImports('every-portable-export.ts', portable);
});

it.each(
  Object.entries(platforms).flatMap(([platform, settings]) =>
    Object.entries(resolutions).map(
      ([resolution, module]) => [platform, resolution, settings, module] as const,
    ),
  ),
)('a consumer compiles with the types of %s and the resolution %s', async (...combination) => {
  const [platform, moduleResolution, { include, exclude, lib, types }, module] = combination;
  const config = join(consumer, `tsconfig.${platform}.${moduleResolution}.json`);
  const compilerOptions = {
    ...{ target: 'ES2024', module, moduleResolution, lib, types, noEmit: true },
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
    ...{ verbatimModuleSyntax: true, isolatedModules: true, allowImportingTsExtensions: true },
  };
  writeFileSync(config, JSON.stringify({ compilerOptions, include, exclude }));
  expect(await typeCheck(config)).toBe('');
});
