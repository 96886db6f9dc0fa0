/** Memory storage passes the contract of every storage. */
import { memoryStorage } from '../../src/storage/memory.ts';
import { testStorageContract } from './test-storage-contract.ts';

testStorageContract('storage in memory', async () => memoryStorage());
