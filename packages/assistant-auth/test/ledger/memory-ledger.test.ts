import { memoryLedger } from '../../src/storage/memory.ts';
import { ledgerContract } from './ledger-contract.ts';

ledgerContract('the ledger in memory', async () => memoryLedger());
