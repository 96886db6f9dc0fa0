/** Files with secrets: no moment at which anybody but their owner could read them. */
import { chmod, mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises';

/** Puts a file in place of whatever is there. Who has the old one open reads the old one. */
export const writePrivateFile = async (file: string, text: string): Promise<void> => {
  const target = await realTarget(file);
  // A mode is for files that are new, so what is there already is not written to.
  const draft = `${target}.${process.pid}`;
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
};

/** Takes an existing file away from everybody but its owner. */
export const makePrivate = (file: string): Promise<void> => chmod(file, 0o600);

/** Makes the folder when it is missing; others neither list it nor reach into it, even if they could before. */
export const ensurePrivateFolder = async (folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
};

/** What a link leads to is replaced, and not the link. */
const realTarget = async (file: string): Promise<string> => {
  try {
    return await realpath(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return file;
    throw error;
  }
};
