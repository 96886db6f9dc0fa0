/** Bundles code with esbuild, and compares the size and the modules of the bundle with its definition. */
import { build } from 'esbuild';
import { formatKilobytes, measureCompressed } from './budgets.ts';
import type { BundleDefinition } from './bundles.ts';

export interface Bundle {
  /** The compressed size in bytes. */
  readonly size: number;
  /** The modules whose code is in the bundle, the largest first. */
  readonly modules: readonly BundledModule[];
}

interface BundledModule {
  /** Relative to the repository. */
  readonly path: string;
  /** The size of its minified code in bytes, before compression. */
  readonly size: number;
}

/**
 * Bundles and minifies an entry point. Packages of the workspace are bundled from their sources.
 * @throws an error of esbuild if something cannot be resolved, or if two packages export the same name
 */
export const bundleEntry = async ({
  entry,
  conditions,
  alias = {},
}: Pick<BundleDefinition, 'entry' | 'conditions' | 'alias'>): Promise<Bundle> => {
  const { outputFiles, metafile } = await build({
    stdin: { contents: entry.code, resolveDir: entry.folder, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2024',
    conditions: ['dev-source', ...conditions],
    alias,
    external: ['cloudflare:*', 'node:*'],
    // By default, a name that two `export *` have in common is left out without a message.
    logOverride: { 'ambiguous-reexport': 'error' },
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const modules = Object.values(metafile.outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .map(([path, { bytesInOutput }]) => ({ path, size: bytesInOutput }))
    .filter(({ path, size }) => size > 0 && path !== '<stdin>')
    .sort((one, other) => other.size - one.size);
  const size = outputFiles.reduce((sum, { contents }) => sum + measureCompressed(contents), 0);
  return { size, modules };
};

/** The number of modules that are listed for a bundle that exceeds its budget. */
const listedModules = 15;

/**
 * Returns what is wrong with a bundle: its size, and modules that it must not contain or that are missing.
 */
export const findProblems = (
  { name, budget, sources, excluded, required }: BundleDefinition,
  { size, modules }: Bundle,
): readonly string[] => {
  const paths = modules.map(({ path }) => path);
  const isAllowed = (path: string): boolean =>
    sources.some((source) => path.startsWith(source)) && !excluded.test(path);
  return [
    ...(size > budget
      ? [
          `${name}: ${formatKilobytes(size)} exceeds the budget of ${formatKilobytes(budget)} by ${size - budget} bytes. ` +
            `The largest modules, before compression:\n${formatModules(modules)}`,
        ]
      : []),
    ...paths.filter((path) => !isAllowed(path)).map((path) => `${name}: must not contain ${path}`),
    ...required.filter((path) => !paths.includes(path)).map((path) => `${name}: does not contain ${path}`),
  ];
};

const formatModules = (modules: readonly BundledModule[]): string =>
  modules
    .slice(0, listedModules)
    .map(({ path, size }) => `${formatKilobytes(size).padStart(10)}  ${path}`)
    .join('\n');
