// Links, kept in memory for as long as the process lives.

import { nanoid } from "nanoid";

export interface Link {
  id: string;
  url: string;
  title: string;
}

const links = new Map<string, Link>();

export function all(): Link[] {
  return [...links.values()];
}

export function get(id: string): Link | undefined {
  return links.get(id);
}

export function remove(id: string): boolean {
  return links.delete(id);
}

/** Keeps a link, under `id` if it is to replace one, or says what is wrong with it. */
export function keep(input: unknown, id: string = nanoid(10)): Link | string {
  if (typeof input !== "object" || input === null) return "a link is a JSON object";
  const { url, title = url } = input as Partial<Link>;
  if (typeof url !== "string" || !/^https?:$/.test(URL.parse(url)?.protocol ?? "")) return "url is an http(s) address";
  if (typeof title !== "string" || title.trim() === "") return "title is a text";
  const link = { id, url, title };
  links.set(id, link);
  return link;
}
