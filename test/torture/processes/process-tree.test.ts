/** A process and its children are stopped, woken and killed together. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { childrenOf, hasEnded, signalTree } from '#dist/torture/processes/process-tree.js'
import { eventually } from '../../support/eventually.js'

const stateOf = (pid: number) => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1]

test('all of them, and nobody is left', async () => {
  const { pid } = spawn('/bin/sh', ['-c', 'sleep 600 & sleep 600; :'], { stdio: 'ignore' })
  await eventually('it has children', async () => childrenOf(pid!).length === 2)
  const all = [pid!, ...childrenOf(pid!)]
  assert.deepEqual(signalTree(pid!, 'SIGSTOP'), all)
  await eventually('all are stopped', async () => all.every((each) => stateOf(each) === 'T'))
  signalTree(pid!, 'SIGCONT')
  await eventually('all go on', async () => all.every((each) => stateOf(each) === 'S'))
  assert.deepEqual(all.map(hasEnded), [false, false, false])
  signalTree(pid!, 'SIGSTOP')
  assert.deepEqual(signalTree(pid!, 'SIGKILL'), all)
  await eventually('all have ended', async () => all.every(hasEnded))
  assert.deepEqual(signalTree(pid!, 'SIGKILL'), [pid], 'and to nobody there is nothing to do')
})
