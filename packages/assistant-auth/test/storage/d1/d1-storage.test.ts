import { d1Storage } from '../../../src/storage/sqlite/d1.ts';
import { storageContract } from '../storage-contract.ts';
import { emptyD1 } from './empty-d1.ts';

storageContract('storage on D1', async () => d1Storage(await emptyD1()));
