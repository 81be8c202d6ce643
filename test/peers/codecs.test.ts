/** Values of other languages' clients, written there and read by our codecs, and the other way round. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { after, before, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import type { Encoded } from '#dist/client/codec.js'
import { json, php, pymemcache, text } from '#dist/client/codecs/index.js'
import { requirePeer, requireWorking } from '../support/peers.js'
import { type ServerProcess, startMemcached } from '../support/process.js'
import { Wire } from '../support/wire.js'

const memcached = '/usr/bin/memcached'
const run = promisify(execFile)
let server: ServerProcess | undefined
let wire: Wire | undefined

before(async () => {
  if (!existsSync(memcached)) return
  server = await startMemcached()
  wire = await Wire.open(server)
})

after(async () => {
  wire?.close()
  await server?.stop()
})

/** A value in the other language's own words, and what it is here. */
type Pair = [theirs: string, ours: unknown]

const pythonPairs: Pair[] = [
  ['"text"', 'text'],
  ['"ключ 日本 \\U0001f600"', 'ключ 日本 😀'],
  ['""', ''],
  ['b"\\x00\\xff\\r\\n"', Buffer.from([0, 255, 13, 10])],
  ['b""', Buffer.alloc(0)],
  ['0', 0],
  ['-7', -7],
  ['2**53-1', 2 ** 53 - 1],
  ['2**53', 2n ** 53n],
  ['-2**63', -(2n ** 63n)],
  ['2**200', 2n ** 200n],
]
const pythonPickles = ['1.5', 'None', 'True', '[1]', '{"a": 1}']

const pythonScript = (client: string, set: string) => `
import json, sys
port = int(sys.argv[1])
${client}
for key, theirs in json.load(sys.stdin):
    value = eval(theirs)
    if sys.argv[2] == 'write':
        assert ${set}, key
    else:
        got = client.get(key)
        assert type(got) is type(value) and got == value, (key, got, value)
print('done')
`
const pymemcacheScript = pythonScript(
  'from pymemcache.client.base import Client; from pymemcache import serde\n' +
    "client = Client(('127.0.0.1', port), serde=serde.pickle_serde)",
  'client.set(key, value, noreply=False)',
)
const memcacheScript = pythonScript(
  "import memcache; client = memcache.Client(['127.0.0.1:%d' % port])",
  'client.set(key, value, min_compress_len=100)',
)

for (const [module, script] of [
  ['pymemcache', pymemcacheScript],
  ['memcache', memcacheScript],
]) {
  const python = (pairs: Pair[], mode: 'read' | 'write') =>
    converse('/usr/bin/python3', ['-c', script, `${server!.port}`, mode], pairs)
  const missing = (t: TestContext) =>
    !hasServer(t) || !requireWorking(t, '/usr/bin/python3', ['-c', `import ${module}`], `apt install python3-${module}`)

  test(`pymemcache() reads what Python's ${module} writes`, async (t) => {
    if (missing(t)) return
    const long: Pair[] = [
      ['"hello world " * 400', 'hello world '.repeat(400)],
      ['b"hello world " * 400', Buffer.from('hello world '.repeat(400))],
    ]
    const pairs = [...pythonPairs, ...long]
    await python(pairs, 'write')
    for (const [theirs, ours] of pairs) assert.deepEqual(await read(pymemcache(), keyOf(theirs)), ours, theirs)
    assert.equal((await load(keyOf(long[0][0]))).flags, module === 'memcache' ? 24 : 16, 'compressed, where it can be')
    await python(
      pythonPickles.map((theirs) => [theirs, undefined]),
      'write',
    )
    for (const theirs of pythonPickles)
      await assert.rejects(read(pymemcache(), keyOf(theirs)), { code: 'CODEC', message: /pickle/ }, theirs)
    assert.equal(await read(text(), keyOf('"text"')), 'text')
  })

  test(`Python's ${module} reads what pymemcache() writes`, async (t) => {
    if (missing(t)) return
    for (const [theirs, ours] of pythonPairs) await store(keyOf(theirs), pymemcache().encode(ours as string))
    await python(pythonPairs, 'read')
  })
}

/** 160,000 bytes that repeat after 20,000: farther back than the first level of FastLZ goes. */
const far = Array.from({ length: 625 }, (_, i) => createHash('md5').update(`${i}`).digest('hex'))
  .join('')
  .repeat(8)

const phpPairs: Pair[] = [
  ['"text"', 'text'],
  ['"日本"', '日本'],
  ['""', ''],
  ['"\\x00\\xff\\r\\n"', Buffer.from([0, 255, 13, 10])],
  ['0', 0],
  ['-7', -7],
  ['2**53 - 1', 2 ** 53 - 1],
  ['PHP_INT_MAX', 2n ** 63n - 1n],
  ['PHP_INT_MIN', -(2n ** 63n)],
  ['1.5', 1.5],
  ['0.1', 0.1],
  ['-1e300', -1e300],
  ['5e-324', 5e-324],
  ['1e25', 1e25],
  ['-0.0', -0],
  ['INF', Number.POSITIVE_INFINITY],
  ['-INF', Number.NEGATIVE_INFINITY],
  ['true', true],
  ['false', false],
  ['null', null],
  ['["a" => [1, 2.5, null, "é/"], "b" => true]', { a: [1, 2.5, null, 'é/'], b: true }],
  ['[1, 2]', [1, 2]],
  ['str_repeat("hello world ", 400)', 'hello world '.repeat(400)],
  ['[str_repeat("hello world ", 400)]', ['hello world '.repeat(400)]],
  ['str_repeat("\\xff", 5000)', Buffer.alloc(5000, 0xff)],
  ['str_repeat(implode("", array_map("md5", range(0, 624))), 8)', far],
]

