/** Tests when a package can be published, with the script that the release workflow and npm run. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../check-release.ts', import.meta.url));
const url = 'git+https://github.com/example/words.git';
const release = {
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'example/words',
  GITHUB_REF: 'refs/tags/v1.2.3',
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'release-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const checkRelease = ({
  manifest = {},
  changelog = '# Changelog\n\n## [1.2.3] - 2026-12-01\n',
  environment = release,
}: {
  readonly manifest?: object;
  readonly changelog?: string;
  readonly environment?: Readonly<Record<string, string>>;
} = {}) => {
  const defaults = { name: 'assistant-auth', version: '1.2.3', repository: { type: 'git', url } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...defaults, ...manifest }));
  writeFileSync(join(folder, 'CHANGELOG.md'), changelog);
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder], {
    env: environment,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
};

it('accepts a release whose tag, repository and changelog match the package', () => {
  expect(checkRelease()).toEqual({ status: 0, stdout: '', stderr: '' });
});

it('refuses a package whose repository is blank', () => {
  expect(checkRelease({ manifest: { repository: { type: 'git', url: '' } } })).toEqual({
    status: 1,
    stdout: '',
    stderr: `repository.url in ${folder}/package.json is blank. Set it to ${url}.\n`,
  });
  expect(checkRelease({ manifest: { repository: undefined } }).status).toBe(1);
});

it('refuses a package whose repository is another one', () => {
  const otherUrl = 'git+https://github.com/example/other.git';
  expect(checkRelease({ manifest: { repository: { type: 'git', url: otherUrl } } })).toEqual({
    status: 1,
    stdout: '',
    stderr: `repository.url in ${folder}/package.json must be ${url}, but it is ${otherUrl}.\n`,
  });
});

it.each(['refs/tags/v1.2.4', 'refs/tags/1.2.3', 'refs/tags/v1.2.3-rc.1', 'refs/heads/main'])(
  'refuses to publish version 1.2.3 for %s',
  (ref) => {
    expect(checkRelease({ environment: { ...release, GITHUB_REF: ref } })).toEqual({
      status: 1,
      stdout: '',
      stderr: `The version of assistant-auth is 1.2.3, so the tag must be refs/tags/v1.2.3, but it is ${ref}.\n`,
    });
  },
);

it.each(['## [1.2.3] - Unreleased', '## [Unreleased]', '## [1.2.2] - 2026-12-01', ''])(
  'refuses a version without a date in the changelog: %j',
  (heading) => {
    expect(checkRelease({ changelog: `# Changelog\n\n${heading}\n` })).toEqual({
      status: 1,
      stdout: '',
      stderr: `${folder}/CHANGELOG.md must have the heading "## [1.2.3] - YYYY-MM-DD".\n`,
    });
  },
);

it('refuses to publish outside the release workflow', () => {
  expect(checkRelease({ environment: {} })).toEqual({
    status: 1,
    stdout: '',
    stderr: 'assistant-auth is published only by the release workflow, .github/workflows/release.yml.\n',
  });
});

it('fails without a package', () => {
  const { status } = spawnSync(process.execPath, [script], { env: release });
  expect(status).toBe(1);
});
