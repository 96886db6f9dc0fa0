/** Holds the code against the house's arrows and its laws; and makes sure that it really read the whole house. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cruise } from 'dependency-cruiser';
import { dependencyRules } from './house.ts';

interface SourceRule {
  readonly description: string;
  readonly pattern: RegExp;
  /** Where it holds. */
  readonly appliesTo: RegExp;
  /** The one place that is excepted. */
  readonly except?: RegExp;
}

const source = /^((packages|apps)\/[^/]+\/src|apps\/[^/]+\/pages|examples\/[^/]+\/(src|functions))\//;
const deployed = /^(packages\/(broker|store-d1|operations)|apps\/[^/]+)\/src\//;

const sourceRules: readonly SourceRule[] = [
  {
    description: 'the broker makes its responses in one file',
    pattern: /\bnew Response\(|\bResponse\.(json|redirect|error)\(/,
    appliesTo: /^packages\/broker\/src\//,
    except: /\/http\/respond\.ts$/,
  },
  {
    description: 'time is passed in',
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/,
    appliesTo: deployed,
    except: /^packages\/broker\/src\/surroundings\.ts$/,
  },
  {
    description: 'randomness is passed in',
    pattern: /\bgetRandomValues\b|\brandomUUID\b|\bMath\.random\b/,
    appliesTo: deployed,
    except: /^packages\/broker\/src\/(surroundings|seal\/sealer)\.ts$/,
  },
  {
    description: 'SQL lives in the stores',
    pattern: /\b(SELECT\s+.+\s+FROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\b/,
    appliesTo: source,
    except: /^(packages\/store-d1\/src|apps\/[^/]+\/src\/store)\//,
  },
  {
    description: 'no file is a drawer',
    pattern: /^/,
    appliesTo: /\/(utils?|helpers?|common|manager|data|info|\w+Impl)\.ts$/,
  },
];

const maxLines = 400;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => source.test(file) && !file.endsWith('.d.ts'));

const ruleViolations = files.flatMap((file) => {
  const lines = readFileSync(file, 'utf8').split('\n');
  const fileViolations = sourceRules
    .filter(({ appliesTo, except }) => appliesTo.test(file) && !except?.test(file))
    .flatMap(({ description, pattern }) =>
      lines
        .flatMap((line, at) => (pattern.test(line) ? [`${file}:${at + 1}: ${description}`] : []))
        .slice(0, 1),
    );
  return lines.length > maxLines
    ? [...fileViolations, `${file}: ${lines.length} lines; ${maxLines} at most`]
    : fileViolations;
});

const { output } = await cruise(files, {
  ...dependencyRules.options,
  ruleSet: { forbidden: dependencyRules.forbidden },
  validate: true,
});
if (typeof output === 'string') throw new Error('the dependency checker gave a text where a result was due');
const importViolations = output.summary.violations.map(
  ({ from, to, rule }) => `${from} → ${to}: ${rule.name}`,
);

// A checker that silently reads nothing finds nothing wrong.
const read = new Set(output.modules.map(({ source: module }) => module));
const unvisitedFiles = files
  .filter((file) => !read.has(file))
  .map((file) => `${file}: not read by the dependency checker`);
const imports = output.modules.flatMap(({ source: from, dependencies }) =>
  files.includes(from) ? dependencies : [],
);
const coverageProblems =
  imports.length < files.length ? [`only ${imports.length} imports found in ${files.length} files`] : [];

const problems = [...ruleViolations, ...importViolations, ...unvisitedFiles, ...coverageProblems];
for (const fault of problems) console.error(fault);
console.log(`${files.length} modules, ${imports.length} imports, ${problems.length} faults`);
process.exitCode = problems.length === 0 ? 0 : 1;
