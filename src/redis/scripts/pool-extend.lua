-- Holds on for another ttl, if the permits are still the token's.
-- KEYS     1 pool, see pool.lua
-- ARGV     1 token   2 ttl (ms)   3 ms to keep the keys
-- Returns  1, or 0 if they were lost
-- include queue
-- include pool
local till = redis.call('ZSCORE', holders, ARGV[1])
if not till or tonumber(till) <= now then return 0 end
-- It is in no queue. Having written, the script may add, even to a full memory.
redis.call('ZREM', alive, ARGV[1])
redis.call('ZADD', holders, now + ARGV[2], ARGV[1])
keep(ARGV[3])
return 1
