// The driver of the browsers: one command a line on standard input, one answer a line on standard
// output, in order.
//
//   node main.mjs MODULES WORK SCREENS PATIENCE_MS
//
// MODULES holds node_modules/, WORK the desks' homes for as long as the driver runs, SCREENS what
// the pictures are kept in. A command is {"do": NAME, "desk": NAME, ...}; its answer {"ok": RESULT,
// "complaints": [...]} or {"error": WORDS, ...}. At the end of the input all browsers are closed
// and the driver ends.

import { createInterface } from 'node:readline';
import { mkdir } from 'node:fs/promises';
import { Desk } from './desk.mjs';
import { KeyRing } from './keys.mjs';

const [modules, work, screens, patience] = process.argv.slice(2);
const setting = { modules, work, screens, patienceMs: Number(patience) };
const keys = new KeyRing();
const desks = new Map();

const atTheDriver = {
  async seat({ desk, ...door }) {
    if (desks.has(desk)) throw new Error(`a desk ${desk} is there already`);
    desks.set(desk, await Desk.seat(desk, door, setting, keys));
  },
  /** Waits for the complaints that are expected there, and closes the browser; what never came. */
  async leave({ desk: name }) {
    const desk = desks.get(name);
    const missing = await desk.settle();
    await desk.withdraw();
    desks.delete(name);
    await desk.close();
    return { missing, complaints: desk.complaints() };
  },
  credentials: ({ key }) => keys.credentials(key),
  give: ({ key, credentials }) => keys.give(key, credentials),
};

async function answer(command) {
  const { do: verb, ...words } = command;
  if (Object.hasOwn(atTheDriver, verb)) return { ok: (await atTheDriver[verb](words)) ?? null };
  const desk = desks.get(words.desk);
  if (!desk) return { error: `no desk ${words.desk} for '${verb}'` };
  try {
    return { ok: (await desk.obey(verb, words)) ?? null, complaints: desk.complaints() };
  } catch (error) {
    return { error: `${error.message}\n${await desk.scene()}`, complaints: desk.complaints() };
  }
}

await mkdir(screens, { recursive: true });
for await (const line of createInterface({ input: process.stdin })) {
  const said = await answer(JSON.parse(line)).catch((error) => ({ error: error.message }));
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
setTimeout(() => process.exit(1), setting.patienceMs).unref();
await Promise.allSettled([...desks.values()].map((desk) => desk.close()));
process.exit(0);
