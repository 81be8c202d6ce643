/** The store's two levels as subjects: the byte-level table that the server drives, and the public class. */
import { Bytes, type ItemView, readOptions, Store, type StoreHandle, Table, writeOptions } from 'latchkey/store'
import { keyBlock, keyBytes, keyCount, keyText, type Subject, sampleValue, valueBytes } from './subject.js'

/** Room for all keys several times over: eviction is not what is measured here. */
export function createStore(): Store {
  return new Store({ memory: '64mb' })
}

export function tableSubject(handle: StoreHandle): Subject {
  const table = Table.attach(handle)
  const key = table.newKey()
  const keys = new Bytes(keyBlock())
  const value = new Bytes(sampleValue())
  const out = Bytes.allocate(valueBytes)
  const reading = readOptions()
  const writing = writeOptions()
  let operations = 0
  /** A server looks at the clock once a batch, so this does as often. */
  const tickAtTimes = () => {
    if ((++operations & 15) === 0) table.tick()
  }
  const reader = {
    length: 0,
    item(view: ItemView) {
      this.length = view.valueLength
      view.copyValue(out, 0)
    },
  }
  return {
    get(item) {
      tickAtTimes()
      key.setBytes(keys, item * keyBytes, keyBytes)
      reader.length = 0
      table.read(key, reading, reader)
      return reader.length
    },
    set(item) {
      tickAtTimes()
      key.setBytes(keys, item * keyBytes, keyBytes)
      table.write(key, value, 0, valueBytes, writing)
    },
  }
}

export function storeSubject(handle: StoreHandle, keysAs: 'bytes' | 'strings'): Subject {
  const store = Store.attach(handle)
  const block = keyBlock()
  const keys = Array.from({ length: keyCount }, (_, item) =>
    keysAs === 'strings' ? keyText(item) : block.subarray(item * keyBytes, (item + 1) * keyBytes),
  )
  const value = sampleValue()
  return {
    get: (item) => store.get(keys[item])?.length ?? 0,
    set: (item) => void store.set(keys[item], value),
  }
}
