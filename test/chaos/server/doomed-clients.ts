/** Clients in a process of their own, which is killed while they talk. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Wire } from '../../support/wire.js'

const [host = '', port, count] = process.argv.slice(2)
const key = 'doomed'
const request = `set ${key} 0 0 9\r\n${key}#xx\r\nget ${key}\r\n`

async function talk(): Promise<void> {
  for (;;) {
    const wire = await Wire.open({ host, port: Number(port) }).catch(() => undefined)
    while (wire !== undefined && !wire.closed) {
      await wire.send(request.repeat(20))
      await sleep(40)
    }
    await sleep(20)
  }
}

for (let i = 0; i < Number(count); i++) void talk()
process.once('disconnect', () => process.exit(1))
