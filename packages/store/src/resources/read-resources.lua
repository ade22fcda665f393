-- One snapshot; with '' and '' of all owners.
local owned = namesBegin == '' and call('HVALS', endpoints) or named(names, endpoints, namesBegin)
local found = {}
for at, kind in ipairs(kinds) do found[at] = having(HASHES[kind], text) end
return { call('GET', revision) or '0', owned, found }
