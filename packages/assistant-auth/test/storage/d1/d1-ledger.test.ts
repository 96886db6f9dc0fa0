import { d1Ledger } from '../../../src/storage/sqlite/d1.ts';
import { ledgerContract } from '../../ledger/ledger-contract.ts';
import { emptyD1 } from './empty-d1.ts';

ledgerContract('the ledger on D1', async () => d1Ledger(await emptyD1()));
