if call('EXISTS', worker) == 0 then return 0 end
return 1 - call('HEXISTS', worker, 'drainingSince')
