-- One attempt at a lock that one holder has at a time. Repeating it with the same token does no harm.
-- KEYS     1 lock: see lock.lua. From its name come those of queue and alive: see queue.lua
-- ARGV     1 '<token> <since> <owner>'   2 ttl (ms)   3 1: stand in the queue
-- Returns  the fence, { 1, fence } if the last holder's time ran out, or { 0, ms until another look is worth it, owner or '' }
local lock = KEYS[1]
local value = redis.call('GET', lock)

-- The larger of the time in microseconds and one more than the last, so that it grows even if that was forgotten, or the
-- clock has gone back.
local function take(mark, last, note)
  local time = redis.call('TIME')
  local fence = math.max(time[1] * 1000000 + time[2], last + 1)
  redis.call('SET', lock, string.format('%s%.0f %s%s', mark, fence, ARGV[1], note), 'PX', ARGV[2] + 86400000) -- a day more: see lock.lua
  return fence
end

-- Only of one that is free, with nobody in the queue, is the value a number.
local last = tonumber(value)
if last then return take('', last, '') end

-- include lock
-- include queue
local queue, alive = lock .. ':queue', lock .. ':alive'
local token = string.match(ARGV[1], '^%S+')
local mark, fence, holder, _, owner, was_abandoned = parse(value)
local look = value and holder ~= '' and time_left(lock) or 0
if look > 0 then
  if holder == token then
    redis.call('PEXPIRE', lock, ARGV[2] + AFTER)
    if was_abandoned then return { 1, fence } end
    return fence
  end
else
  local now = server_time()
  local head = first(queue, alive, now)
  if not head or head == token then
    if head then leave_queue(queue, alive, token) end
    mark = redis.call('EXISTS', queue) == 1 and 'q' or ''
    -- Of what it had itself, without knowing, it is not told.
    local is_orphan = value and holder ~= '' and (holder ~= token or was_abandoned)
    if not is_orphan then return take(mark, fence, '') end
    return { 1, take(mark, fence, ' !') }
  end
  look, owner = redis.call('ZSCORE', alive, head) - now, ''
end
if ARGV[3] == '1' then
  stand_in_queue(queue, alive, token, server_time())
  if mark == '' and value then redis.call('SET', lock, 'q' .. value, 'KEEPTTL') end
end
return { 0, look, owner }
