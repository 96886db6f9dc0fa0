/** Holds the code against the house's arrows and its laws; and makes sure that it really read the whole house. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cruise } from 'dependency-cruiser';
import { house } from './house.ts';

interface Law {
  readonly says: string;
  readonly pattern: RegExp;
  /** Where it holds. */
  readonly within: RegExp;
  /** The one place that is excepted. */
  readonly but?: RegExp;
}

const source = /^((packages|apps)\/[^/]+\/src|apps\/[^/]+\/pages|examples\/[^/]+\/(src|functions))\//;
const deployed = /^(packages\/(broker|store-d1|operations)|apps\/[^/]+)\/src\//;

const laws: readonly Law[] = [
  {
    says: 'the broker makes its responses in one file',
    pattern: /\bnew Response\(|\bResponse\.(json|redirect|error)\(/,
    within: /^packages\/broker\/src\//,
    but: /\/http\/respond\.ts$/,
  },
  {
    says: 'time is passed in',
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/,
    within: deployed,
    but: /^packages\/broker\/src\/surroundings\.ts$/,
  },
  {
    says: 'randomness is passed in',
    pattern: /\bgetRandomValues\b|\brandomUUID\b|\bMath\.random\b/,
    within: deployed,
    but: /^packages\/broker\/src\/(surroundings|seal\/sealer)\.ts$/,
  },
  {
    says: 'SQL lives in the stores',
    pattern: /\b(SELECT\s+.+\s+FROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\b/,
    within: source,
    but: /^(packages\/store-d1\/src|apps\/[^/]+\/src\/store)\//,
  },
  {
    says: 'no file is a drawer',
    pattern: /^/,
    within: /\/(utils?|helpers?|common|manager|data|info|\w+Impl)\.ts$/,
  },
];

const longest = 400;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => source.test(file) && !file.endsWith('.d.ts'));

const brokenLaws = files.flatMap((file) => {
  const lines = readFileSync(file, 'utf8').split('\n');
  const broken = laws
    .filter(({ within, but }) => within.test(file) && !but?.test(file))
    .flatMap(({ says, pattern }) =>
      lines.flatMap((line, at) => (pattern.test(line) ? [`${file}:${at + 1}: ${says}`] : [])).slice(0, 1),
    );
  return lines.length > longest ? [...broken, `${file}: ${lines.length} lines; ${longest} at most`] : broken;
});

const { output } = await cruise(files, {
  ...house.options,
  ruleSet: { forbidden: house.forbidden },
  validate: true,
});
if (typeof output === 'string') throw new Error('the dependency checker gave a text where a result was due');
const brokenArrows = output.summary.violations.map(({ from, to, rule }) => `${from} → ${to}: ${rule.name}`);

// A checker that silently reads nothing finds nothing wrong.
const read = new Set(output.modules.map(({ source: module }) => module));
const unread = files
  .filter((file) => !read.has(file))
  .map((file) => `${file}: not read by the dependency checker`);
const arrows = output.modules.flatMap(({ source: from, dependencies }) =>
  files.includes(from) ? dependencies : [],
);
const blind =
  arrows.length < files.length ? [`only ${arrows.length} imports found in ${files.length} files`] : [];

const faults = [...brokenLaws, ...brokenArrows, ...unread, ...blind];
for (const fault of faults) console.error(fault);
console.log(`${files.length} modules, ${arrows.length} imports, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
