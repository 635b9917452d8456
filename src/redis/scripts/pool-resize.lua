-- Changes how many permits there are; those that are held beyond that are given back as they are released.
-- KEYS     1 pool, see pool.lua
-- ARGV     1 permits   2 permits as declared   3 ms to keep the keys
-- Returns  1, or 0 if the pool was declared with other permits
-- include queue
-- include pool
if declared and declared ~= tonumber(ARGV[2]) then return 0 end
permits = tonumber(ARGV[1])
redis.call('HSET', pool, 'declared', ARGV[2], 'permits', permits)
drop_expired()
keep(ARGV[3])
wake_all_who_fit()
return 1
