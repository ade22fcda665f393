-- Stores the scaler's report. Called by `scalerReport.put`.
call('SET', report, text, 'PX', keepMs)
