export type ValueKind = 'bytes' | 'text'
export type Value = string | Uint8Array

export interface Setting {
  values: ValueKind
  /** Connections that the client may open. */
  connections: number
}

/**
 * A client under measurement. Calls give their client's own reply, in the client's own promise where it has one, and a
 * second function finds in it what is checked: an adapter adds no promise of its own to what is measured.
 */
export interface Subject {
  get(key: string): Promise<unknown>
  valueOf(reply: unknown): Value | null | undefined
  set(key: string, value: Value): Promise<unknown>
  stored(reply: unknown): boolean
  getMany(keys: string[]): Promise<unknown>
  valueIn(reply: unknown, key: string): Value | null | undefined
}

export type OpenSubject = (port: number, setting: Setting) => Promise<Subject>
