# A worker in shell: takes jobs one by one and posts a result for each (worker-api §4, §6). Ends at once on SIGTERM.
trap 'exit 0' TERM
auth="Authorization: $RUNPOD_AI_API_KEY"
while true; do
  wget -q -O /job --header "$auth" "$RUNPOD_WEBHOOK_GET_JOB" & wait $!
  id=$(sed -n 's/.*"id":"\([^"]*\)".*/\1/p' /job)
  if [ -z "$id" ]; then sleep 1 & wait $!; continue; fi
  done=$(echo "$RUNPOD_WEBHOOK_POST_OUTPUT" | sed "s/\$ID/$id/")
  wget -q -O - --header "$auth" --header 'Content-Type: application/json' --post-data '{"output": "from a private image"}' "$done"
  : > /job
done
