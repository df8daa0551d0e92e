// What a service is called and where it listens.

export interface Settings {
  name: string;
  port: number;
}

/** The environment's word, or else the service's own. */
export function settings(name: string, port: number): Settings {
  return { name: process.env.SERVICE_NAME || name, port: Number(process.env.PORT || port) };
}
