// A child process that is asked and answers in lines of JSON.

import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** The worker understood the question, and says what is wrong with it. */
export class Refused extends Error {}

export class Worker {
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #child!: ChildProcess;

  constructor(
    readonly command: string[],
    readonly died: (why: string) => void,
  ) {
    this.#start();
  }

  // The worker needs no goodbye: its input ends when this process does, and it with its input.
  #start(): void {
    const [program = "", ...args] = this.command;
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child = child;
    child.stdin.on("error", () => {}); // Told by "close" as well.
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string };
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Refused(error));
    });
    let why = "";
    child.on("error", (error) => (why = error.message));
    child.on("close", (code, signal) => {
      why ||= `ended by ${signal ?? code}`;
      for (const { reject } of this.#waiting.values()) reject(new Error(why));
      this.#waiting.clear();
      this.died(why);
      setTimeout(() => this.#start(), 1000).unref();
    });
  }

  ask<T>(question: object): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#child.stdin?.writable) return reject(new Error("the worker is not running"));
      const id = ++this.#asked;
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#child.stdin.write(`${JSON.stringify({ ...question, id })}\n`);
    });
  }
}
