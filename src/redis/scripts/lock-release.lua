-- Ends whatever the token has: the lock, whose next one is woken, or a place in the queue.
-- KEYS     1 lock, see lock.lua
-- ARGV     1 token
-- Returns  1 if the lock was released, 0 if it was not this token's
local lock, token = KEYS[1], ARGV[1]
local value = redis.call('GET', lock)

-- A server whose memory is full refuses a SET, unless the script has written before: then something that needs no memory
-- comes first. (What has a lock stands in no queue.)
local function free(as)
  if redis.pcall('SET', lock, as, 'KEEPTTL').err then
    redis.call('ZREM', lock .. ':alive', token)
    redis.call('SET', lock, as, 'KEEPTTL')
  end
end

-- Held, with nobody in the queue.
local fence, holder = string.match(value or '', '^(%d+) (%S+)')
if holder == token then
  free(fence)
  return 1
end

-- include lock
-- include queue
local queue, alive = lock .. ':queue', lock .. ':alive'
local mark
mark, fence, holder = parse(value)
local released = holder == token
if not released and not leave_queue(queue, alive, token) then return 0 end
if released or holder == '' or time_left(lock) == 0 then
  local now = server_time()
  local head = first(queue, alive, now)
  if released then free((head and 'q' or '') .. string.format('%.0f', fence)) end
  if head then wake(alive, head, now) end
end
return released and 1 or 0
