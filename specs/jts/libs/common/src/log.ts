// One line of JSON for each event, on standard output.

export type Log = (level: "info" | "warn" | "error", message: string, fields?: object) => void;

export function logger(service: string): Log {
  return (level, message, fields) => {
    console.log(JSON.stringify({ time: new Date().toISOString(), level, service, message, ...fields }));
  };
}
