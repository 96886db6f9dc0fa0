/**
 * Type-checks the examples in README.md, in docs, and in the docstrings and READMEs of the published packages
 * against their entry points, and checks that every exported function has an example. Of JavaScript and JSON, it
 * checks only the syntax.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { type Example, readDocstringExamples, readMarkdownExamples } from './api-reference/examples.ts';
import { listRepositoryFiles } from './app/repository-files.ts';
import { applyPageDiffs } from './docs/diffs.ts';
import { readCodeBlocks } from './docs/markdown.ts';
import { type EntryPoint, findPublishedPackages, listEntryPoints } from './packages/package.ts';

const root = resolve('.');
/** The projects of the tutorials. The diffs of the guides are type-checked in the first one. */
const tutorialProjects = [
  { name: 'node', folder: 'examples/node-express' },
  { name: 'workers', folder: 'examples/workers-hono' },
];
const packages = findPublishedPackages();
const entryPoints = packages.flatMap(listEntryPoints);
// Those in docs/get-started are whole projects, which `test-packages/get-started.test.ts` type-checks.
const pages = listRepositoryFiles(
  'README.md',
  ':(glob)packages/*/README.md',
  ':(glob)docs/**/*.md',
  ':(exclude)docs/get-started',
  ':(exclude)docs/reference/api',
);
const examples = [
  ...packages.flatMap(({ folder }) => globSync(`${folder}/src/**/*.ts`)).flatMap(readDocstringExamples),
  ...pages.flatMap(readMarkdownExamples),
];

const { options } = ts.parseJsonConfigFileContent(
  {
    extends: './tsconfig.api.json',
    compilerOptions: { noEmit: true, noUnusedParameters: false, noPropertyAccessFromIndexSignature: false },
  },
  ts.sys,
  root,
);

/**
 * Each example is a module beside the file that contains it. One with a path has that path in a folder of its
 * page, so that the examples of a page can import each other. The empty lines in front of it make the lines
 * in the compiler's messages those of that file.
 */
const nameExample = ({ file, line, path }: Example): string =>
  resolve(path === undefined ? `${file}.example-${line}.ts` : join(`${file}.examples`, path));
const modules = new Map(
  examples.map((example) => [nameExample(example), '\n'.repeat(example.line - 1) + example.code]),
);
/** The files of the tutorial that the examples of a page can import, changed as the page says. */
const borrowed = new Map<string, string>();
const changedModules = new Set<string>();
const files = new Map(examples.map((example) => [nameExample(example), example.file]));
/** The examples that are parts of a file. They can declare or import what only the rest of the file uses. */
const parts = new Set(examples.filter(({ path }) => path === undefined).map(nameExample));

// The guides import the files of the tutorial, such as `src/app.ts`, and change them with diffs.
const readProject = (folder: string): ReadonlyMap<string, string> =>
  new Map(
    globSync(['src/*.ts', '*.js', '*.jsonc', '*.json'], { cwd: folder }).map((file) => [
      file,
      readFileSync(join(folder, file), 'utf8'),
    ]),
  );
const projects = tutorialProjects.map(({ name, folder }) => ({ name, files: readProject(folder) }));
const diffProblems = pages.flatMap((page) => {
  const { changed, unmatched } = applyPageDiffs(readCodeBlocks(readFileSync(page, 'utf8')), projects);
  for (const [file, content] of [...(projects[0]?.files ?? []), ...(changed[0] ?? [])]) {
    const name = resolve(`${page}.examples`, file);
    if (modules.has(name)) continue;
    borrowed.set(name, content);
    files.set(name, `${page}, in ${file}`);
  }
  for (const file of changed[0]?.keys() ?? [])
    if (file.endsWith('.ts')) changedModules.add(resolve(`${page}.examples`, file));
  return unmatched.map((line) => `${page}:${line}: the diff does not apply to a file of the tutorials`);
});

