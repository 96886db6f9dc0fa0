/**
 * Checks the rules in `.dependency-cruiser.mjs`, and that dependency-cruiser read every module: it reports no
 * violations if it reads none.
 */
import { cruise } from 'dependency-cruiser';
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import { listRepositoryFiles } from './app/repository-files.ts';

const files = listRepositoryFiles(
  'packages/*/src/*.ts',
  'apps/*.ts',
  'examples/*.ts',
  'scripts/*.ts',
  'conformance/*.ts',
  'bench/*.ts',
  'test-packages/*.ts',
).filter((file) => !file.includes('/test/') && !file.endsWith('.d.ts'));

const { output } = await cruise(files, {
  ...(await extractDepcruiseOptions('./.dependency-cruiser.mjs')),
  validate: true,
});
if (typeof output === 'string') throw new Error('dependency-cruiser returned text instead of a result');

const violations = output.summary.violations.map(({ from, to, rule }) => `${from} → ${to}: ${rule.name}`);
const modules = new Map(output.modules.map((module) => [module.source, module]));
const unread = files
  .filter((file) => !modules.has(file))
  .map((file) => `${file}: dependency-cruiser did not read it`);
const imports = files.flatMap((file) => modules.get(file)?.dependencies ?? []);
const tooFew =
  imports.length < files.length ? [`only ${imports.length} imports in ${files.length} files were found`] : [];

const problems = [...violations, ...unread, ...tooFew];
for (const problem of problems) console.error(problem);
console.log(`${files.length} modules, ${imports.length} imports, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
