import { Redis } from 'ioredis'

/** One connection on its default settings, open. */
export async function connectRedis(port: number): Promise<Redis> {
  const redis = new Redis(port, '127.0.0.1')
  await redis.ping()
  return redis
}
