/** Checks what must be true before a package is published to npm. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Package } from '../packages/package.ts';

/**
 * Returns the reasons why a package must not be published.
 * @param environment the variables that GitHub Actions sets
 */
export const findReleaseProblems = (
  { folder, manifest: { name, version, repository } }: Package,
  { GITHUB_REF, GITHUB_REPOSITORY, GITHUB_SERVER_URL }: NodeJS.ProcessEnv,
): readonly string[] => {
  if (GITHUB_REF === undefined)
    return [`${name} is published only by the release workflow, .github/workflows/release.yml.`];
  const tag = `refs/tags/v${version}`;
  const expectedUrl = `git+${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git`;
  const url = repository?.url ?? '';
  return [
    ...(GITHUB_REF === tag
      ? []
      : [`The version of ${name} is ${version}, so the tag must be ${tag}, but it is ${GITHUB_REF}.`]),
    ...(url === expectedUrl ? [] : [describeUrlProblem(join(folder, 'package.json'), url, expectedUrl)]),
    ...(hasDatedSection(readFileSync(join(folder, 'CHANGELOG.md'), 'utf8'), version)
      ? []
      : [`${join(folder, 'CHANGELOG.md')} must have the heading "## [${version}] - YYYY-MM-DD".`]),
  ];
};

/** npm compares the URL with the repository in the provenance statement. */
const describeUrlProblem = (file: string, url: string, expectedUrl: string): string =>
  url === ''
    ? `repository.url in ${file} is blank. Set it to ${expectedUrl}.`
    : `repository.url in ${file} must be ${expectedUrl}, but it is ${url}.`;

const hasDatedSection = (changelog: string, version: string): boolean =>
  changelog
    .split('\n')
    .some(
      (line) => line.startsWith(`## [${version}] - `) && /^\d{4}-\d\d-\d\d$/.test(line.split(' - ')[1] ?? ''),
    );
