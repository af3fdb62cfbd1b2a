#!/usr/bin/env bash
# Builds Crema and starts the cafeteria on http://127.0.0.1:8080 with its data in ./data.
#   ./run.sh [crema serve arguments]      ./run.sh --listen 127.0.0.1:9090 --data /tmp/cafe
# Ctrl-C stops it gracefully. This process becomes the node: `kill -9` of its pid is the crash to try.
set -euo pipefail

source_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
"$source_dir/scripts/install-deps.sh"
"$source_dir/scripts/build.sh" release crema

arguments=("$@")
system=cafeteria
listen=${CREMA_HTTP__LISTEN:-127.0.0.1:8080}
config=

# Options that take a value, so that the value is not mistaken for the system's name.
previous=
for argument in "$@"; do
  case "$previous" in
    --listen) listen=$argument ;;
    --config) config=$argument ;;
    --set) [[ $argument == http.listen=* ]] && listen=${argument#*=} ;;
    --data | --token) ;;
    *)
      case "$argument" in
        --listen=*) listen=${argument#*=} ;;
        --config=*) config=${argument#*=} ;;
        --set=http.listen=*) listen=${argument#--set=http.listen=} ;;
        --help | -h) exec "$source_dir/build/release/crema" serve --help ;;
        -*) ;;
        *) system=$argument ;;
      esac
      ;;
  esac
  previous=$argument
  [[ $argument == *=* ]] && previous=
done
[[ -z $config && -z ${CREMA_CONFIG:-} && -f "$source_dir/config/$system.json" ]] && arguments+=(--config "$source_dir/config/$system.json")

# A node that listens on every address is reached by the local one.
url=http://${listen/#0.0.0.0:/127.0.0.1:}

print_first_commands() {
  echo
  if [[ $system == cafeteria ]]; then
    echo "Crema serves the cafeteria at $url. Three commands to try, in another terminal:"
    echo
    if command -v http >/dev/null; then
      echo "  http POST $url/orders phoneNumber=01012345678 productName=coffee qty=2 amt=1000"
      echo "  http $url/mypages/search/findByPhoneNumber phoneNumber==01012345678"
      echo "  http $url/events"
    else
      echo "  curl -s $url/orders -H 'Content-Type: application/json' -d '{\"phoneNumber\":\"01012345678\",\"productName\":\"coffee\",\"qty\":2,\"amt\":1000}'"
      echo "  curl -s '$url/mypages/search/findByPhoneNumber?phoneNumber=01012345678'"
      echo "  curl -s $url/events"
    fi
  else
    echo "Crema serves $system at $url. Three commands to try, in another terminal:"
    echo
    echo "  curl -s $url/"
    echo "  curl -s $url/openapi.json"
    echo "  curl -s $url/events"
  fi
  echo
}

# The node takes this process over (exec), so the wait for its readiness is a process of its own, and nobody's child.
node=$$
( (
  while kill -0 "$node" 2>/dev/null; do
    if curl -fs -o /dev/null --max-time 1 "$url/actuator/health/readiness"; then
      print_first_commands
      exit
    fi
    sleep 0.2
  done
) & )
exec "$source_dir/build/release/crema" serve "${arguments[@]}"
