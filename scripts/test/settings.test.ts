/** Tests the file with the keys and secrets of the local system. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  buildSettingsVariables,
  ensureSettings,
  readSettings,
  settingsFile,
} from '../local-system/settings.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-'));
  file = settingsFile(folder);
});

afterEach(() => rmSync(folder, { recursive: true }));

const earlierSettings = {
  sealingKeys: 'local.nJf9-2P7jQRmJJYTuxkQlkw9BQVyIGT9UVsbqpYP25g',
  gptClientId: 'words-gpt',
  gptClientSecret: 'kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ',
};

const readFileContent = (): unknown => JSON.parse(readFileSync(file, 'utf8'));

it('generates all settings once, in a file that only its owner can read', async () => {
  const settings = await ensureSettings(folder);
  expect(settings).toEqual({
    sealingKeys: expect.stringMatching(/^local\.[\w-]{43}$/),
    gptClientId: 'words-gpt',
    gptClientSecret: expect.stringMatching(/^[\w-]{43}$/),
    dailySecret: expect.stringMatching(/^[\w-]{43}$/),
  });
  expect(settings.dailySecret).not.toBe(settings.gptClientSecret);
  expect(readFileContent()).toEqual(settings);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await ensureSettings(folder)).toEqual(settings);
  expect(await readSettings(folder)).toEqual(settings);
  expect(buildSettingsVariables(settings)).toEqual({
    SEALING_KEYS: settings.sealingKeys,
    GPT_CLIENT_ID: 'words-gpt',
    GPT_CLIENT_SECRET: settings.gptClientSecret,
    DAILY_SECRET: settings.dailySecret,
  });
});

it('adds a secret for the daily word to a file of an earlier version, and keeps the rest', async () => {
  writeFileSync(file, JSON.stringify(earlierSettings), { mode: 0o644 });
  const settings = await ensureSettings(folder);
  expect(settings).toEqual({ ...earlierSettings, dailySecret: expect.stringMatching(/^[\w-]{43}$/) });
  expect(readFileContent()).toEqual(settings);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['settings.json']);
  expect(await ensureSettings(folder)).toEqual(settings);
});

it('reads a file of an earlier version without changing it', async () => {
  const text = JSON.stringify(earlierSettings);
  writeFileSync(file, text);
  const settings = await readSettings(folder);
  expect(settings).toEqual(earlierSettings);
  expect(settings && buildSettingsVariables(settings)).toEqual({
    SEALING_KEYS: earlierSettings.sealingKeys,
    GPT_CLIENT_ID: 'words-gpt',
    GPT_CLIENT_SECRET: earlierSettings.gptClientSecret,
  });
  expect(readFileSync(file, 'utf8')).toBe(text);
});

it.each([
  ['is cut off', '{"sealingKeys":"'],
  ['has no key ring', JSON.stringify({ ...earlierSettings, sealingKeys: undefined, dailySecret: 's' })],
  ['has a daily secret that is not text', JSON.stringify({ ...earlierSettings, dailySecret: null })],
])('calls a file damaged that %s, and does not overwrite it', async (_, text) => {
  writeFileSync(file, text);
  await expect(ensureSettings(folder)).rejects.toThrow(
    `${file} is damaged. Delete it to generate new secrets.`,
  );
  expect(readFileSync(file, 'utf8')).toBe(text);
});
