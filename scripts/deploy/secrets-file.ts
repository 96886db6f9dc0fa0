/** Passes the secrets to Wrangler in a temporary file that is deleted even if the command is interrupted. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Variables } from '../app/variables.ts';

/**
 * Writes the secrets to a file that only its owner can read, and deletes it when the work is done or the
 * process exits. Call `exitWhenInterrupted` first, so that a signal causes an exit.
 * @param work gets the path of the file
 */
export const withSecretsFile = async (
  secrets: Variables,
  work: (file: string) => Promise<void>,
): Promise<void> => {
  // Nothing is awaited before the work, so no signal can leave a file that is not deleted.
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
