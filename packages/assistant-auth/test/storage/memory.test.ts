import { memoryStorage } from '../../src/storage/memory.ts';
import { storageContract } from './storage-contract.ts';

storageContract('the ledger in memory', async () => memoryStorage());
