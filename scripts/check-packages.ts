/**
 * Builds and packs the packages that are published to npm, and checks the tarballs: their contents, their
 * `package.json` (publint), how their types resolve (attw), and their declarations on each platform.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { findContentProblems } from './packages/contents.ts';
import { findDeclarationProblems } from './packages/declarations.ts';
import { findPublishedPackages, type PackedPackage, pack } from './packages/package.ts';

const runPublint = async ({ tarball }: PackedPackage): Promise<readonly string[]> => {
  const { messages, pkg } = await publint({
    pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer },
    strict: true,
  });
  return messages.map((message) => `publint: ${formatMessage(message, pkg) ?? message.code}`);
};

const runAttw = async ({ tarball }: PackedPackage): Promise<readonly string[]> => {
  try {
    await promisify(execFile)('attw', [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color']);
    return [];
  } catch (error) {
    return [`attw: ${Object(error).stdout || error}`];
  }
};

const checkTarball = async (packed: PackedPackage): Promise<readonly string[]> => {
  const results = await Promise.all([findContentProblems(packed), runPublint(packed), runAttw(packed)]);
  return results.flat().map((problem) => `${packed.manifest.name}: ${problem}`);
};

const checkPackages = async (destination: string): Promise<void> => {
  const packages = await Promise.all(findPublishedPackages().map((unpacked) => pack(unpacked, destination)));
  const project = join(destination, 'project');
  mkdirSync(project);
  const tarballProblems = Promise.all(packages.map(checkTarball));
  const problems = [...findDeclarationProblems(packages, project), ...(await tarballProblems).flat()];
  for (const problem of problems) console.error(problem);
  const names = packages.map(({ manifest, files }) => `${manifest.name} (${files.length} files)`);
  console.log(`${names.join(', ')}: ${problems.length} problems`);
  process.exitCode = problems.length === 0 && packages.length > 0 ? 0 : 1;
};

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'packages-')));
await checkPackages(folder).finally(() => rmSync(folder, { recursive: true }));
