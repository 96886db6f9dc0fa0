/**
 * Tests an integration without accounts at real providers, and implementations of the storage interface.
 * @module
 */
export { type StorageContractTest, storageContract } from './storage-contract.ts';
