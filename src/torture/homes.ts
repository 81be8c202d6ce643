/** Where the locks of an algorithm are. */

/** What is a cache, too: its own server, or memory that threads share. */
export type CacheHome = 'memcached' | 'latchkey' | 'embedded'

/** What people have already, for other things than a cache: with real processes only. */
export const engineNames = ['etcd', 'redis', 'zookeeper', 'postgres', 'dynamodb'] as const
export type EngineName = (typeof engineNames)[number]

export type AlgorithmHome = CacheHome | EngineName

export function isEngine(home: AlgorithmHome): home is EngineName {
  return (engineNames as readonly string[]).includes(home)
}
