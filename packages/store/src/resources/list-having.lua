-- All records of one kind that contain a text. Called by `list` of each kind of resource.
return having(records, text)
