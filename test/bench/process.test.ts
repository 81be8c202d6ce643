import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { processCpuNs } from '../../bench/support/cpu.js'
import { mebibyte, residentBytes } from '../../bench/support/memory.js'
import { outputMatching, startPinned, stop } from '../../bench/support/process.js'

const skip = existsSync('/proc/self/schedstat') ? false : 'needs /proc/PID/schedstat (Linux)'

test('CPU time of a process counts all of its threads', { skip }, async () => {
  const spin = `
    const { parentPort } = require('node:worker_threads')
    const before = process.cpuUsage()
    while (process.cpuUsage(before).user < 200_000);
    parentPort.postMessage('done')
    setInterval(() => {}, 1000)`
  const before = processCpuNs(process.pid)
  const worker = new Worker(spin, { eval: true })
  await once(worker, 'message')
  const usedNs = processCpuNs(process.pid) - before
  await worker.terminate()
  // The worker has seen this process use 200 ms of user time. Its own counter is a little coarser than the scheduler's.
  assert.ok(usedNs > 150_000_000, `${usedNs} ns`)
})

test('resident memory grows with what is touched', { skip }, () => {
  const before = residentBytes(process.pid)
  const block = Buffer.alloc(64 * mebibyte, 1)
  assert.ok(residentBytes(process.pid) - before > 48 * mebibyte)
  assert.equal(block[0], 1)
})

test('a started program is awaited by what it says, and stopped', async () => {
  const child = startPinned(undefined, [process.execPath, '-e', 'console.log("port 123"); setInterval(() => {}, 1000)'])
  const [, port] = await outputMatching(child, /port (\d+)/)
  assert.equal(port, '123')
  await stop(child)
  assert.equal(child.signalCode, 'SIGTERM')
})

test('a program that ends without saying it is an error that quotes what it said', async () => {
  const child = startPinned(undefined, [
    process.execPath,
    '-e',
    'console.error("address in use"); process.exitCode = 71',
  ])
  await assert.rejects(outputMatching(child, /never/), /ended with 71\naddress in use/)
})
