#!/usr/bin/env bun
// slugify-lines: what is said in the arguments or on stdin, as slugs.

import { parseArgs } from "node:util";
import slugify from "@sindresorhus/slugify";
import { version } from "../package.json";

const HELP = `Usage: slugify-lines [options] [text...]

Prints one slug per text; without texts, one per line of stdin.

  -s, --separator <text>  between words, "-" unless told
  -h, --help              this text
  -v, --version           the version

Exit code: 0 done, 1 a text held nothing to make a slug of, 2 wrong usage.
`;

function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        separator: { type: "string", short: "s", default: "-" },
        help: { type: "boolean", short: "h", default: false },
        version: { type: "boolean", short: "v", default: false },
      },
    });
  } catch (error) {
    console.error(`slugify-lines: ${(error as Error).message}\nTry slugify-lines --help`);
    process.exit(2);
  }
}

async function* lines(): AsyncGenerator<string> {
  for await (const line of console) yield line;
}

const { values, positionals } = options();
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
if (values.version) {
  console.log(version);
  process.exit(0);
}

for await (const text of positionals.length > 0 ? positionals : lines()) {
  const slug = slugify(text, { separator: values.separator });
  if (slug === "") {
    console.error(`slugify-lines: nothing to make a slug of: ${JSON.stringify(text)}`);
    process.exitCode = 1;
    continue;
  }
  console.log(slug);
}
