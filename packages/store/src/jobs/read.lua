return readRecord(id)
