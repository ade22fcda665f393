return readLeases()
