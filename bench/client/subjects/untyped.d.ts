/** As much as is used here, and in test/peers, of the two peers that bring no types. */

declare module 'memjs' {
  type Call = [key: string, value: string | Uint8Array, options: { expires?: number }]
  type Counted = Promise<{ success: boolean; value: number }>
  type Fields = Record<string, string>
  export interface Client {
    get(key: string): Promise<{ value: Buffer | null; flags: Buffer | null }>
    set(...call: Call): Promise<boolean>
    add(...call: Call): Promise<boolean>
    replace(...call: Call): Promise<boolean>
    append(key: string, value: string): Promise<boolean>
    prepend(key: string, value: string): Promise<boolean>
    delete(key: string): Promise<boolean>
    touch(key: string, expires: number): Promise<boolean>
    increment(key: string, by: number, options?: { initial?: number; expires?: number }): Counted
    decrement(key: string, by: number, options: { initial?: number; expires?: number }): Counted
    flush(): Promise<Record<string, boolean>>
    stats(callback: (error: Error | null, server: string, stats: Fields) => void): void
    quit(): void
    close(): void
  }
  interface Options {
    timeout: number
    username?: string
    password?: string
    retries?: number
    failover?: boolean
    failoverTime?: number
    logger?: { log(...words: unknown[]): void }
  }
  const memjs: { Client: { create(servers: string, options: Options): Client } }
  export default memjs
}

declare module 'memcached' {
  type Callback<Reply> = (error: Error | undefined, reply: Reply) => void
  type Store = (key: string, value: unknown, lifetimeSeconds: number, callback: Callback<boolean>) => void
  type Count = (key: string, by: number, callback: Callback<number | boolean>) => void
  type AskAll = (callback: Callback<never[]>) => void
  interface Options {
    poolSize?: number
    idle?: number
    timeout?: number
    maxValue?: number
    namespace?: string
    retries?: number
    minTimeout?: number
    failures?: number
    retry?: number
    remove?: boolean
  }
  export default class Memcached {
    constructor(servers: string | string[], options: Options)
    get(key: string, callback: Callback<string | undefined>): void
    gets(key: string, callback: Callback<Record<string, string>>): void
    getMulti(keys: string[], callback: Callback<Record<string, string>>): void
    set: Store
    add: Store
    replace: Store
    cas(key: string, value: unknown, token: string, lifetimeSeconds: number, callback: Callback<boolean>): void
    append(key: string, value: unknown, callback: Callback<boolean>): void
    prepend(key: string, value: unknown, callback: Callback<boolean>): void
    del(key: string, callback: Callback<boolean>): void
    touch(key: string, lifetimeSeconds: number, callback: Callback<boolean>): void
    incr: Count
    decr: Count
    stats: AskAll
    settings: AskAll
    items: AskAll
    slabs: AskAll
    version: AskAll
    cachedump(server: string, slab: number, most: number, callback: Callback<never[]>): void
    flush: AskAll
    end(): void
  }
}
