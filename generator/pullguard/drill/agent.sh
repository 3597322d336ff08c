# Cuts this node off from addresses, in the network namespace that it runs in. The arguments are the name of the table, the
# seconds, and then an address or a host with a port each: HOST PORT.
#
# The kernel undoes all of it by itself: the elements of the sets expire, and the table belongs to the process `nft -i`, so
# it goes when that process ends, however that happens. Kernels before 5.12 do not know such an owner: then an empty table
# may stay behind, which blocks nothing once its elements have expired.
set -u
table=$1 seconds=$2
shift 2
four='' six=''
while [ $# -ge 2 ]; do
    case $1 in
    *:*) found=$1 ;; # IPv6
    *[!0-9.]*) found=$(getent ahosts "$1" | while read -r address _; do echo "$address"; done) ;;
    *) found=$1 ;;
    esac
    [ -n "$found" ] || echo "the node cannot resolve $1" >&2
    for address in $found; do
        case $address in
        *:*) six="$six${six:+, }$address . $2 timeout ${seconds}s" ;;
        *) four="$four${four:+, }$address . $2 timeout ${seconds}s" ;;
        esac
    done
    shift 2
done

[ -n "$four$six" ] || exit 3

# One line is one transaction: the table is there with everything in it, or not at all.
rules() {
    text="add table inet $table$1"
    text="$text; add set inet $table four { type ipv4_addr . inet_service; flags timeout; }"
    text="$text; add set inet $table six { type ipv6_addr . inet_service; flags timeout; }"
    # Before the addresses of Services are translated, and of connections that are open already.
    text="$text; add chain inet $table out { type filter hook output priority raw; policy accept; }"
    text="$text; add rule inet $table out ip daddr . tcp dport @four reject with tcp reset"
    text="$text; add rule inet $table out ip6 daddr . tcp dport @six reject with tcp reset"
    [ -z "$four" ] || text="$text; add element inet $table four { $four }"
    [ -z "$six" ] || text="$text; add element inet $table six { $six }"
    printf '%s\n' "$text"
}

undo() {
    kill "$keeper" 2>/dev/null
    nft delete table inet "$table" 2>/dev/null
    exit 0
}

trap undo TERM INT
{
    rules ' { flags owner; }'
    sleep "$seconds"
} | nft -i >/dev/null 2>&1 &
keeper=$!
tries=0
until nft list table inet "$table" >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 2 ]; then
        rules '' | nft -f - || exit 4
    fi
    sleep 1
done
sleep "$seconds" &
wait $!
undo
