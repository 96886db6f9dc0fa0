/** A program: signs everybody in at every stand-in, in a process of its own, and prints their keys as JSON. */
import { names, subjects } from './visit.ts';

const found: (readonly string[])[] = [];
for (const name of names) found.push(await subjects(name));
console.log(JSON.stringify(found));
