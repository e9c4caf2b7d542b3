"""Keeps secrets so that the database alone does not give them away."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field

from lms.accounts import rules


class Locked(Exception):
    """What was sealed cannot be opened: the secret key of the installation is another one."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals with keys made of the installation's secret key, one for each purpose."""

    secret_key: str = field(repr=False)

    def digest(self, purpose: str, text: str) -> str:
        """Return what is stored instead of a short code: without the key it cannot be guessed."""
        key = hmac.digest(self.secret_key.encode(), f"suluh {purpose}".encode(), "sha256")
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def seal(self, text: str) -> str:
        """Return a secret as it is stored."""
        from cryptography.fernet import Fernet

        return Fernet(self._sealing_key()).encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return a secret that was sealed. Raises Locked."""
        from cryptography.fernet import Fernet, InvalidToken

        try:
            return Fernet(self._sealing_key()).decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Locked from None

    def _sealing_key(self) -> bytes:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        made = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"suluh second factor")
        return urlsafe_b64encode(made.derive(self.secret_key.encode()))


def new_code() -> str:
    """Return a code for paper, without its dash."""
    return "".join(secrets.choice(rules.CODE_ALPHABET) for _ in range(rules.CODE_LENGTH))
