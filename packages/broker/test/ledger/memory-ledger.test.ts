import { memoryLedger } from '../../src/ledger/memory-ledger.ts';
import { ledgerContract } from './ledger-contract.ts';

ledgerContract('the ledger in memory', async () => memoryLedger());
