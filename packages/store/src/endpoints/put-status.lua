if call('EXISTS', forgotten) == 0 then call('SET', status, text) end
