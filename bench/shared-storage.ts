/**
 * The storage in memory that the bare broker and the game share. The bundle has it in place of
 * `assistant-auth/d1`, because the time that D1 takes would hide the difference between the two.
 */
import { memoryStorage } from 'assistant-auth/memory';

const storage = memoryStorage();

export const d1Storage = () => storage;
