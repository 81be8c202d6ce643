/**
 * What Redis does for a lock, each in one step. The lock's key holds its record, for the time of its lease. Its version is the SHA-1 of
 * that value: so also what somebody else has put there has one.
 *
 * Who waits stands in a sorted set by the order of coming. Whoever releases gives the first one its turn: a message, and a moment until
 * which nobody else is given the lock. Who is not connected any more is passed over, and so is who lets the moment go by.
 *
 * One hash for all locks has the last fence, and which process of Redis it was that the leases were given by. A process that finds
 * another's name there, or none, may have forgotten leases: it began just now, or has taken over, or was flushed.
 */
import { createHash } from 'node:crypto'

/** `run`: the process (INFO's run_id), `since`: its first lock in Unix milliseconds, `fence`: the last one given. */
export const SERVER_KEY = 'latchkey:lock-server'
const QUEUE_PREFIX = 'latchkey:queue:'
/** Begins the name of the channel on which a driver is told of its turns. */
export const CHANNEL_PREFIX = 'latchkey:turn:'

/** Who has its turn and does not take it is passed over after so long. */
const TURN_MS = 1000
/** A queue that nobody has looked at for so long is forgotten: all ask again far more often. */
const QUEUE_LIFE_MS = 60_000

/** Where those who wait for this lock stand. */
export function queueOf(key: string): string {
  return QUEUE_PREFIX + key
}

export interface Script {
  readonly text: string
  /** What Redis knows it by. */
  readonly sha: string
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

/**
 * `micros` and `now`: Redis' clock in microseconds and milliseconds. `first` tells who has the turn in a queue, and gives it to the next
 * who is there; nil for nobody. A turn is written as a negative score, which comes before all that wait.
 */
const TURNS = `
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = math.floor(micros / 1000)
local function first(lock, queue, me)
  while true do
    local head = redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')
    local member, score = head[1], tonumber(head[2])
    if not member or member == me then return member end
    if score < 0 and now < -score then return member end
    if score >= 0 then
      local owner, channel = string.match(member, '^(%S+) (%S+)$')
      redis.call('ZADD', queue, string.format('%.0f', -(now + ${TURN_MS})), member)
      local heard = redis.pcall('PUBLISH', channel, owner .. ' ' .. lock)
      if type(heard) ~= 'number' or heard > 0 then return member end
    end
    redis.call('ZREM', queue, member)
  end
end
`

/**
 * KEYS: lock, queue, server. ARGV: the record, in which a fence of 0 is replaced; its life in ms; for how long a process that is new has no
 * vote, in ms; the member of the queue, or nothing for who does not wait.
 * Answers `held`, record, version | `busy`, record, version, ms left, waiting, place | `new`, ms left.
 */
export const CLAIM = script(`${TURNS}
local record, me = ARGV[1], ARGV[4]
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local server = redis.call('HMGET', KEYS[3], 'run', 'since', 'fence')
local since = tonumber(server[2])
if server[1] ~= run or not since or since > now then
  since = now
  redis.call('HSET', KEYS[3], 'run', run, 'since', string.format('%.0f', now))
end
local grace = since + tonumber(ARGV[3]) - now
if grace > 0 then return {'new', grace} end

local value = redis.call('GET', KEYS[1])
if not value then
  local turn = first(KEYS[1], KEYS[2], me)
  if not turn or turn == me then
    if string.find(record, '"f":"0"', 1, true) then
      local last = tonumber(server[3] or 0)
      if not last then return redis.error_reply('ERR the last fence is no number') end
      local fence = string.format('%.0f', math.max(micros, last + 1))
      redis.call('HSET', KEYS[3], 'fence', fence)
      record = string.gsub(record, '"f":"0"', '"f":"' .. fence .. '"', 1)
    end
    redis.call('SET', KEYS[1], record, 'PX', ARGV[2])
    if turn then redis.call('ZREM', KEYS[2], me) end
    return {'held', record, redis.sha1hex(record)}
  end
end
local place = 0
if me ~= '' then
  local score = tonumber(redis.call('ZSCORE', KEYS[2], me))
  if not score then
    local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')
    redis.call('ZADD', KEYS[2], string.format('%.0f', math.max(micros, (tonumber(last[2]) or 0) + 1)), me)
  elseif score < 0 then
    redis.call('ZADD', KEYS[2], 0, me)
  end
  redis.call('PEXPIRE', KEYS[2], ${QUEUE_LIFE_MS})
  place = redis.call('ZRANK', KEYS[2], me)
end
value = value or ''
return {'busy', value, redis.sha1hex(value), redis.call('PTTL', KEYS[1]), redis.call('ZCARD', KEYS[2]), place}
`)

/**
 * KEYS: lock. ARGV: version, new record, its life in ms. Answers the new version, or nothing. PEXPIRE comes first because it needs no
 * memory: a script that has written is not refused a SET for want of it, so that a full Redis takes no lock away.
 */
export const EXTEND = script(`
local value = redis.call('GET', KEYS[1])
if not value or redis.sha1hex(value) ~= ARGV[1] then return false end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return redis.sha1hex(ARGV[2])
`)

/** KEYS: lock, queue. ARGV: version. Answers 1 if it was there and is not any more. */
export const RELEASE = script(`${TURNS}
local value = redis.call('GET', KEYS[1])
if not value or redis.sha1hex(value) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
first(KEYS[1], KEYS[2], '')
return 1
`)

/** KEYS: lock, queue. ARGV: the member that waits no more. If it had the turn, the next one has it. */
export const LEAVE = script(`${TURNS}
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 0 then first(KEYS[1], KEYS[2], '') end
return 1
`)

/** KEYS: lock, queue. Answers record, version, ms left, waiting; nothing where there is no lock. */
export const FIND = script(`
local value = redis.call('GET', KEYS[1])
if not value then return false end
return {value, redis.sha1hex(value), redis.call('PTTL', KEYS[1]), redis.call('ZCARD', KEYS[2])}
`)

/** KEYS: register. Answers value, version; nothing where there is none. */
export const READ = script(`
local value = redis.call('GET', KEYS[1])
return value and {value, redis.sha1hex(value)}
`)

/** KEYS: register. ARGV: version before, or nothing for none; new value, its life in ms. Answers the new version, or nothing. */
export const SWAP = script(`
local value = redis.call('GET', KEYS[1])
if (value and redis.sha1hex(value) or '') ~= ARGV[1] then return false end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return redis.sha1hex(ARGV[2])
`)
