-- The revision, an owner's endpoints and its records of several kinds, in one snapshot; of all owners if both texts are empty.
-- Called before each guarded write of a resource.
local owned = namesBegin == '' and call('HVALS', endpoints) or named(names, endpoints, namesBegin)
local found = {}
for at, kind in ipairs(kinds) do found[at] = having(HASHES[kind], text) end
return { call('GET', revision) or '0', owned, found }
