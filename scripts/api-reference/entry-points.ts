/** Reads the entry points of the published packages from the `exports` in their package.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folders of the packages whose API is documented. */
const packages = ['packages/assistant-auth', 'packages/assistant-operations'];

/** An entry point of a published package. */
export interface EntryPoint {
  readonly packageName: string;
  /** The specifier that someone imports, for example `assistant-auth/account`. */
  readonly specifier: string;
  /** The source file, relative to the root of the workspace. */
  readonly file: string;
}

/** The condition in `exports` that resolves to the sources. It is also in tsconfig.api.json. */
const sourceCondition = 'dev-source';

/** Returns an entry point for each export that is a TypeScript module. */
export const readEntryPoints = (): readonly EntryPoint[] => packages.flatMap(readPackage);

/** Returns the path of each package's README, relative to the root of the workspace. It may not exist. */
export const listReadmes = (): readonly string[] => packages.map((folder) => join(folder, 'README.md'));

const readPackage = (folder: string): readonly EntryPoint[] => {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const name = readProperty(manifest, 'name');
  const exported = readProperty(manifest, 'exports');
  if (typeof name !== 'string' || typeof exported !== 'object' || exported === null)
    throw new Error(`${folder}/package.json: "name" must be a string and "exports" an object of subpaths`);
  return Object.entries(exported).flatMap(([subpath, target]) => {
    const source: unknown = typeof target === 'string' ? target : readProperty(target, sourceCondition);
    if (typeof source === 'string' && source.endsWith('.ts'))
      return [{ packageName: name, specifier: join(name, subpath), file: join(folder, source) }];
    if (typeof target === 'string') return [];
    throw new Error(
      `${folder}/package.json: exports["${subpath}"] has no "${sourceCondition}" that is a TypeScript file`,
    );
  });
};

const readProperty = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
