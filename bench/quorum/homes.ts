import type { Contestants } from '../support/servers.js'

/** Where locks are kept: on so many servers of a kind. */
export interface LockHome {
  name: string
  kind: keyof Contestants
  servers: number
}

/** Every kind's first is one server, which the others are held against. */
export const homes: readonly LockHome[] = [
  { name: 'one Latchkey', kind: 'latchkey', servers: 1 },
  { name: 'quorum of 3 Latchkeys', kind: 'latchkey', servers: 3 },
  { name: 'quorum of 5 Latchkeys', kind: 'latchkey', servers: 5 },
  { name: 'one memcached', kind: 'memcached', servers: 1 },
  { name: 'quorum of 3 memcacheds', kind: 'memcached', servers: 3 },
]

export const serversMost = Math.max(...homes.map(({ servers }) => servers))

/** The one server of the same kind. */
export function singleOf({ kind }: LockHome): LockHome {
  return homes.find((home) => home.kind === kind)!
}
