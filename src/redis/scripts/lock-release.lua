-- Ends whatever the token has: the lock, whose next one is woken, or a place in the queue.
-- KEYS     1 lock, see lock-acquire.lua
-- ARGV     1 token
-- Returns  1 if the lock was released, 0 if it was not this token's
local lock, fence, queue = KEYS[1], KEYS[1] .. ':fence', KEYS[1] .. ':queue'
local token = ARGV[1]
local value = redis.call('GET', lock)
local released = value and string.sub(value, 1, #token + 1) == token .. ' '
if released then
  redis.call('DEL', lock)
  if redis.call('INCR', fence) == 1 then redis.call('DEL', fence) end
end
if redis.call('EXISTS', queue) == 0 then return released and 1 or 0 end

-- include queue
local alive = KEYS[1] .. ':alive'
if not released and not leave_queue(queue, alive, token) then return 0 end
if released or not value then
  local now = server_time()
  local head = first(queue, alive, now)
  if head then wake(alive, head, now) end
end
return released and 1 or 0
