"""Examples that the contract shows; a test compares them with what is answered."""

KEY = {
    "id": "k3n8v2qz",
    "name": "Client information system",
    "organisation": "North Savo",
    "actions": ["read", "report"],
    "areas": ["county:13"],
    "expires_at": "2026-07-06T09:00:00Z",
}

KEY_ROTATED = {
    "key": "yhdessa_p4d7w9ra_EXAMPLEexampleEXAMPLEexampleEXAM000000",
    "id": "p4d7w9ra",
    "expires_at": "2026-08-07T09:05:00Z",
    "replaced": "k3n8v2qz",
    "replaced_until": "2025-07-17T09:05:00Z",
}
