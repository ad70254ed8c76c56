#!/bin/bash
# From a search to a paid order, a tracked parcel and a return, by curl alone.
#
#   make start
#   docs/walkthrough.sh [var/demo.env]
#
# A visitor fills a basket and orders; the order is paid by bank transfer on the shop's own page; staff take the money down and send the
# parcel; the visitor proves the order with a code from the mail, follows the parcel, and sends the goods back. Needs curl and jq.
set -euo pipefail

env=${1:-var/demo.env}
# shellcheck disable=SC1090
. "$env"
home=$(dirname "$env")
[ ! -e "$home/home" ] || home=$(readlink -f "$home/home")

# tool SERVER NAME ARGUMENTS [TOKEN]: call a tool, print its result. One that asks first is told yes, with the token of its preview.
tool() {
	local reply confirm arguments=$3
	local auth=()
	[ -z "${4:-}" ] || auth=(-H "Authorization: Bearer $4")
	for _ in 1 2; do
		reply=$(jq -n --arg name "$2" --argjson arguments "$arguments" \
			'{jsonrpc: "2.0", id: 1, method: "tools/call", params: {name: $name, arguments: $arguments}}' |
			curl -sS --max-time 20 "$SOUK_URL/mcp/$1" -H 'Content-Type: application/json' \
				-H 'Accept: application/json, text/event-stream' "${auth[@]}" --data-binary @-)
		confirm=$(jq -r '.result.content[0].text? // "" | capture("\"confirm\": \"(?<c>v1[.][A-Za-z0-9_-]+)\"").c' <<<"$reply")
		[ -n "$confirm" ] || break
		arguments=$(jq -c --arg c "$confirm" '. + {confirm: $c}' <<<"$arguments")
	done
	if [ "$(jq -r '.error != null or .result.isError == true' <<<"$reply")" = true ]; then
		echo "$2: $(jq -r '.error.message? // .result.content[0].text' <<<"$reply")" >&2
		return 1
	fi
	jq -c .result.structuredContent <<<"$reply"
}

mail=walker-$$-$RANDOM@example.org
say() { printf '\n== %s\n' "$*"; }

say "search"
found=$(tool storefront search_products '{"query": "desk lamp under 100 euros", "inStock": true, "limit": 5, "locale": "en"}')
jq -r '.products[] | "\(.id)  \(.price) \(.currency)  \(.name)"' <<<"$found"
product=$(jq -r '[.products[] | select(.stock > 2)][0].id' <<<"$found")

say "put two into a basket, with a code"
variant=$(tool storefront get_product_info "{\"productId\": \"$product\"}" | jq -r '[.variants[]? | select(.stock > 2)][0].sku // empty')
basket=$(jq -nc --arg p "$product" --arg v "$variant" '{productId: $p, quantity: 2, locale: "en"} + if $v == "" then {} else {variantSku: $v} end')
handle=$(tool storefront add_to_basket "$basket" | jq -r .basket)
tool storefront apply_discount "{\"basket\": \"$handle\", \"code\": \"PORTOFFERT\"}" | jq -r '"\(.itemCount) pieces, \(.total) \(.currency)"'

say "order"
link=$(tool storefront get_payment_link "$(jq -nc --arg b "$handle" --arg m "$mail" '{basket: $b, email: $m, name: "W. Walker",
	method: "bank_transfer", shippingAddress: {line1: "1 rue des Essais", postalCode: "75001", city: "Paris", country: "FR"}}')")
order=$(jq -r .orderNumber <<<"$link")
page=$(jq -r .paymentUrl <<<"$link")
jq -r '"\(.orderNumber): \(.amount) \(.currency), to be paid at \(.paymentUrl)"' <<<"$link"

say "choose bank transfer on the payment page"
curl -sS --max-time 20 -o /dev/null -w '%{http_code}\n' "$page" -d method=bank_transfer --data-urlencode 'name=W. Walker' \
	--data-urlencode "email=$mail" --data-urlencode 'line1=1 rue des Essais' -d postcode=75001 -d city=Paris -d country=FR
curl -sS --max-time 20 -H 'Accept-Language: en' "$page" | grep -o "<dd>$order</dd>"

say "the money arrives, staff take it down"
tool admin mark_paid "$(jq -c '{orderNumber, amount}' <<<"$link")" "$SOUK_ADMIN_TOKEN" | jq -r '"\(.orderNumber) is \(.status)"'

say "the parcel leaves"
tool orders ship_order "{\"orderId\": \"$order\", \"carrier\": \"Colissimo\", \"trackingNumber\": \"W${order#ORD-}\"}" "$SOUK_ADMIN_TOKEN" |
	jq -r '"\(.orderNumber) is \(.status)"'
tool orders add_tracking_event "{\"orderId\": \"$order\", \"status\": \"OUT_FOR_DELIVERY\", \"place\": \"Paris\"}" "$SOUK_ADMIN_TOKEN" >/dev/null

say "the buyer proves the order with the code from the mail"
start=$(tool orders guest_start "{\"orderNumber\": \"$order\", \"email\": \"$mail\"}")
for _ in $(seq 100); do # the mail is written by souk deliver, which souk-serve runs
	code=$(grep -l "^To: <$mail>" "$home"/outbox/*one_time_code*.eml 2>/dev/null | tail -n 1 |
		xargs -r sed -n 's/^Subject: [^0-9]*\([0-9]\{6\}\).*/\1/p') || true
	[ -z "$code" ] || break
	sleep 0.2
done
guest=$(tool orders guest_verify "$(jq -c --arg c "$code" '{challenge, oneTimeCode: $c}' <<<"$start")" | jq -r .guest)

say "and follows the parcel"
tool orders track_shipment "{\"orderId\": \"$order\", \"guest\": \"$guest\"}" | jq -r '.shipments[] | "\(.carrier) \(.trackingNumber): \(.status)"'
tool orders mark_delivered "{\"orderId\": \"$order\"}" "$SOUK_ADMIN_TOKEN" | jq -r '"\(.orderNumber) is \(.status)"'

say "the goods go back"
back=$(tool support open_return "{\"orderId\": \"$order\", \"reason\": \"changed_mind\", \"guest\": \"$guest\"}")
return=$(jq -r .returnNumber <<<"$back")
jq -r '"\(.returnNumber): \(.status), \(.refund | if type == "object" then .total // .amount else . end) \(.currency)"' <<<"$back"
[ "$(jq -r '.status | ascii_upcase' <<<"$back")" != REQUESTED ] ||
	tool support decide_return "{\"returnId\": \"$return\", \"action\": \"approve\"}" "$SOUK_ADMIN_TOKEN" >/dev/null
tool support decide_return "{\"returnId\": \"$return\", \"action\": \"receive\"}" "$SOUK_ADMIN_TOKEN" | jq -r '"\(.returnNumber): \(.status)"'
