// Runs once: trades in (a file that is named, or those that came along), one JSON line per
// day and ticker out. Records that are left out are told on stderr.

import { transform } from "./transform";

const file = Bun.file(process.argv[2] ?? new URL("trades.csv", import.meta.url));
try {
  const { volumes, rejected } = transform(await file.text());
  for (const reason of rejected) console.error(`left out: ${reason}`);
  for (const volume of volumes) console.log(JSON.stringify(volume));
} catch (error) {
  console.error(`daily-volume: ${file.name}: ${(error as Error).message}`);
  process.exitCode = 1;
}