const readModule = (name: string): string | undefined => modules.get(name) ?? borrowed.get(name);
const folders = new Set([...modules.keys(), ...borrowed.keys()].map((name) => dirname(name)));
const host = ts.createCompilerHost(options);
const { getSourceFile, fileExists, readFile, directoryExists } = host;
host.directoryExists = (name) => folders.has(name) || directoryExists?.(name) === true;
host.fileExists = (name) => readModule(name) !== undefined || fileExists(name);
host.readFile = (name) => readModule(name) ?? readFile(name);
host.getSourceFile = (name, languageVersion, ...rest) => {
  const code = readModule(name);
  if (code === undefined) return getSourceFile(name, languageVersion, ...rest);
  return ts.createSourceFile(name, code, languageVersion);
};

const fixtures = ['examples', 'cloudflare-workers'].map((name) =>
  resolve(import.meta.dirname, `api-reference/${name}.d.ts`),
);
const program = ts.createProgram({
  rootNames: [
    ...modules.keys(),
    ...changedModules,
    ...entryPoints.map(({ file }) => resolve(file)),
    ...fixtures,
  ],
  options,
  host,
});
const checker = program.getTypeChecker();

/** Type-checks one module. `tsc -b` checks the sources that the examples import. */
const checkModule = (name: string): readonly ts.Diagnostic[] => {
  const file = program.getSourceFile(name);
  if (file === undefined) throw new Error(`${name} was not read`);
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].filter(
    ({ reportsUnnecessary }) =>
      reportsUnnecessary === undefined || !(parts.has(name) || changedModules.has(name)),
  );
};

/** Returns what is wrong with the syntax of the JavaScript and JSON of a page, whose types are not checked. */
const findSyntaxErrors = (page: string): readonly string[] =>
  readCodeBlocks(readFileSync(page, 'utf8')).flatMap(({ language, line, code }) => {
    // JSON is an expression of JavaScript.
    const script = { js: code, json: `export const json = ${code};` }[language];
    if (script === undefined) return [];
    const { diagnostics = [] } = ts.transpileModule(script, { reportDiagnostics: true });
    return diagnostics.map(
      (diagnostic) => `${page}:${line}: ${describe({ ...diagnostic, file: undefined })}`,
    );
  });

const describe = ({ file, start = 0, messageText }: ts.Diagnostic): string => {
  const message = ts.flattenDiagnosticMessageText(messageText, '\n');
  return file === undefined ? message : `${locate(file, start)}: ${message}`;
};

const locate = (file: ts.SourceFile, position: number): string => {
  const { line } = file.getLineAndCharacterOfPosition(position);
  return `${files.get(file.fileName) ?? relative(root, file.fileName)}:${line + 1}`;
};

/** Finds the functions among the exports of an entry point whose docstring has no example. */
const findWithoutExample = ({ specifier, file }: EntryPoint): readonly string[] => {
  const source = program.getSourceFile(resolve(file));
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${file} has no exports`);
  return checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const { valueDeclaration: declaration } = symbol;
    if (declaration === undefined || checker.getTypeOfSymbol(symbol).getCallSignatures().length === 0)
      return [];
    const isComplete = symbol
      .getJsDocTags(checker)
      .some(({ name, text }) => name === 'internal' || (name === 'example' && hasCode(text)));
    const at = locate(declaration.getSourceFile(), declaration.getStart());
    return isComplete ? [] : [`${at}: ${exported.name} of ${specifier} has no @example with a \`ts\` block`];
  });
};

const hasCode = (text: readonly ts.SymbolDisplayPart[] | undefined): boolean =>
  ts.displayPartsToString([...(text ?? [])]).includes('```ts\n');

const diagnostics = [
  ...program.getOptionsDiagnostics(),
  ...program.getGlobalDiagnostics(),
  ...[...modules.keys(), ...changedModules, ...fixtures].flatMap(checkModule),
];
const names = examples.map(nameExample);
const repeated = examples.filter((_, index) => names.indexOf(names[index] ?? '') < index);
const problems = new Set([
  ...diffProblems,
  ...pages.flatMap(findSyntaxErrors),
  ...diagnostics.map(describe),
  ...entryPoints.flatMap(findWithoutExample),
  ...repeated.map(
    ({ file, line, path }) => `${file}:${line}: the page has another example with the path ${path}`,
  ),
]);
for (const problem of problems) console.error(problem);
console.log(`${examples.length} examples, ${problems.size} problems`);
// Without this, a checker that finds no example would report no problems.
process.exitCode = problems.size === 0 && examples.length > 0 ? 0 : 1;
