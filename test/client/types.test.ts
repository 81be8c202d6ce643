/** What the compiler knows of values comes from the codec. The test is that this file compiles; it sends nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytes, type Client, createClient, json, type Key, type Versioned } from 'latchkey/client'

interface User {
  name: string
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_: Same<A, B>): void {}

test('values have the type of the codec', async () => {
  const texts = createClient()
  const users = createClient({ codec: json<User>() })
  const blobs = texts.with({ codec: bytes() })

  same<typeof texts, Client<string>>(true)
  same<typeof users, Client<User>>(true)
  same<typeof blobs, Client<Uint8Array>>(true)
  same<ReturnType<typeof users.get>, Promise<User | undefined>>(true)
  same<ReturnType<typeof users.gets>, Promise<Versioned<User> | undefined>>(true)
  same<ReturnType<typeof texts.incr>, Promise<bigint | undefined>>(true)
  const many = () => users.getMany(['a', 'b'])
  same<ReturnType<typeof many>, Promise<Map<string, User>>>(true)
  const mixed = (keys: Key[]) => users.getMany(keys)
  same<ReturnType<typeof mixed>, Promise<Map<Key, User>>>(true)
  const sure = () => users.update('a', (user) => ({ name: user?.name ?? '' }))
  same<ReturnType<typeof sure>, Promise<User>>(true)
  const maybe = () => users.update('a', (user) => user)
  same<ReturnType<typeof maybe>, Promise<User | undefined>>(true)

  const wrong = () => {
    // @ts-expect-error a number is no string
    void texts.set('a', 5)
    // @ts-expect-error a user has a name
    void users.set('a', {})
    // @ts-expect-error cas knows no noreply
    void texts.cas('a', 'b', 1n, { noreply: true })
    // @ts-expect-error counters know no policy
    void texts.incr('a', 1, { policy: 'miss' })
    // @ts-expect-error tokens are bigint
    void texts.cas('a', 'b', 1)
    // @ts-expect-error there is no such option
    createClient({ timeout: 5 })
  }
  assert.equal(typeof wrong, 'function')
  await Promise.all([texts.close(), users.close()])
})
