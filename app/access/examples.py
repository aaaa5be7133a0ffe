"""Examples that the contract shows; a test compares them with what is answered."""

KEY = {
    "id": "k3n8v2qz",
    "name": "Client information system",
    "organisation": "North Savo",
    "actions": ["read", "report"],
    "areas": ["county:13"],
    "expires_at": "2026-07-06T09:00:00Z",
}
