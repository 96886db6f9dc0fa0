/** Memory storage passes the contract of every storage. */
import { memoryStorage } from '../../src/storage/memory.ts';
import { storageContract } from './storage-contract.ts';

storageContract('storage in memory', async () => memoryStorage());
