import { ledgerContract } from '../../broker/test/ledger/ledger-contract.ts';
import { d1Ledger } from '../src/index.ts';
import { emptyD1 } from './empty-d1.ts';

ledgerContract('the ledger on D1', async () => d1Ledger(await emptyD1()));
