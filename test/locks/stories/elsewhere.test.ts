/** The locks in PHP and Python that docs/MIGRATING.md gives to those who stay there, as they stand on that page. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { requirePeer, requireWorking } from '../../support/peers.js'
import { startMemcached } from '../../support/process.js'
import { projectRoot } from '../../support/root.js'

interface Language {
  readonly command: string
  readonly works: string[]
  readonly howToGet: string
  /** The file that is run, with the lock of the page at its place, and two clients that take turns. */
  program(lock: string, port: number): string
}

/** Acquired, refused, held, not held, not freed by who has not got it, freed, taken by the other, not freed by the first any more. */
const expected = 'true false true false false true false'

const languages: Record<string, Language> = {
  php: {
    command: '/usr/bin/php',
    works: ['-r', 'exit(extension_loaded("memcached") ? 0 : 1);'],
    howToGet: 'apt install php-cli php-memcached',
    program: (lock, port) => `<?php
${lock}
$cache = new Memcached();
$cache->addServer('127.0.0.1', ${port});
$make = fn() => new CacheLock($cache, 'lock', 30);
[$a, $b, $c] = [$make(), $make(), $make()];
$told = [$a->acquire(), $b->acquire(), $a->isHeld(), $b->isHeld()];
$b->release();
$told[] = $b->acquire();
$a->release();
$told[] = $b->acquire();
$a->release();
$told[] = $c->acquire();
echo implode(' ', array_map(fn($it) => $it ? 'true' : 'false', $told));`,
  },
  python: {
    command: '/usr/bin/python3',
    works: ['-c', 'import pymemcache'],
    howToGet: 'apt install python3-pymemcache',
    program: (lock, port) => `${lock}
from pymemcache.client.base import Client

client = Client(("127.0.0.1", ${port}))
a, b, c = [CacheLock(client, "lock", 30) for _ in range(3)]
told = [a.acquire(), b.acquire(), a.is_held(), b.is_held()]
b.release()
told.append(b.acquire())
a.release()
told.append(b.acquire())
a.release()
told.append(c.acquire())
print(" ".join(str(it).lower() for it in told), end="")`,
  },
}

for (const [name, { command, works, howToGet, program }] of Object.entries(languages)) {
  test(`in ${name}: who does not have it neither holds nor frees it`, async (t) => {
    if (!requirePeer(t, '/usr/bin/memcached', 'apt install memcached')) return
    if (!requireWorking(t, command, works, howToGet)) return
    const page = readFileSync(join(projectRoot, 'docs/MIGRATING.md'), 'utf8')
    const blocks = Array.from(page.matchAll(new RegExp(`\`\`\`${name}\\n(.*?)\`\`\``, 'gs')), ([, code]) => code)
    const lock = blocks.find((code) => code.includes('class CacheLock'))
    assert.ok(lock !== undefined)
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-elsewhere-'))
    const server = await startMemcached()
    try {
      const file = join(folder, 'program')
      writeFileSync(file, program(lock, server.port))
      const { stdout, stderr } = spawnSync(command, [file], { encoding: 'utf8', timeout: 60_000 })
      assert.equal(stdout, expected, stderr)
    } finally {
      await server.stop()
      rmSync(folder, { recursive: true })
    }
  })
}
