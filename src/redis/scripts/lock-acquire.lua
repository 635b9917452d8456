-- One attempt at a lock that one holder has at a time. Repeating it with the same token does no harm.
-- KEYS     1 lock: MessagePack of token ('' if it is free), until (ms), fence, since (ms), orphaned, queued, owner
--          2 queue   3 alive
-- ARGV     1 token   2 ttl (ms)   3 ms to keep the key, and with it the fence   4 1: stand in the queue, 0: do not   5 owner
-- Returns  the fence, { 1, fence } if the last holder's time ran out, or { 0, ms until another look is worth it, owner or '' }
local value = redis.call('GET', KEYS[1])
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = math.floor(micros / 1000)
local token, till, fence, since, orphaned, queued, owner = '', 0, 0, 0, 0, 0, ''
if value then token, till, fence, since, orphaned, queued, owner = cmsgpack.unpack(value) end

local function take(queued)
  local number = math.max(fence + 1, micros)
  local orphan = token ~= '' and token ~= ARGV[1] and 1 or 0
  local state = cmsgpack.pack(ARGV[1], now + ARGV[2], number, now, orphan, queued, ARGV[5])
  redis.call('SET', KEYS[1], state, 'PX', ARGV[3])
  if orphan == 1 then return { 1, number } end
  return number
end

if till <= now and queued == 0 then return take(0) end

if till > now and token == ARGV[1] then
  redis.call('SET', KEYS[1], cmsgpack.pack(token, now + ARGV[2], fence, since, orphaned, queued, owner), 'PX', ARGV[3])
  if orphaned == 1 then return { 1, fence } end
  return fence
end

-- include queue
local queue, alive = KEYS[2], KEYS[3]
local look = till - now
if look <= 0 then
  local head = first(queue, alive, now)
  if head == ARGV[1] then leave_queue(queue, alive, head) end
  if not head or head == ARGV[1] then return take(redis.call('EXISTS', queue)) end
  look = redis.call('ZSCORE', alive, head) - now
end
if ARGV[4] == '1' then
  stand_in_queue(queue, alive, ARGV[1], now)
  if queued == 0 then
    redis.call('SET', KEYS[1], cmsgpack.pack(token, till, fence, since, orphaned, 1, owner), 'KEEPTTL')
  end
end
return { 0, look, till > now and owner or '' }
