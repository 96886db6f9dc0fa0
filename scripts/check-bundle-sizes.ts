/**
 * Checks the sizes of the bundles against their budgets, and that a bundle contains only what it imports. It
 * bundles the sources with esbuild, so it needs no build.
 */
import { formatKilobytes } from './bundle-sizes/budgets.ts';
import { bundles } from './bundle-sizes/bundles.ts';
import { bundleEntry, findProblems } from './bundle-sizes/measure.ts';

const results = await Promise.all(
  bundles.map(async (definition) => ({ definition, bundle: await bundleEntry(definition) })),
);
for (const { definition, bundle } of results)
  console.log(
    `${definition.name}: ${formatKilobytes(bundle.size)} (budget: ${formatKilobytes(definition.budget)})`,
  );
const problems = results.flatMap(({ definition, bundle }) => findProblems(definition, bundle));
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
