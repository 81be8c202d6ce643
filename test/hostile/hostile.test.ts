/**
 * Clients that mean harm, over the text and the binary protocol, over TLS and before a password: nothing crashes, nothing is
 * left open, and others are served. `npm run hostile` does the same at full size, and tells the figures.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Figures } from './assault.js'
import { campaign, type Size } from './campaign.js'
import type { DoorKind } from './doors.js'

const small: Size = {
  crowd: 300,
  stayMs: 200,
  comeAndGo: 500,
  passwords: 5000,
  loris: { each: 3, bytes: 10, pauseMs: 20 },
}
/** Over what the server has when it is at rest: much less than the lengths that are announced would take. */
const memoryMaxMiB = 150

for (const kind of ['plain', 'TLS', 'password'] satisfies DoorKind[]) {
  test(`${kind}: nothing crashes, nothing is left open, and others are served`, async (t) => {
    const told: Figures[] = []
    await campaign(kind, small, (figures) => {
      told.push(figures)
      t.diagnostic(`${figures.what}: ${figures.words}`)
    })
    assert.ok(told.length >= 5)
    for (const { what, before, during, service } of told) {
      const grown = during.residentMiB - before.residentMiB
      assert.ok(grown < memoryMaxMiB, `${what}: ${grown} MiB more`)
      assert.ok(service.requests > 0, `${what}: nobody else was there`)
    }
  })
}
