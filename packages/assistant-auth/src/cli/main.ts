#!/usr/bin/env node
/** The command `assistant-auth`. */
export {};
