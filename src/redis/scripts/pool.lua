-- Put into the scripts of a pool of permits where they say `include pool`, after the queue. What a pool is made of:
--   pool     hash of declared and permits (as it was declared, and now), used, and of the holder of all permits, who
--            writes: fence, owner, since (ms), orphaned ('1' after it expired, the token of who was told of that)
--   holders  sorted set of tokens; the score is the server's time in ms until which each holds
--   queue, alive  see queue.lua
-- The names of all come from that of the pool.
-- How many permits a token wants or has is its last part.
local pool, holders, queue, alive = KEYS[1], KEYS[1] .. ':holders', KEYS[1] .. ':queue', KEYS[1] .. ':alive'
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = math.floor(micros / 1000)

local function drop(queue, alive, token)
  redis.call('ZREM', alive, token)
  redis.call('LREM', queue, 1, token)
end

local function weight_of(token) return tonumber(string.match(token, '[^.]*$')) end

local state = redis.call('HMGET', pool, 'declared', 'permits', 'used', 'fence', 'orphaned')
local declared, permits, used = tonumber(state[1]), tonumber(state[2]), tonumber(state[3] or 0)
local fence, orphaned = tonumber(state[4] or 0), state[5]

-- Permits whose holders' time has run out are free again. What the token had itself, without knowing, nobody has to be
-- told of.
local function drop_expired(own)
  local expired = redis.call('ZRANGEBYSCORE', holders, '-inf', string.format('%.0f', now))
  for _, token in ipairs(expired) do
    redis.call('ZREM', holders, token)
    used = used - weight_of(token)
    if weight_of(token) == declared and token ~= own then
      orphaned = '1'
      redis.call('HSET', pool, 'orphaned', orphaned)
    end
  end
  if redis.call('EXISTS', holders) == 0 then used = 0 end
  redis.call('HSET', pool, 'used', used)
end

-- May a token have its permits together with all who came before it? One that does not stand in the queue came last.
local function has_its_turn(token)
  local free = permits - used - weight_of(token)
  local place = 0
  while free >= 0 do
    local other = redis.call('LINDEX', queue, place)
    if not other or other == token then return true end
    if lives(alive, other, now) then
      free = free - weight_of(other)
      place = place + 1
    else
      drop(queue, alive, other)
    end
  end
  return false
end

-- Tells all at the head of the queue for whom there are permits.
local function wake_all_who_fit()
  local free, place = permits - used, 0
  while free > 0 do
    local token = redis.call('LINDEX', queue, place)
    if not token then return end
    if lives(alive, token, now) then
      free = free - weight_of(token)
      if free >= 0 then wake(alive, token, now) end
      place = place + 1
    else
      drop(queue, alive, token)
    end
  end
end

-- The keys stay for so many ms from now, or longer.
local function keep(milliseconds)
  for _, key in ipairs({ pool, holders }) do
    if redis.call('PTTL', key) < tonumber(milliseconds) then redis.call('PEXPIRE', key, milliseconds) end
  end
end
