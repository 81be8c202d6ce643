/**
 * The server against noise and against transcripts with faults in them: it must not die, not hang, and never answer one
 * request with the reply to another. LATCHKEY_FUZZ_SEED plays a run again, LATCHKEY_FUZZ_FRAMES makes it longer.
 */
import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type ServerProcess, startLatchkey } from '../support/process.js'
import { chosenSeed } from '../support/seed.js'
import { tlsArgs } from '../support/tls.js'
import { corpus } from './corpus.js'
import { Random } from './random.js'
import { framesPerRound, honest, playRound } from './round.js'

const frameCount = Number(process.env.LATCHKEY_FUZZ_FRAMES ?? 6000)

test(`fuzz: ${frameCount} frames`, (t) => fuzz(t, frameCount, []))

test('fuzz: frames over TLS', (t) => fuzz(t, Math.ceil(frameCount / 10), tlsArgs))

async function fuzz(t: TestContext, count: number, args: readonly string[]): Promise<void> {
  const seed = chosenSeed()
  t.diagnostic(`LATCHKEY_FUZZ_SEED=${seed} LATCHKEY_FUZZ_FRAMES=${frameCount}`)
  const frames = corpus()
  assert.ok(frames.length > 300, `a corpus of ${frames.length}`)
  const server = await startLatchkey({ threads: 2, memoryMb: 64, args: [...args] })
  try {
    for (let round = 0; round * framesPerRound < count; round++) {
      // A generator a round: a round's frames do not hang on how the ones before were scheduled.
      const random = new Random(seed + round * 7919)
      await playRound(server, frames, random, `${round}`).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error)
        throw new Error(`LATCHKEY_FUZZ_SEED=${seed}, round ${round}: ${why}`)
      })
    }
  } finally {
    await server.stop()
  }
}

test('the fuzzer sees a reply that is not to its request', async () => {
  const sockets: Socket[] = []
  const wrong = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', () => socket.write('HD kanother Oanother\r\n'))
  })
  await new Promise<void>((resolve) => wrong.listen(0, '127.0.0.1', resolve))
  const { port } = wrong.address() as { port: number }
  const server: ServerProcess = {
    name: 'a server that mixes up its replies',
    host: '127.0.0.1',
    port,
    pid: process.pid,
    alive: () => true,
    stderr: () => '',
    ended: Promise.resolve(0),
    stop: () => Promise.resolve(0),
  }
  try {
    await assert.rejects(honest(server, new Random(1), 'x'), /another/)
  } finally {
    wrong.close()
    for (const socket of sockets) socket.destroy()
  }
})
