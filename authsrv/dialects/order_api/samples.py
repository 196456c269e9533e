"""Working samples of every operation, in curl, Python and JavaScript; each runs by itself, as it stands.

The credential comes from the environment variable API_KEY, so that no sample holds one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_ORDER = """{
  "customer_id": "12345",
  "items": [
    {"product_id": "A100", "quantity": 2},
    {"product_id": "B200", "quantity": 1}
  ],
  "shipping_address": {
    "street": "123 Main St",
    "city": "Anytown",
    "state": "CA",
    "zip": "91234",
    "country": "USA"
  },
  "payment_method": "credit_card",
  "payment_details": {}
}"""
_CHANGE = """{
  "status": "processing",
  "shipping_address": {
    "street": "7 Harbour Rd",
    "city": "Anytown",
    "state": "CA",
    "zip": "91234",
    "country": "USA"
  }
}"""

# An order to work with comes first where an operation needs one.
_CURL_PLACED = """\
# Place an order, and keep its id.
ORDER_ID=$(curl -s BASE_URL/orders \\
  -H "Authorization: Bearer $API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
  "customer_id": "12345",
  "items": [{"product_id": "A100", "quantity": 1}],
  "shipping_address": {
    "street": "123 Main St", "city": "Anytown", "state": "CA", "zip": "91234", "country": "USA"
  },
  "payment_method": "paypal"
}' | sed 's/.*"order_id":"\\([^"]*\\)".*/\\1/')

"""
_CURL = {
    "createOrder": """\
curl BASE_URL/orders \\
  -H "Authorization: Bearer $API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{{ORDER}}'
""",
    "getOrder": """\
{{PLACED}}curl "BASE_URL/orders/$ORDER_ID" \\
  -H "Authorization: Bearer $API_KEY"
""",
    "updateOrder": """\
{{PLACED}}curl -X PUT "BASE_URL/orders/$ORDER_ID" \\
  -H "Authorization: Bearer $API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{{CHANGE}}'
""",
    "cancelOrder": """\
{{PLACED}}curl -X DELETE "BASE_URL/orders/$ORDER_ID" \\
  -H "Authorization: Bearer $API_KEY"
""",
    "listOrders": """\
curl "BASE_URL/orders?status=pending&limit=5" \\
  -H "Authorization: Bearer $API_KEY"
""",
}

_PYTHON_HEAD = """\
import os
import requests

BASE_URL = "{{BASE}}"
headers = {"Authorization": f"Bearer {os.environ['API_KEY']}"}

"""
_PYTHON_PLACED = """\
# Place an order, and keep its id.
order_data = {
    "customer_id": "12345",
    "items": [{"product_id": "A100", "quantity": 1}],
    "shipping_address": {
        "street": "123 Main St",
        "city": "Anytown",
        "state": "CA",
        "zip": "91234",
        "country": "USA",
    },
    "payment_method": "paypal",
}
placed = requests.post(f"{BASE_URL}/orders", headers=headers, json=order_data)
placed.raise_for_status()
url = f"{BASE_URL}/orders/{placed.json()['order_id']}"

"""
_PYTHON_TAIL = """\
response.raise_for_status()
print(response.json())
"""
_PYTHON = {
    "createOrder": """\
order_data = {{ORDER}}
response = requests.post(f"{BASE_URL}/orders", headers=headers, json=order_data)
""",
    "getOrder": """\
{{PLACED}}response = requests.get(url, headers=headers)
""",
    "updateOrder": """\
{{PLACED}}change = {{CHANGE}}
response = requests.put(url, headers=headers, json=change)
""",
    "cancelOrder": """\
{{PLACED}}response = requests.delete(url, headers=headers)
""",
    "listOrders": """\
query = {"status": "pending", "limit": 5}
response = requests.get(f"{BASE_URL}/orders", headers=headers, params=query)
print(response.headers["X-Total-Count"], response.links.get("next", {}).get("url"))
""",
}

_JAVASCRIPT_HEAD = """\
const BASE_URL = "{{BASE}}";
const headers = {
  Authorization: `Bearer ${process.env.API_KEY}`,
  "Content-Type": "application/json",
};

async function call(method, path, body) {
  const response = await fetch(BASE_URL + path, { method, headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

"""
_JAVASCRIPT_PLACED = """\
  // Place an order, and keep its id.
  const { order_id } = await call("POST", "/orders", {
    customer_id: "12345",
    items: [{ product_id: "A100", quantity: 1 }],
    shipping_address: {
      street: "123 Main St", city: "Anytown", state: "CA", zip: "91234", country: "USA",
    },
    payment_method: "paypal",
  });

"""
_JAVASCRIPT = {
    "createOrder": """\
  const order = {{ORDER}};
  console.log(await call("POST", "/orders", order));
""",
    "getOrder": """\
{{PLACED}}  console.log(await call("GET", `/orders/${order_id}`));
""",
    "updateOrder": """\
{{PLACED}}  const change = {{CHANGE}};
  console.log(await call("PUT", `/orders/${order_id}`, change));
""",
    "cancelOrder": """\
{{PLACED}}  console.log(await call("DELETE", `/orders/${order_id}`));
""",
    "listOrders": """\
  const orders = await call("GET", "/orders?status=pending&limit=5");
  console.log(orders);
""",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One operation in one language; `language` is its name for people, `tag` the one for programs."""

    tag: str
    language: str
    code: str


def samples_of(operation_id: str, base_url: str) -> list[Sample]:
    """The operation's samples against the API at `base_url`."""
    curl = _fill(_CURL[operation_id], {"PLACED": _CURL_PLACED, "ORDER": _ORDER, "CHANGE": _CHANGE})
    python = _fill(
        _PYTHON_HEAD + _PYTHON[operation_id] + _PYTHON_TAIL,
        {"BASE": base_url, "PLACED": _PYTHON_PLACED, "ORDER": _ORDER, "CHANGE": _CHANGE},
    )
    body = _fill(
        _JAVASCRIPT[operation_id],
        {"PLACED": _JAVASCRIPT_PLACED, "ORDER": _inset(_ORDER), "CHANGE": _inset(_CHANGE)},
    )
    javascript = _fill(_JAVASCRIPT_HEAD, {"BASE": base_url}) + f"async function main() {{\n{body}}}\n\nmain();\n"
    return [
        Sample("curl", "curl", curl.replace("BASE_URL", base_url)),
        Sample("python", "Python", python),
        Sample("javascript", "JavaScript", javascript),
    ]


def credential_command(issuer: str, credentials: str | None) -> str:
    """The one command that comes first; `credentials` (`id:secret`) are the demo's own, and the demo's alone."""
    if credentials is None:
        return "export API_KEY=YOUR_API_KEY\n"
    return (
        f"export API_KEY=$(curl -s -u '{credentials}' \\\n"
        f"  -d grant_type=client_credentials {issuer}/oauth/token \\\n"
        """  | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')\n"""
    )


def _fill(code: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda match: values[match[1]], code)


def _inset(code: str) -> str:
    return code.replace("\n", "\n  ")
