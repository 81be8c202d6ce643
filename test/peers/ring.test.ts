/** The real libmemcached, through PHP, puts every key on the server that our ring puts it on. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { type Address, parseServers } from '#dist/client/address.js'
import { type Distribution, Ring } from '#dist/client/ring.js'
import { ringCases, ringKeys } from '../client/ring-cases.js'
import { goldenPicks } from '../client/ring-golden.js'
import { requireWorking } from '../support/peers.js'

const keys = ringKeys(10_000)

const script = `
  ['weighted' => $weighted, 'servers' => $servers, 'keys' => $keys] = json_decode(stream_get_contents(STDIN), true);
  $client = new Memcached();
  if ($weighted) $client->setOption(Memcached::OPT_LIBKETAMA_COMPATIBLE, true);
  else $client->setOption(Memcached::OPT_DISTRIBUTION, Memcached::DISTRIBUTION_CONSISTENT);
  foreach ($servers as [$host, $port, $weight]) $client->addServer($host, $port, $weight);
  foreach ($client->getServerList() as $i => $server) $index["$server[host] $server[port]"] = $i;
  foreach ($keys as $key) {
    $server = $client->getServerByKey($key);
    $picks[] = $server === false ? null : $index["$server[host] $server[port]"];
  }
  echo json_encode($picks);
`

for (const distribution of ['ketama-weighted', 'ketama'] as const)
  for (const [name, servers] of Object.entries(ringCases))
    test(`${distribution}: ${name}`, (t) => {
      const loaded = "exit(extension_loaded('memcached') ? 0 : 1);"
      if (!requireWorking(t, 'php', ['-r', loaded], 'apt install php-cli php-memcached')) return
      const addresses = parseServers(servers)
      const theirs = picksOfPhp(distribution, addresses)
      const ring = new Ring(addresses, distribution)
      assert.deepEqual(
        keys.map((key) => ring.pick(key)),
        theirs,
      )
      const golden = goldenPicks[distribution][name]
      assert.equal(
        golden,
        theirs
          .slice(0, golden.length)
          .map((pick) => pick.toString(36))
          .join(''),
      )
    })

function picksOfPhp(distribution: Distribution, addresses: readonly Address[]): number[] {
  const servers = addresses.map((at) => ('path' in at ? [at.path, 0, at.weight] : [at.host, at.port, at.weight]))
  const input = JSON.stringify({ weighted: distribution === 'ketama-weighted', servers, keys })
  return JSON.parse(execFileSync('php', ['-r', script], { input, encoding: 'utf8', maxBuffer: 2 ** 24 }))
}
