/** Which folder of `src` may import which. The key '' is `src` itself, whose index re-exports what most people need. */
export interface Layer {
  /** Folders whose public door this one may use. */
  mayImport: readonly string[]
}

const everyDoor = ['time', 'fencing', 'store', 'protocol', 'server', 'client', 'locks', 'torture', 'console', 'cli']
const without = (...left: string[]) => everyDoor.filter((door) => !left.includes(door))

export const layers: Readonly<Record<string, Layer>> = {
  time: { mayImport: [] },
  fencing: { mayImport: [] },
  store: { mayImport: [] },
  protocol: { mayImport: [] },
  server: { mayImport: ['store', 'protocol'] },
  client: { mayImport: ['time', 'fencing', 'protocol'] },
  locks: { mayImport: ['time', 'fencing'] },
  // Each driver drives one door, and which one is its own business; the core of locks knows none.
  'locks/drivers': { mayImport: without('cli', 'torture', 'console') },
  'compat/redlock': { mayImport: ['locks'] },
  // They listen to channels: of those who publish they need no more than the shapes of messages.
  observe: { mayImport: ['client', 'locks'] },
  'observe/prometheus': { mayImport: ['client', 'locks'] },
  'observe/opentelemetry': { mayImport: ['client', 'locks'] },
  torture: { mayImport: without('cli', 'torture') },
  console: { mayImport: ['server'] },
  cli: { mayImport: without('cli') },
  '': { mayImport: without('cli') },
}

/** Folders from which only types may be imported: `console` is handed its data, and names its shape. */
export const typesOnly: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['console', new Set(['server'])],
  ...['observe', 'observe/prometheus', 'observe/opentelemetry'].map((folder): [string, Set<string>] => [
    folder,
    new Set(['client', 'locks']),
  ]),
])
