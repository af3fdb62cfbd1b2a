#!/usr/bin/env bash
# Builds Crema and starts the cafeteria on http://127.0.0.1:8080 with its data in ./data.
#   ./run.sh [crema serve arguments]      ./run.sh --listen 127.0.0.1:9090 --data /tmp/cafe      ./run.sh hotel      ./run.sh --all
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
        --all) system=--all ;;
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

# What to post first, and what to look at then.
case "$system" in
  cafeteria) first=/orders second='/mypages/search/findByPhoneNumber?phoneNumber=01012345678'
    body='{"phoneNumber":"01012345678","productName":"coffee","qty":2,"amt":1000}' ;;
  rewards) first=/missions second='/mypages/search/findByCustomerId?customerId=11' body='{"customerId":11,"status":"Achieved"}' ;;
  hotel) first=/books second=/mypages/1 body='{"roomId":1,"price":1000,"startDate":20210505,"endDate":20210508,"guestId":3,"hostId":4}' ;;
  breakfast) first=/foodCatalogs second=/foodCatalogViews/1 body='{"name":"toast","stock":100,"price":1000}' ;;
  preorder) first=/preReservations second=/myReservations body='{"userId":1,"cardNo":"1234-5678-9012-1234"}' ;;
  --all) first=/cafeteria/orders second=/ body='{"phoneNumber":"01012345678","productName":"coffee","qty":2,"amt":1000}' ;;
esac
events=/events
[[ $system == --all ]] && events=/cafeteria/events

print_first_commands() {
  echo
  echo "Crema serves ${system/#--all/every system} at $url. Three commands to try, in another terminal:"
  echo
  echo "  curl -s $url$first -H 'Content-Type: application/json' -d '$body'"
  echo "  curl -s '$url$second'"
  echo "  curl -s $url$events"
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
