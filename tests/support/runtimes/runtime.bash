#!/bin/bash -p
# A custom runtime with nothing but bash: takes events from the Runtime API and answers them.
# https://docs.aws.amazon.com/lambda/latest/dg/runtimes-walkthrough.html
LC_ALL=C

# call METHOD PATH BODY: one request; sets id.
call() {
  exec {api}<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API%:*}/${AWS_LAMBDA_RUNTIME_API##*:}" || exit
  printf '%s /2018-06-01/runtime/invocation/%s HTTP/1.1\r\nHost: lambda\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' \
    "$1" "$2" "${#3}" "$3" >&"$api"
  local line
  while IFS= read -r -u "$api" line && line=${line%$'\r'} && [[ $line ]]; do
    [[ ${line,,} == lambda-runtime-aws-request-id:* ]] && id=${line##*[: ]}
  done
  # The API closes the connection when all is sent: what is left is the body, of no interest here.
  while IFS= read -r -u "$api" _; do :; done
  exec {api}>&-
}

while :; do
  id=''
  call GET next ''
  [[ $id ]] || exit
  echo 'hello from bash'
  call POST "$id/response" "{\"request_id\": \"$id\"}"
done
