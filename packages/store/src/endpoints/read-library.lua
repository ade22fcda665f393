-- One snapshot; with '' and '' of all owners.
local owned = namesBegin == '' and call('HVALS', endpoints) or named(names, endpoints, namesBegin)
return { call('GET', revision) or '0', having(templates, text), owned, having(registries, text) }
