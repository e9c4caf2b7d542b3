"""Random names for things: tokens that open doors, and public ids that open nothing."""

import hashlib
import secrets

ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"


def new_token() -> str:
    """Return a secret of 256 bits, safe in an address."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return what is stored instead of a token: 64 hex characters.

    The token has 256 random bits, so a plain hash cannot be guessed back.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def public_id() -> str:
    """Return a short random id for an address, 14 characters (68 bits). It grants nothing."""
    return "".join(secrets.choice(ALPHABET) for _ in range(14))


def digest_of_text(text: str) -> str:
    """Return the SHA-256 of a text, as 64 hex characters."""
    return hashlib.sha256(text.encode()).hexdigest()
