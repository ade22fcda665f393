return having(records, text)
