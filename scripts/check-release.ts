/**
 * Fails unless the packages in the given folders can be published now. The release workflow runs it, and npm
 * runs it before each publication (`prepublishOnly`), so that nobody publishes by accident.
 */
import { readPackage } from './packages/package.ts';
import { findReleaseProblems } from './release/requirements.ts';

const problems = process.argv
  .slice(2)
  .flatMap((folder) => findReleaseProblems(readPackage(folder), process.env));
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 && process.argv.length > 2 ? 0 : 1;
