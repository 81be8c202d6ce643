/** Lists of servers and keys on which our ring and libmemcached's are compared. */
import type { Server } from '#dist/client/types.js'

const hosts = (count: number, server: (i: number) => Server): Server[] =>
  Array.from({ length: count }, (_, i) => server(i))

/** Kinds of keys in turn: short, Cyrillic, of every length up to 250, beyond the basic plane, and right on a point. */
export function ringKeys(count: number): string[] {
  const kinds: ((i: number) => string)[] = [
    (i) => `user:${i}`,
    (i) => `ключ-${i}-日本`,
    (i) => `${i}:`.padEnd(i % 251, 'xyz'),
    (i) => `é😀/${i * 7919}`,
    (i) => `10.0.0.${1 + (i % 12)}-${i % 40}`,
  ]
  return Array.from({ length: count }, (_, i) => kinds[i % kinds.length](i))
}

export const ringCases: Readonly<Record<string, readonly Server[]>> = {
  ...Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((n) => [`${n} equal`, hosts(n, (i) => `10.0.0.${i + 1}`)]),
  ),
  // Here single precision gives each server a point fewer than its share.
  '25 equal': hosts(25, (i) => `cache${i}.example.org`),
  'other ports': hosts(8, (i) => `10.0.0.1:${11_209 + i}`),
  weights: hosts(12, (i) => ({ host: `10.0.0.${i + 1}`, port: 11_211 + (i % 3), weight: 1 + ((i * i * 7) % 13) })),
  'weights far apart': [{ host: 'a' }, { host: 'b', weight: 100 }, { host: 'c', weight: 1000 }],
  'weights beyond single precision': [
    { host: 'a', weight: 2 ** 24 + 1 },
    { host: 'b', weight: 3 },
    { host: 'c', weight: 33_333_333 },
  ],
  sockets: ['/run/memcached/a.sock', '/run/memcached/b.sock', { path: '/run/memcached/c.sock', weight: 5 }],
  'a socket and hosts': ['/run/memcached/a.sock', 'localhost', 'localhost:11212'],
  IPv6: ['::1', '[::1]:11212', 'fe80::1'],
  // h521 and h543 share a point by MD5, h1142 and h5361 nearly all by one-at-a-time.
  'shared points': ['h521', 'h543', 'h1142', 'h5361'],
  'shared points, turned round': ['h5361', 'h1142', 'h543', 'h521'],
}
