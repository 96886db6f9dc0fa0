/**
 * Tests an integration without accounts at real providers.
 * @module
 */
export {};
