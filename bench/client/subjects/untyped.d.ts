/** As much as is used here of the two peers that bring no types. */

declare module 'memjs' {
  export interface Client {
    get(key: string): Promise<{ value: Buffer | null }>
    set(key: string, value: string | Uint8Array, options: { expires: number }): Promise<boolean>
  }
  const memjs: { Client: { create(servers: string, options: { timeout: number }): Client } }
  export default memjs
}

declare module 'memcached' {
  type Callback<Reply> = (error: Error | undefined, reply: Reply) => void
  export default class Memcached {
    constructor(server: string, options: { poolSize: number; idle: number })
    get(key: string, callback: Callback<string | undefined>): void
    set(key: string, value: string | Uint8Array, lifetimeSeconds: number, callback: Callback<boolean>): void
    getMulti(keys: string[], callback: Callback<Record<string, string>>): void
  }
}
