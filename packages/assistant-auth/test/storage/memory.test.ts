/** Memory storage passes the contract of every storage. */
import { memoryStorage } from '../../src/storage/memory.ts';
import { testStorage } from './storage-contract.ts';

testStorage('storage in memory', async () => memoryStorage());
