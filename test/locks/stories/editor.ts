/** A thread that adds its lines to a profile, one after the other. */
import { workerData } from 'node:worker_threads'
import { createClient } from 'latchkey/client'
import { untilStored, update } from './recipes/profile.js'

export interface Editing {
  server: string
  key: string
  edit: 'update' | 'untilStored'
  thread: number
  lines: number
}

const { server, key, edit, thread, lines } = workerData as Editing
await using cache = createClient({ servers: server, deadlineMs: 20_000 })
const change = { update, untilStored }[edit]
for (let line = 0; line < lines; line++) await change(cache, key, `${thread}:${line}`, async () => {})
