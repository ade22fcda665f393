-- The holders of a card with what each takes of its memory: one name, which has the card alone, or an object of names and budgets.
local function holdersOf(stored)
  if not stored then return {} end
  if stored:sub(1, 1) == '{' then return cjson.decode(stored) end
  return { [stored] = math.huge }
end
