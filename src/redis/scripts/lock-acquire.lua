-- One attempt at a lock that one holder has at a time. Repeating it with the same token does no harm.
-- KEYS     1 lock: '<token> <since, ms> <owner>', with ' !' at the end if the last holder's time ran out; it is gone when it
--          is free or its time is up. From its name come those of
--          fence: odd while the lock is held, and even after it was released: who finds it odd is told so
--          queue and alive: see queue.lua
-- ARGV     1 '<token> <since> <owner>'   2 ttl (ms)   3 1: stand in the queue
-- Returns  the fence, { 1, fence } if the last holder's time ran out, or { 0, ms until another look is worth it, owner or '' }
local lock, fence, queue = KEYS[1], KEYS[1] .. ':fence', KEYS[1] .. ':queue'

-- The larger of the time in microseconds and one more than the last, so that it grows even if that was forgotten, or the
-- clock has gone back. It may be forgotten after a day.
local function next_fence(last)
  local time = redis.call('TIME')
  local number = math.max(time[1] * 1000000 + time[2], last + 1)
  number = number + 1 - number % 2
  redis.call('SET', fence, string.format('%.0f', number), 'EX', '86400')
  return number
end

local function take()
  local last = tonumber(redis.call('GET', fence) or 0)
  if last % 2 == 0 then
    redis.call('SET', lock, ARGV[1], 'PX', ARGV[2])
    return next_fence(last)
  end
  redis.call('SET', lock, ARGV[1] .. ' !', 'PX', ARGV[2])
  return { 1, next_fence(last) }
end

if redis.call('EXISTS', lock, queue) == 0 then return take() end

-- include queue
local alive = KEYS[1] .. ':alive'
local token = string.match(ARGV[1], '^%S+')
local value = redis.call('GET', lock)
local look, owner
if value then
  local holder
  holder, owner = string.match(value, '^(%S+) %d+ (.-)[ !]*$')
  if holder == token then
    redis.call('PEXPIRE', lock, ARGV[2])
    local number = tonumber(redis.call('GET', fence) or next_fence(0))
    if string.sub(value, -2) == ' !' then return { 1, number } end
    return number
  end
  look = redis.call('PTTL', lock)
end
local now = server_time()
if not value then
  local head = first(queue, alive, now)
  if head == token then leave_queue(queue, alive, token) end
  if not head or head == token then return take() end
  look = redis.call('ZSCORE', alive, head) - now
end
if ARGV[3] == '1' then stand_in_queue(queue, alive, token, now) end
return { 0, look, owner or '' }
