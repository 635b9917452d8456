-- One attempt at permits of a pool. Repeating it with the same token does no harm.
-- KEYS     1 pool, see pool.lua
-- ARGV     1 token   2 ttl (ms)   3 ms to keep the keys   4 1: stand in the queue, 0: do not   5 permits as declared
--          6 owner
-- Returns  { 1, fence of the last who had all permits, 1 if its time ran out }, { 0, ms until another look is worth it,
--          owner or '' }, { 2, declared } if it was declared with other permits, { 3, permits } if there never are enough
-- include queue
-- include pool
local token, ttl = ARGV[1], tonumber(ARGV[2])
if not declared then
  declared = tonumber(ARGV[5])
  permits = permits or declared
  -- No older than any write that the server may have forgotten.
  fence = micros
  redis.call('HSET', pool, 'declared', declared, 'permits', permits, 'fence', string.format('%.0f', fence))
end
if declared ~= tonumber(ARGV[5]) then return { 2, declared } end
drop_expired(token)

local weight = weight_of(token)
local has_all = weight == declared
local function told() return (orphaned == '1' or orphaned == token) and 1 or 0 end

if redis.call('ZSCORE', holders, token) then
  redis.call('ZADD', holders, now + ttl, token)
  keep(ARGV[3])
  return { 1, fence, told() }
end
if weight > permits then return { 3, permits } end

if has_its_turn(token) then
  leave_queue(queue, alive, token)
  used = used + weight
  redis.call('ZADD', holders, now + ttl, token)
  redis.call('HSET', pool, 'used', used)
  local abandoned = told()
  if has_all then
    fence = math.max(fence + 1, micros)
    orphaned = abandoned == 1 and token or ''
    redis.call('HSET', pool, 'fence', string.format('%.0f', fence), 'owner', ARGV[6], 'since', now, 'orphaned', orphaned)
  end
  keep(ARGV[3])
  return { 1, fence, abandoned }
end

if ARGV[4] == '1' then stand_in_queue(queue, alive, token, now) end
local soonest = redis.call('ZRANGE', holders, 0, 0, 'WITHSCORES')
local owner = soonest[1] and weight_of(soonest[1]) == declared and redis.call('HGET', pool, 'owner')
return { 0, soonest[2] and soonest[2] - now or PATIENCE, owner or '' }
