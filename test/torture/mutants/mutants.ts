// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of programs
/** One or more for each rule. Where a rule stands in several places, each is taken out by itself: one of them is enough to break it. */
import type { Mutant } from './mutant.js'

export const mutants: readonly Mutant[] = [
  {
    rule: 1,
    name: 'from-the-reply',
    what: 'the lease counts from the reply, not from before the request',
    file: 'locks/drivers/memcached/latchkey.js',
    find: 'leaseOf(claim, cas, from);\n    });',
    replace: 'leaseOf(claim, cas, line.call.clock.now());\n    });',
    under: [
      { algorithm: 'latchkey-lease', fault: 'pause' },
      { algorithm: 'latchkey-lease', fault: 'delay' },
      { algorithm: 'latchkey-lease', fault: 'server-pause' },
    ],
  },
  {
    rule: 1,
    name: 'no-granularity',
    what: 'memcached’s whole seconds are not kept off, nor a second added to what it is told',
    file: 'locks/drivers/memcached/stock.js',
    find: 'return Math.ceil(ttlMs / 1000) + SKIPPED_S;',
    replace: 'return Math.floor(ttlMs / 1000) - 1;',
    under: [
      { algorithm: 'memcached-fenced', fault: 'partition' },
      { algorithm: 'memcached-fenced', fault: 'suspend' },
      { algorithm: 'memcached-lease', fault: 'pause' },
    ],
  },
  {
    rule: 1,
    name: 'no-drift',
    what: 'nothing is kept off a lease for clocks that run at another pace',
    file: 'locks/belief.js',
    find: 'const DRIFT = 1 / 1000;',
    replace: 'const DRIFT = 0;',
    under: [
      { algorithm: 'latchkey-fenced', fault: 'suspend' },
      { algorithm: 'latchkey-fenced', fault: 'pause' },
    ],
  },
  {
    rule: 2,
    name: 'monotonic-only',
    what: 'time is monotonic time alone, which stands still while a machine sleeps',
    file: 'locks/clock.js',
    find: 'if (wonMs > 0)\n            this.#addedMs += wonMs;',
    replace: '',
    under: [
      { algorithm: 'latchkey-fenced', fault: 'suspend' },
      { algorithm: 'memcached-fenced', fault: 'suspend' },
    ],
  },
  {
    rule: 3,
    name: 'one-owner',
    what: 'the owner token is drawn once, not for each acquisition',
    file: 'locks/attempt.js',
    find: 'owner: environment.owner(),',
    replace: 'owner: (environment.once ??= environment.owner()),',
    under: [
      { algorithm: 'latchkey-fenced', fault: 'lost-reply' },
      { algorithm: 'latchkey-fenced', fault: 'delay' },
      { algorithm: 'latchkey-fenced', fault: 'abort' },
      { algorithm: 'memcached-fenced', fault: 'delay' },
    ],
  },
  {
    rule: 4,
    name: 'plain-delete',
    what: 'release deletes without comparing',
    file: 'locks/drivers/memcached/latchkey.js',
    find: "line.client.meta('md', key, [`C${version}`], undefined, changing(line))",
    replace: "line.client.meta('md', key, [], undefined, changing(line))",
    under: [
      { algorithm: 'latchkey-fenced', fault: 'delay' },
      { algorithm: 'latchkey-fenced', fault: 'lost-reply' },
      { algorithm: 'latchkey-fenced', fault: 'server-pause' },
    ],
  },
  {
    rule: 4,
    name: 'plain-set',
    what: 'extend sets without comparing',
    file: 'locks/drivers/memcached/latchkey.js',
    find: 'const flags = [`C${version}`, `p${lifeMs(ttlMs)}`',
    replace: 'const flags = [`p${lifeMs(ttlMs)}`',
    under: [
      { algorithm: 'latchkey-fenced', fault: 'delay' },
      { algorithm: 'latchkey-fenced', fault: 'foreign' },
      { algorithm: 'latchkey-fenced', fault: 'pause' },
    ],
  },
  {
    rule: 5,
    name: 'extend-takes-again',
    what: 'an extension that finds the lock gone takes it again',
    file: 'locks/extension.js',
    find: "return inDoubt ? { status: 'failed', lease: current, inDoubt, error: undefined } : { status: 'gone' };",
    replace: `const again = await driver.claim({ ...current, ttlMs, waitMs: 0 }, callOf(site, undefined, mostMs));
        return again.status === 'held' ? { status: 'extended', lease: { ...again.lease, fence: lease.fence } } : { status: 'gone' };`,
    under: [
      { algorithm: 'memcached-fenced', fault: 'flush' },
      { algorithm: 'latchkey-fenced', fault: 'foreign' },
      { algorithm: 'memcached-fenced', fault: 'evict' },
    ],
  },
  {
    rule: 6,
    name: 'believed-as-found',
    what: 'a claim whose reply was lost is believed as soon as it is found, from that moment on',
    file: 'locks/confirm.js',
    find: 'const lease = await site.driver.extend(leaseOf(found, claim), claim.ttlMs, call());',
    replace: 'const lease = { ...leaseOf(found, claim), from: clock.now() };',
    under: [
      { algorithm: 'latchkey-lease', fault: 'lost-reply' },
      { algorithm: 'latchkey-lease', fault: 'delay' },
      { algorithm: 'latchkey-lease', fault: 'partition' },
    ],
  },
  {
    rule: 6,
    name: 'not-taken-away',
    what: 'what a lost reply may have left is not taken away',
    file: 'locks/attempt.js',
    find: '            if (this.#mayHaveLeft)\n                this.#sweep();',
    replace: '',
    under: [
      { algorithm: 'latchkey-fenced', fault: 'lost-reply' },
      { algorithm: 'latchkey-fenced', fault: 'delay' },
      { algorithm: 'memcached-fenced', fault: 'lost-reply' },
    ],
  },
  {
    rule: 7,
    name: 'release-overtakes',
    what: 'a release does not wait for the renewal in flight',
    file: 'locks/lease-keeper.js',
    find: 'const result = this.#queue === undefined ? operation() : this.#queue.then(operation);',
    replace: 'const result = operation();',
    under: [
      { algorithm: 'latchkey-fenced', fault: 'overrun' },
      { algorithm: 'memcached-fenced', fault: 'overrun' },
    ],
  },
  {
    rule: 8,
    name: 'counters-from-one',
    what: 'a fence counter that is missing starts at 1',
    file: 'locks/drivers/memcached/fences.js',
    find: 'this.#begin(counter, firstOf(standing, cas), line)',
    replace: 'this.#begin(counter, 1n, line)',
    under: [
      { algorithm: 'memcached-fenced', fault: 'flush' },
      { algorithm: 'memcached-fenced', fault: 'restart' },
    ],
  },
  {
    rule: 8,
    name: 'drawn-before',
    what: 'the fence is drawn before the lock is taken, not by who has it',
    file: 'locks/drivers/memcached/stock.js',
    find: 'const fence = await this.#drawOrLeave(key, cas, standing, line);',
    replace: 'const fence = early;',
    also: {
      find: "const fenced = guarantee === 'fenced';",
      replace: `const fenced = guarantee === 'fenced';
        const early = await this.#fences.draw(key, 1n, standing, line);`,
    },
    under: [
      { algorithm: 'memcached-fenced', fault: 'delay' },
      { algorithm: 'memcached-fenced', fault: 'boundary' },
      { algorithm: 'memcached-fenced', fault: 'pause' },
    ],
  },
  {
    rule: 9,
    name: 'next-server',
    what: 'when the server of a lock cannot be reached, another is asked',
    file: 'locks/drivers/memcached.js',
    find: 'const line = this.#lines.now(claim.key, call) ?? (await this.#lines.get(claim.key, call));\n        if (!this.#standings.hasVote',
    replace: `let line = this.#lines.now(claim.key, call);
        for (let next = 0; line === undefined && next < 9; next++) {
            line = await this.#lines.get(next === 0 ? claim.key : claim.key + next, call).catch(() => undefined);
        }
        line ??= await this.#lines.get(claim.key, call);
        if (!this.#standings.hasVote`,
    under: [
      { algorithm: 'memcached-fenced', fault: 'blip' },
      { algorithm: 'memcached-lease', fault: 'blip' },
    ],
  },
  {
    rule: 10,
    name: 'fresh-servers-vote',
    what: 'a server that has just restarted is asked for locks',
    file: 'locks/drivers/memcached/standing.js',
    find: 'return this.#rules.maxLeaseMs + UPTIME_GRANULARITY_MS - uptimeMs;',
    replace: 'return 0;',
    under: [
      { algorithm: 'memcached-fenced', fault: 'restart' },
      { algorithm: 'memcached-lease', fault: 'restart' },
    ],
  },
  {
    rule: 11,
    name: 'evicts-and-does-not-say',
    what: 'explain() has every lock survive a full server',
    file: 'locks/explain.js',
    find: "facts.evicts === undefined ? 'unknown' : facts.evicts ? orFenced : 'survived'",
    replace: "'survived'",
    under: 'what explain() says',
  },
  {
    rule: 12,
    name: 'asks-again-and-again',
    what: 'on Latchkey, too, who waits asks again and again',
    file: 'locks/drivers/memcached.js',
    find: 'claim.waitMs < 1 || !speaksLatchkey(line.session)',
    replace: 'true',
    under: [{ algorithm: 'latchkey-fenced', fault: 'none' }],
  },
  {
    rule: 12,
    name: 'sleeps-past-the-end',
    what: 'who polls sleeps for seconds, whatever is left of the holder’s lease',
    file: 'locks/acquire.js',
    find: 'return Math.min(this.#nextPoll(), Math.max(1, result.found?.leftMs ?? POLL_MOST_MS));',
    replace: 'return 3000;',
    under: [{ algorithm: 'memcached-fenced', fault: 'none' }],
  },
  {
    rule: 13,
    name: 'renewed-at-the-end',
    what: 'a lease is renewed when it is nearly over, not after a third',
    file: 'locks/lease-keeper.js',
    find: 'Math.min(ttlMs / 3, (validUntil - lease.from) / 2)',
    replace: '(validUntil - lease.from)',
    under: [
      { algorithm: 'latchkey-fenced', fault: 'overrun' },
      { algorithm: 'memcached-fenced', fault: 'overrun' },
    ],
  },
]
