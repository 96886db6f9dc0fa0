/**
 * Storage in SQLite.
 * @module
 */
export {};
