// What happened lately.

export interface Notification {
  id: number;
  time: string;
  text: string;
}

const kept = 100;

export class Inbox {
  readonly #latest: Notification[] = [];
  #count = 0;

  add(text: string): Notification {
    const notification = { id: ++this.#count, time: new Date().toISOString(), text };
    this.#latest.push(notification);
    if (this.#latest.length > kept) this.#latest.shift();
    return notification;
  }

  latest(): readonly Notification[] {
    return this.#latest;
  }
}
