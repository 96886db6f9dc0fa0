/** The file through which wrangler learns the secrets: there while it is needed, and gone however the command ends. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Variables } from '../app/variables.ts';

/**
 * Writes the secrets where only their owner reads them, and deletes them when the work is done or the process exits. A signal has
 * to become an exit first (`exitWhenInterrupted`).
 * @param work is given the file's name
 */
export const withSecretsFile = async (
  secrets: Variables,
  work: (file: string) => Promise<void>,
): Promise<void> => {
  // Nothing here waits before the work: no signal finds a file that nobody would delete.
  const folder = mkdtempSync(join(tmpdir(), 'words-with-chat-secrets-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    const file = join(folder, 'secrets.json');
    writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
    await work(file);
  } finally {
    remove();
    process.off('exit', remove);
  }
};
