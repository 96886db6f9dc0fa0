/**
 * Type-checks the declarations of the packed packages in a project that installs them: with the types of each
 * platform alone, and with both module resolutions. A declaration fails if it uses a type that only another
 * platform has, or a package that is not a dependency.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { listEntryPoints, type PackedPackage } from './package.ts';

/** Entry points that are only for Node, so their declarations may use its types. */
const nodeOnly = ['assistant-auth/node'];

/** The packages that contain the types of the platforms. */
const platformTypes = ['@types/node', '@cloudflare/workers-types'];

const platforms: Readonly<Record<string, Pick<ts.CompilerOptions, 'lib' | 'types'>>> = {
  '@types/node': { lib: ['lib.es2024.d.ts'], types: ['node'] },
  DOM: { lib: ['lib.es2024.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'], types: [] },
  '@cloudflare/workers-types': { lib: ['lib.es2024.d.ts'], types: ['@cloudflare/workers-types'] },
};

const resolutions: Readonly<Record<string, Pick<ts.CompilerOptions, 'module' | 'moduleResolution'>>> = {
  nodenext: { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  bundler: { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
};

/**
 * Installs the packages in a project that imports all their entry points, and returns the errors in their
 * declarations.
 * @param project an empty folder outside the workspace
 */
export const findDeclarationProblems = (
  packages: readonly PackedPackage[],
  project: string,
): readonly string[] => {
  installPackages(packages, project);
  const specifiers = packages.flatMap(listEntryPoints).map(({ specifier }) => specifier);
  const getSourceFile = createFileCache();
  return Object.entries(platforms).flatMap(([platform, platformOptions]) => {
    const importable = specifiers.filter(
      (specifier) => platformOptions.types?.includes('node') || !nodeOnly.includes(specifier),
    );
    const consumer = createConsumer(importable, project);
    return Object.entries(resolutions).flatMap(([resolution, resolutionOptions]) =>
      check(consumer, { ...platformOptions, ...resolutionOptions }, getSourceFile).map(
        (problem) => `${platform}, ${resolution}: ${problem}`,
      ),
    );
  });
};

const installPackages = (packages: readonly PackedPackage[], project: string): void => {
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  for (const { manifest, tarball } of packages) {
    const folder = join(project, 'node_modules', manifest.name);
    mkdirSync(folder, { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', folder]);
  }
  const dependencies = packages.flatMap(({ manifest }) =>
    Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
  );
  for (const name of new Set([...dependencies, ...platformTypes])) {
    const link = join(project, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(resolve('node_modules', name), link);
  }
};

/**
 * Writes a module that imports the entry points.
 * @returns its path
 */
const createConsumer = (specifiers: readonly string[], project: string): string => {
  const consumer = join(mkdtempSync(join(project, 'consumer-')), 'index.ts');
  writeFileSync(
    consumer,
    specifiers.map((name, index) => `export * as module${index} from '${name}';\n`).join(''),
  );
  return consumer;
};

/** Parsing the same files for every platform would take most of the time. */
const createFileCache = (): ts.CompilerHost['getSourceFile'] => {
  const { getSourceFile } = ts.createCompilerHost({});
  const files = new Map<string, ts.SourceFile | undefined>();
  return (name, options, ...rest) => {
    const key = JSON.stringify([name, Object(options).impliedNodeFormat]);
    if (!files.has(key)) files.set(key, getSourceFile(name, options, ...rest));
    return files.get(key);
  };
};

const check = (
  consumer: string,
  platformOptions: ts.CompilerOptions,
  getSourceFile: ts.CompilerHost['getSourceFile'],
): readonly string[] => {
  const project = dirname(dirname(consumer));
  const options = { ...platformOptions, target: ts.ScriptTarget.ES2024, strict: true, noEmit: true };
  const host = { ...ts.createCompilerHost(options), getSourceFile, getCurrentDirectory: () => project };
  const program = ts.createProgram({ rootNames: [consumer], options, host });
  // The declarations of dependencies are not checked themselves: that takes ten times as long.
  const ownFiles = program.getSourceFiles().filter(({ fileName }) => isInPackage(fileName, project));
  return [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...ownFiles.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ]),
  ].map((diagnostic) => formatDiagnostic(diagnostic, project));
};

/** Dependencies are links, whose files have paths in the workspace. */
const isInPackage = (file: string, project: string): boolean => !relative(project, file).startsWith('..');

const formatDiagnostic = ({ file, start, messageText }: ts.Diagnostic, project: string): string => {
  const message = ts.flattenDiagnosticMessageText(messageText, ' ');
  if (file === undefined) return message;
  const { line } = file.getLineAndCharacterOfPosition(start ?? 0);
  return `${relative(project, file.fileName)}:${line + 1}: ${message}`;
};
