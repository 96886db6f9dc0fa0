/** Finds the packages that are published to npm and their entry points, and packs them as `npm publish` does. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The fields of a `package.json` that the checks read. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly repository?: { readonly url?: string };
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly files?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface Package {
  readonly folder: string;
  readonly manifest: Manifest;
}

export interface PackedPackage extends Package {
  /** The path of the tarball. */
  readonly tarball: string;
  /** The paths of the files in the tarball, relative to the package. */
  readonly files: readonly string[];
}

export const readPackage = (folder: string): Package => ({
  folder,
  manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')),
});

/** Returns all packages that are not private. */
export const findPublishedPackages = (): readonly Package[] =>
  readdirSync('packages')
    .map((name) => readPackage(join('packages', name)))
    .filter(({ manifest }) => manifest.private !== true);

/** An entry point of a published package. */
export interface EntryPoint {
  readonly packageName: string;
  /** The specifier that someone imports, for example `assistant-auth/account`. */
  readonly specifier: string;
  /** The source file, relative to the root of the workspace. */
  readonly file: string;
}

/**
 * Returns the modules that `exports` of a package lists.
 * @throws Error for one without the condition `dev-source`
 */
export const listEntryPoints = ({ folder, manifest }: Package): readonly EntryPoint[] =>
  Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
    if (subpath === './package.json') return [];
    const { 'dev-source': source } = Object(target);
    if (typeof source !== 'string')
      throw new Error(`${folder}/package.json: exports["${subpath}"] has no dev-source`);
    const specifier = join(manifest.name, subpath);
    return [{ packageName: manifest.name, specifier, file: join(folder, source) }];
  });

const execute = promisify(execFile);

/**
 * Packs a package into a folder. `npm pack` builds it first.
 * @throws Error with the output if it fails
 */
export const pack = async (unpacked: Package, destination: string): Promise<PackedPackage> => {
  const { name, version } = unpacked.manifest;
  await execute('npm', ['pack', '--pack-destination', destination], { cwd: unpacked.folder }).catch(
    ({ stdout, stderr }) => {
      throw new Error(`npm pack failed in ${unpacked.folder}:\n${stdout}${stderr}`);
    },
  );
  const tarball = join(destination, `${name}-${version}.tgz`);
  const { stdout } = await execute('tar', ['-tzf', tarball]);
  const files = stdout.split('\n').filter((path) => path !== '');
  return { ...unpacked, tarball, files: files.map((path) => path.replace(/^package\//, '')) };
};