const phpScript = `
  [, $port, $mode, $compression, $serializer] = $argv;
  $client = new Memcached();
  $client->addServer('127.0.0.1', (int) $port);
  $client->setOption(Memcached::OPT_COMPRESSION_TYPE, constant("Memcached::COMPRESSION_$compression"));
  $client->setOption(Memcached::OPT_SERIALIZER, constant("Memcached::SERIALIZER_$serializer"));
  foreach (json_decode(stream_get_contents(STDIN)) as [$key, $theirs]) {
    eval("\\$value = $theirs;");
    if ($mode === 'write') $client->set($key, $value) || die("$theirs: " . $client->getResultMessage());
    else if (($got = $client->get($key)) !== $value || $client->getResultCode()) die("$theirs: " . var_export($got, true));
  }
  echo 'done';
`
const phpMissing = (t: TestContext) =>
  !hasServer(t) ||
  !requireWorking(t, 'php', ['-r', "exit(extension_loaded('memcached') ? 0 : 1);"], 'apt install php-cli php-memcached')
const runPhp = (pairs: Pair[], mode: 'read' | 'write', compression = 'ZLIB', serializer = 'JSON_ARRAY') =>
  converse('php', ['-r', phpScript, '--', `${server!.port}`, mode, compression, serializer], pairs)

for (const [compression, flags] of [
  ['FASTLZ', 80],
  ['ZLIB', 48],
] as const)
  test(`php() reads what PHP writes, with ${compression}`, async (t) => {
    if (phpMissing(t)) return
    await runPhp(phpPairs, 'write', compression)
    for (const [theirs, ours] of phpPairs) assert.deepEqual(await read(php(), keyOf(theirs)), ours, theirs)
    assert.equal((await load(keyOf(phpPairs.at(-1)![0]))).flags, flags)
    await runPhp([['NAN', Number.NaN]], 'write')
    assert.ok(Number.isNaN(await read(php(), keyOf('NAN'))))
  })

for (const serializer of ['PHP', 'IGBINARY', 'MSGPACK'])
  test(`php() refuses what PHP serializes by ${serializer}`, async (t) => {
    if (phpMissing(t)) return
    await runPhp([['[1]', undefined]], 'write', 'ZLIB', serializer)
    await assert.rejects(read(php(), keyOf('[1]')), { code: 'CODEC', message: /serialized by/ })
  })

test('PHP reads what php() and json() write', async (t) => {
  if (phpMissing(t)) return
  for (const [theirs, ours] of phpPairs) await store(keyOf(theirs), php().encode(ours as string))
  assert.equal((await load(keyOf(phpPairs.at(-1)![0]))).flags, 48)
  await runPhp(phpPairs, 'read')
  const array: Pair = ['["a" => [1, "é"]]', { a: [1, 'é'] }]
  await store(keyOf(array[0]), json().encode(array[1]))
  await runPhp([array], 'read')
})

function keyOf(theirs: string): string {
  return createHash('md5').update(theirs).digest('hex')
}

async function read<T>(codec: { decode(data: Buffer, flags: number): T }, key: string): Promise<T> {
  const { data, flags } = await load(key)
  return codec.decode(data, flags)
}

async function store(key: string, { data, flags }: Encoded): Promise<void> {
  const bytes = Buffer.from(data as string)
  await wire!.send(
    Buffer.concat([Buffer.from(`set ${key} ${flags} 0 ${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]),
  )
  await wire!.expect('STORED\r\n')
}

async function load(key: string): Promise<{ data: Buffer; flags: number }> {
  await wire!.send(`get ${key}\r\n`)
  const line = (await wire!.takeLine()).toString()
  const [, flags, length] = /^VALUE \S+ (\d+) (\d+)\r\n$/.exec(line) ?? assert.fail(`${key}: ${line}`)
  const data = await wire!.take(Number(length))
  await wire!.expect('\r\nEND\r\n')
  return { data, flags: Number(flags) }
}

/** The other language's program gets keys and values on stdin, and says `done` after all of them. */
async function converse(command: string, args: string[], pairs: Pair[]): Promise<void> {
  const child = run(command, args, { timeout: 60_000 })
  child.child.stdin!.end(JSON.stringify(pairs.map(([theirs]) => [keyOf(theirs), theirs])))
  const { stdout, stderr } = await child
  assert.equal(stdout.trim(), 'done', stderr)
}

function hasServer(t: TestContext): boolean {
  return requirePeer(t, memcached, 'apt install memcached')
}
